"""The audit's challenge of clocks: what another clock would make of the result, and one that lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest import load_config, market_from
from backtest.audit.audit import audit
from backtest.audit.clocks import challenge_clocks, early_values, shifted
from backtest.cli import main
from backtest.config import Config
from backtest.data.calendar import exchange_sessions
from backtest.market import Market
from strategies import REGISTRY

MONTHS = pd.date_range("2019-06-01", "2024-12-01", freq="MS")
SIGNS = np.where(np.arange(len(MONTHS)) % 5 < 2, 1.0, -1.0)


def market_of(known: pd.DatetimeIndex | None, rule: object = None) -> Market:
    """A small-caps leg that gains in the months whose value is 1 and loses in the others."""
    sessions = exchange_sessions(pd.Timestamp("2019-06-03"), pd.Timestamp("2024-12-30"))
    sign = SIGNS[np.clip(MONTHS.searchsorted(sessions, side="right") - 1, 0, len(SIGNS) - 1)]
    rng = np.random.default_rng(1)
    prices = {}
    for ticker, drift in (("QQQ", 0.0 * sign), ("IWM", 0.004 * sign)):
        close = 100 * np.exp(np.cumsum(drift + rng.normal(0, 0.004, len(sessions))))
        prices[ticker] = pd.DataFrame({"open": close, "high": close * 1.01, "low": close * 0.99, "close": close,
                                       "adj_close": close, "volume": 1e6}, index=sessions)  # fmt: skip
    table = pd.DataFrame({"value": SIGNS}, index=MONTHS)
    if known is not None:
        table["known_at"] = known
    return market_from(prices, series={"MY": table}, known={} if rule is None else {"MY": rule})  # type: ignore[dict-item]


def config_of(folder: Path) -> Config:
    path = folder / "c.yaml"
    path.write_text("""
name: c
data: {prices: {source: sample}, start: 2020-01-02}
legs: {growth: {QQQ: 1}, small: {IWM: 1}}
strategy: {name: rules, params: {hold: [{leg: small, when: {signal: series, name: MY, above: 0.0}}, {leg: growth}]}}
execution: {commission_bps: 1, slippage_bps: 4}
benchmarks: [QQQ]
""", encoding="utf-8", newline="\n")  # fmt: skip
    return load_config(path, strategies=REGISTRY)


def test_a_clock_that_lies_is_found_though_no_cut_shows_it(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    liar = audit(config, REGISTRY, market=market_of(MONTHS + pd.Timedelta("2D")), sessions=6)
    assert not liar.findings, "cutting and poisoning take the clock as given"
    assert not liar.ok
    (challenge,) = liar.clocks
    assert challenge.early == challenge.values == len(MONTHS)
    assert "MY looks ahead: 67 of its 67 values are used before their month has ended" in liar.lines()[0]
    assert challenge.result > 0.2 > 0.0 > challenge.later  # type: ignore[operator]
    honest = audit(config, REGISTRY, market=market_of(None, ("month", 1)), sessions=6)
    assert honest.ok
    (challenge,) = honest.clocks
    assert challenge.early == 0
    assert challenge.result < 0.0 < challenge.earlier  # type: ignore[operator]
    assert "monthly, known 1 business day after its month at 09:00" in " ".join(honest.lines())
    assert "known one month later" in honest.lines()[-1]


def test_a_shifted_series_is_known_when_its_neighbour_was() -> None:
    series = market_of(None, ("month", 1)).series["MY"]
    later, earlier = shifted(series, 1), shifted(series, -1)
    assert later.frame["session"].tolist() == series.frame["session"].tolist()[1:]
    assert later.frame["value"].tolist() == series.frame["value"].tolist()[:-1]
    assert earlier.frame["session"].tolist() == [
        series.frame["session"].iloc[0],
        *series.frame["session"].tolist()[:-1],
    ]
    assert early_values(earlier) > 60 > early_values(series) == early_values(later) == 0


def test_a_market_without_series_has_no_clocks_to_challenge(tmp_path: Path) -> None:
    assert challenge_clocks(config_of(tmp_path), REGISTRY, market_from(
        {"QQQ": pd.Series(np.linspace(100, 101, 300), exchange_sessions(pd.Timestamp("2019-06-03"), pd.Timestamp(
            "2021-06-03"))[:300])}, adjusted="total_return")) == ()  # fmt: skip


@pytest.mark.parametrize(("known", "code"), [("known: column, ", 5), ("", 0)])
def test_the_commands_find_it_on_real_rates(
    known: str, code: int, tmp_path: Path, real_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (real_data / "macro" / "FEDFUNDS.csv").read_text(encoding="utf-8").splitlines()
    rows = [f"{line},{line[:8]}04" for line in lines[1:]] if known else lines[1:]
    head = "date,value,known_at" if known else "date,value"
    (tmp_path / "FEDFUNDS.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8", newline="\n")
    (tmp_path / "c.yaml").write_text(f"""
name: case
data:
  prices: {{source: csv, folder: {real_data / "prices"}}}
  macro: {{folder: ., series: {{FEDFUNDS: {{{known}holds_days: 45}}}}}}
  start: 2002-08-01
  end: 2025-12-24
legs: {{growth: {{SPY: 1}}, small: {{SHY: 1}}}}
strategy:
  name: rules
  params:
    hold: [{{leg: small, when: {{signal: series, name: FEDFUNDS, change_sessions: 63, below: -0.15}}}}, {{leg: growth}}]
execution: {{commission_bps: 1, slippage_bps: 4}}
benchmarks: [SPY]
""", encoding="utf-8", newline="\n")  # fmt: skip
    for command in ("check", "audit"):
        found = 0
        try:
            main([command, str(tmp_path / "c.yaml")])
        except SystemExit as ended:
            found = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert found == code, out + err
        assert ("used before their" in err) == (code == 5)
    if code == 0:
        assert "With FEDFUNDS known one month later" in out
        assert "instead of 12.8%" in out
