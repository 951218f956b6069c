"""Rules that people keep in repositories and notebooks, each written in YAML alone and run as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.config import load_config
from backtest.config.load import config_from_text
from backtest.data.calendar import sessions_around
from backtest.data.sample.prices import sample_prices
from backtest.errors import ConfigError
from backtest.market import Floats
from backtest.pipeline import decide, run
from backtest.result import Result
from strategies import REGISTRY

RULES = Path(__file__).parents[1] / "user_rules"
NAMES = sorted(path.stem for path in RULES.glob("*.yaml"))
WITH_FILES = {"dual_with_credit_filter": ("SPY", "EFA", "AGG", "SHY")}
"""Rules that need a series of the user's own, and with it files of prices."""

results: dict[str, Result] = {}


@pytest.fixture
def result_of(tmp_path_factory: pytest.TempPathFactory) -> Any:
    def made(name: str, *overrides: str) -> Result:
        key = " ".join((name, *overrides))
        if key not in results:
            path = RULES / f"{name}.yaml"
            if name in WITH_FILES:
                path = _with_files(path, tmp_path_factory.mktemp(name), WITH_FILES[name])
            results[key] = run(load_config(path, strategies=REGISTRY, overrides=overrides), REGISTRY, offline=True)
        return results[key]

    return made


def _with_files(path: Path, folder: Path, tickers: tuple[str, ...]) -> Path:
    """The config in a folder with prices of the sample, and a spread that is wide from 2008 to 2009 and in 2020."""
    (folder / "prices").mkdir()
    (folder / "macro").mkdir()
    exchange = sessions_around(pd.Timestamp("2000-01-03"), pd.Timestamp("2025-12-31"))
    for ticker, frame in sample_prices(tickers, exchange).items():
        frame.rename_axis("date").to_csv(folder / "prices" / f"{ticker}.csv")
        spread = pd.Series(4.0, index=frame.index)
    spread["2008-09-15":"2009-06-30"] = 9.0
    spread["2020-03-02":"2020-06-30"] = 7.0
    spread.rename("value").rename_axis("date").to_csv(folder / "macro" / "HY_SPREAD.csv")
    target = folder / path.name
    target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
    return target


def held(result: Result) -> Floats:
    """Shares by leg at each close at which something is decided."""
    return result.decision.by_leg[result.decision.is_known]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_from_yaml_alone_and_holds_now_this_and_now_that(name: str, result_of: Any) -> None:
    result = result_of(name)
    assert len({tuple(shares) for shares in held(result).tolist()}) >= 2
    assert len(set(result.books.fills.row.tolist())) >= 5
    assert result.rule.endswith(".")
    assert result.decision.why(len(result.market.sessions) - 1, result.legs)


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_nothing_that_comes_later(name: str, result_of: Any) -> None:
    result = result_of(name)
    strategy, sessions = REGISTRY[result.config.strategy.name], result.market.sessions
    changes = np.flatnonzero((np.diff(np.nan_to_num(result.decision.by_leg, nan=-1.0), axis=0) != 0).any(axis=1)) + 1
    for row in np.random.default_rng(1).choice(changes, 4).tolist():
        cut = decide(result.config, result.market.until(sessions[row]), strategy)
        assert np.array_equal(cut.by_leg, result.decision.by_leg[: row + 1], equal_nan=True)


def test_there_are_as_many_as_were_asked_for() -> None:
    assert len(NAMES) >= 16


def test_inertia_and_reversal_are_opposites_over_the_same_months(result_of: Any) -> None:
    one = held(result_of("growth_value_inertia", "strategy.params.lookback_months=3"))
    assert np.array_equal(one, 1.0 - held(result_of("growth_value_reversal")))


def test_a_base_is_always_held(result_of: Any) -> None:
    result = result_of("base_and_tilt")
    targets = result.plan.targets
    bonds = result.plan.tickers.index("AGG")
    assert targets[:, bonds] == pytest.approx(0.2)
    assert targets.sum(axis=1) == pytest.approx(1.0)


def test_ratio_picks_hold_half_of_each_pair_and_change_every_five_sessions(result_of: Any) -> None:
    result = result_of("ratio_picks")
    shares = held(result)
    assert np.array_equal(shares[:, :2].sum(axis=1), np.full(len(shares), 0.5))
    assert np.array_equal(shares[:, 2:].sum(axis=1), np.full(len(shares), 0.5))
    changes = np.flatnonzero((np.diff(shares, axis=0) != 0).any(axis=1))
    assert set((np.diff(changes) % 5).tolist()) == {0}


def test_modules_are_a_quarter_each_or_cash(result_of: Any) -> None:
    shares = held(result_of("four_modules"))
    pairs = shares.reshape(len(shares), 4, 2)
    assert set(np.unique(pairs).tolist()) == {0.0, 0.25}
    assert pairs.sum(axis=2).max() == 0.25
    assert set(np.unique(1.0 - shares.sum(axis=1)).tolist()) == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_a_wide_spread_keeps_dual_momentum_in_short_treasuries(result_of: Any) -> None:
    result = result_of("dual_with_credit_filter")
    shares = pd.DataFrame(result.decision.by_leg, index=result.market.sessions, columns=list(result.legs.names))
    assert (shares.loc["2008-10-01":"2009-06-29", "SHY"] == 1.0).all()
    assert (shares.loc["2009-08-03":"2020-02-28", "SHY"] == 0.0).all()
    assert shares.loc["2020-04-01", "SHY"] == 1.0


@pytest.mark.parametrize("calendar", ["weekly", "quarterly", "annual", "{every_sessions: 10}"])
def test_six_funds_at_several_calendars(calendar: str, result_of: Any) -> None:
    fills = {
        name: len(set(result_of(*name).books.fills.row.tolist()))
        for name in (("six_treasury_funds",), ("six_treasury_funds", f"strategy.params.decide={calendar}"))
    }
    monthly, other = fills.values()
    assert (other > monthly) == (calendar in ("weekly", "{every_sessions: 10}"))


PARTS = """
name: parts
data: {{prices: {{source: sample}}, start: 2004-01-02}}
legs: [QQQ, IWM]
strategy: {{name: parts, params: {{parts: {parts}}}}}
execution: {{commission_bps: 1, slippage_bps: 4}}
"""


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ("[]", "parts"),
        ("[{share: 0.6, leg: QQQ}, {share: 0.6, leg: IWM}]", "the shares sum to 1.2, expected at most 1"),
        ("[{share: 0.5}]", "expected one of rank, rules and leg"),
        ("[{share: 0.5, leg: QQQ, rank: {}}]", "found rank and leg, expected one of rank, rules and leg"),
        ("[{share: 0.5, leg: SPY}]", "found SPY, expected one of the legs (QQQ, IWM)"),
        ("[{share: 0.5, rank: {universe: [QQQ, EFA]}}]", "found EFA, expected one of the legs (QQQ, IWM)"),
        ("[{share: 0.5, rank: {top: 0}}]", "top"),
    ],
)
def test_parts_that_make_no_sense_are_one_line_each(parts: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config_from_text(PARTS.format(parts=parts), strategies=REGISTRY)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_part_of_a_leg_and_one_of_rules() -> None:
    parts = """[{share: 0.25, leg: QQQ}, {share: 0.25, leg: cash},
      {share: 0.5, label: switch,
       rules: {hold: [{leg: IWM, when: {signal: lead, of: IWM, over: QQQ}}, {leg: cash}]}}]"""
    result = run(config_from_text(PARTS.format(parts=parts), strategies=REGISTRY), REGISTRY, offline=True)
    assert set(map(tuple, held(result).tolist())) == {(0.25, 0.5), (0.25, 0.0)}
    assert "switch: " in result.decision.why(len(result.market.sessions) - 1, result.legs)
    assert result.rule.startswith(
        "It decides with 25% (part 1): it holds QQQ, always; with 25% (part 2): it holds cash"
    )
