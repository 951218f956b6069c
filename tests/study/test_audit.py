"""The audit finds every planted cheat, and nothing in strategies that are honest."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import cheats
import numpy as np
import pandas as pd
import pytest
import worlds

from backtest.account import run_kernel
from backtest.audit.audit import audit
from backtest.audit.findings import AuditReport
from backtest.audit.poison import EXEMPT, cut, poison
from backtest.config import Config, config_from_text
from backtest.errors import RunError
from backtest.market import Market
from backtest.pipeline import decide, is_rotation, plan_of
from strategies import REGISTRY

LEGS = {"growth": {"QQQ": 1.0}, "small": {"IWM": 1.0}}
"""Half the tickers: a run of backtrader takes half the time."""

IWM_LEADS = {"signal": "lead", "lookback_sessions": 5, "of": "IWM", "over": "QQQ"}


@pytest.fixture(scope="module")
def market() -> Market:
    """700 sessions, a policy decision about every sixth."""
    return worlds.rotation_market(7)


def config_of(strategies: dict[str, Any], name: str, market: Market, *, last: int = 0, **params: Any) -> Config:
    """A config of one strategy on `market`; last: test only so many sessions at its end."""
    start = f"{market.sessions[-last]:%Y-%m-%d}"
    return make_config(strategies, name, params, start, {"source": "sample"}, legs=LEGS)


def make_config(
    strategies: dict[str, Any], name: str, params: dict[str, Any], start: str, prices: dict[str, str], **more: Any
) -> Config:
    given = {
        "name": "audited",
        "data": {"prices": prices, "start": start},
        "strategy": {"name": name, "params": params},
        "execution": {"commission_bps": 1, "slippage_bps": 4},
    }
    return config_from_text(json.dumps(given | more), strategies=strategies)


def audited(
    strategies: dict[str, Any], name: str, market: Market, *, sessions: int = 120, last: int = 0, **params: Any
) -> AuditReport:
    config = config_of(strategies, name, market, last=last, **params)
    return audit(config, strategies, market=market, sessions=sessions)


# ------------------------------------------------------------------------------------------------- cheats


@pytest.fixture(scope="module")
def caught(market: Market) -> dict[str, AuditReport]:
    """The audit of each planted cheat on the 700 sessions; of the next()-style one on the last 150, to save time."""
    reports = {}
    for name, cheat in cheats.CHEATS.items():
        sessions, last = (60, 0) if is_rotation(cheat) else (30, 150)
        reports[name] = audited(cheats.CHEATS, name, market, sessions=sessions, last=last)
    return reports


@pytest.mark.parametrize(
    ("name", "methods"),
    [
        ("close_tomorrow", {"cut", "poison"}),
        ("shifted_back", {"cut", "poison"}),
        ("full_sample_score", {"cut", "poison"}),
        ("week_labelled_left", {"cut", "poison"}),
        ("month_average_dated_first", {"cut", "poison"}),
        ("knows_the_last_date", {"cut"}),
    ],
)
def test_each_planted_cheat_is_caught(name: str, methods: set[str], caught: dict[str, AuditReport]) -> None:
    report = caught[name]

    assert not report.ok
    assert {finding.method for finding in report.findings} == methods
    assert ("order" if name == "close_tomorrow" else "share_small") in {finding.what for finding in report.findings}


def test_either_method_alone_would_miss_a_cheat(caught: dict[str, AuditReport]) -> None:
    last_date, month_average = caught["knows_the_last_date"], caught["month_average_dated_first"]

    assert last_date.caught("cut") >= last_date.sessions_checked - 1
    assert last_date.caught("poison") == 0
    assert month_average.caught("poison") > 4 * month_average.caught("cut"), "a cut month looks like itself"


def test_a_run_that_breaks_on_the_last_session_is_a_finding_not_a_crash(market: Market) -> None:
    report = audited(cheats.MORE_CHEATS, "close_tomorrow_unguarded", market, sessions=10, last=80)

    broken = [finding for finding in report.findings if finding.what == "run"]
    assert len(broken) == 11, "each cut, and the whole test at its own end"
    assert broken[0].first_changed == broken[0].session_cut == market.sessions[-1]
    assert "reads beyond the last session" in broken[0].became


def test_a_line_moved_forward_before_the_run_is_caught(market: Market) -> None:
    report = audited(cheats.MORE_CHEATS, "forward_line", market, sessions=12, last=60)

    assert report.caught("cut") > 0
    assert report.caught("poison") > 0


@pytest.mark.parametrize("name", ["close_at_its_own_open", "target_percent_at_the_open"])
def test_reading_the_close_at_the_open_is_caught_by_keeping_that_open(name: str, market: Market) -> None:
    report = audited(cheats.MORE_CHEATS, name, market, sessions=12, last=60)

    assert report.poisons == 2 * report.cuts
    assert {finding.what for finding in report.findings} == {"order"}
    following = market.sessions.get_indexer([finding.session_cut for finding in report.findings]) + 1
    assert [finding.first_changed for finding in report.findings] == list(market.sessions[following])


def test_evidence_is_audited_as_well_as_the_decision(market: Market) -> None:
    report = audited(cheats.MORE_CHEATS, "hindsight_in_evidence", market, last=100)

    assert {finding.what for finding in report.findings} == {"evidence lead scaled"}


def test_the_first_line_names_the_first_session_that_changes(caught: dict[str, AuditReport]) -> None:
    report = caught["shifted_back"]
    first, *more = report.lines()

    earliest = min(finding.first_changed for finding in report.findings)
    assert first == f"shifted_back: {earliest:%Y-%m-%d} is the first session that changes with what comes after it"
    assert f"with all after {earliest:%Y-%m-%d} cut off: not known" in more[0]


# ------------------------------------------------------------------------------------------------- honest strategies

VARIANTS = [
    ("rate_cut", {"hold_sessions": 20}),
    ("rate_cut", {"hold_sessions": 3, "min_cut_bps": 50}),
    ("relative_momentum", {"lookback_sessions": 5}),
    ("relative_momentum", {"lookback_sessions": 20, "threshold": 0.02, "decide": "weekly"}),
    ("relative_momentum", {"lookback_sessions": 40, "decide": "monthly"}),
    ("rate_cut_momentum", {"hold_sessions": 30, "lookback_sessions": 10}),
    ("rate_cut_momentum", {"hold_sessions": 5, "lookback_sessions": 30, "decide": "weekly", "combine": "any"}),
    ("static_mix", {}),
    ("rules", {"hold": ({"leg": "small", "when": IWM_LEADS}, {"leg": "growth"})}),
    ("rank", {"lookback_sessions": (10,), "decide": "weekly"}),
    (
        "parts",
        {
            "parts": (
                {"share": 0.5, "rank": {"lookback_sessions": 10, "decide": "weekly"}},
                {"share": 0.5, "leg": "small"},
            )
        },
    ),
]


def test_every_shipped_strategy_is_among_the_audited() -> None:
    assert {name for name, _ in VARIANTS} == set(REGISTRY)


FIRST = [next(each for each in VARIANTS if each[0] == name) for name in REGISTRY]
"""One of each strategy, by default on the last 250 sessions; all of them on the whole market are behind `slow`."""

WHOLE = 700


@pytest.mark.parametrize(
    ("name", "params", "last"),
    [*[(*each, 250) for each in FIRST], *[pytest.param(*each, WHOLE, marks=pytest.mark.slow) for each in VARIANTS]],
)
def test_shipped_strategies_read_nothing_that_comes_later(
    name: str, params: dict[str, Any], last: int, market: Market
) -> None:
    sessions = 120 if last == WHOLE else 40
    report = audited(REGISTRY, name, market, sessions=sessions, last=last, **params)

    assert report.ok, report.lines()
    assert report.sessions_checked >= sessions
    assert report.decisions_checked == report.decisions
    least = 20 if last == WHOLE else 5
    assert report.decisions > least or name == "static_mix" or params.get("decide") == "monthly"


def test_an_honest_next_style_strategy_is_clean_at_a_hundred_sessions(market: Market) -> None:
    report = audited(cheats.HONEST, "honest_next", market, sessions=100, last=115)

    assert report.ok, report.lines()
    assert report.sessions_checked == 100
    assert report.decisions_checked == report.decisions > 10


def test_an_honest_trade_at_the_open_is_clean(market: Market) -> None:
    report = audited(cheats.HONEST, "open_at_its_own_open", market, sessions=12, last=60)

    assert report.ok, report.lines()
    assert report.decisions_checked == 12 < report.decisions, "the cap, told in the report"


@pytest.mark.parametrize("rebalance", ["on_change", "monthly", {"drift": 0.02}])
def test_fills_and_equity_do_not_change_with_what_comes_after(rebalance: Any, market: Market) -> None:
    start = f"{market.sessions[0]:%Y-%m-%d}"
    execution = {"commission_bps": 1, "slippage_bps": 4, "rebalance": rebalance}
    params = {"lookback_sessions": 5}
    config = make_config(REGISTRY, "relative_momentum", params, start, {"source": "sample"}, execution=execution)
    strategy = REGISTRY["relative_momentum"]
    whole = run_kernel(plan_of(config, market, decide(config, market, strategy)))

    for row in range(3, 699, 29):
        session = market.sessions[row]
        for other in (cut(market, session), poison(market, session, seed=1)):
            books = run_kernel(plan_of(config, other, decide(config, other, strategy)))
            known = int((whole.fills.row <= row).sum())
            assert (books.equity[: row + 1] == whole.equity[: row + 1]).all()
            assert int((books.fills.row <= row).sum()) == known
            assert (books.fills.size[:known] == whole.fills.size[:known]).all()


@pytest.mark.parametrize("left", [49, 0])
def test_a_crash_of_the_strategy_itself_is_raised(left: int, market: Market) -> None:
    class Broken(cheats.Rotation):
        """Divides by nothing when so many sessions are left."""

        def next(self) -> None:
            if self.datas[0].buflen() - len(self) == left:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        audited({"broken": Broken}, "broken", market, last=50)


def test_a_test_of_one_session_cannot_be_audited(market: Market) -> None:
    with pytest.raises(RunError, match="nothing can be checked"):
        audited(REGISTRY, "static_mix", market, last=1)


def test_progress_counts_to_the_end(market: Market) -> None:
    seen: list[tuple[int, int]] = []
    config = config_of(REGISTRY, "static_mix", market)
    audit(config, REGISTRY, market=market, progress=lambda done, of: seen.append((done, of)))

    assert seen == [(done, 120) for done in range(1, 121)]


# ------------------------------------------------------------------------------------------------- other futures


def before_and_after(name: str, market: Market, session: pd.Timestamp) -> tuple[Any, Any]:
    """A field's values up to a session, and those that became knowable later."""
    value = getattr(market, name)
    if name == "series":
        value = pd.concat([one.frame.assign(of=series) for series, one in sorted(value.items())])
    if name in ("policy", "series"):
        is_known = value["session"] <= session
        return value[is_known].reset_index(drop=True), value[~is_known].reset_index(drop=True)
    return value.loc[:session], value.loc[session:].iloc[1:]


def fields_of(market: Market) -> list[str]:
    return [field.name for field in dataclasses.fields(market) if field.name not in EXEMPT]


@pytest.mark.parametrize("row", [0, 350, 690])
def test_poison_changes_every_field_after_the_session_and_none_before(row: int, market: Market) -> None:
    session = market.sessions[row]
    other = poison(market, session, seed=1)

    assert other.sessions.equals(market.sessions)
    for name in fields_of(market):
        assert getattr(market, name) is not None, f"the market of this test has no {name}: give it one"
        was, later = before_and_after(name, market, session)
        became, others = before_and_after(name, other, session)
        assert became.equals(was), name
        is_table = name in ("policy", "series")
        assert others.dtypes.equals(later.dtypes) if is_table else others.shape == later.shape
        assert len(others) > 0
        assert not others.equals(later), name


def test_every_price_is_another_and_positive(market: Market) -> None:
    session = market.sessions[500]
    other = poison(market, session, seed=1)

    for name in ("open", "close", "raw_open", "raw_close"):
        _, was = before_and_after(name, market, session)
        _, became = before_and_after(name, other, session)
        assert (became.to_numpy() > 0.0).all()
        assert np.isfinite(became.to_numpy()).all()
        assert (became.to_numpy() != was.to_numpy()).all()
    assert other.tbill is not None
    assert (other.tbill >= 0.0).all()


def test_the_next_open_can_be_kept_and_nothing_else(market: Market) -> None:
    session, following = market.sessions[500], market.sessions[501]
    other = poison(market, session, seed=1, keeps_next_open=True)

    assert other.open.loc[:following].equals(market.open.loc[:following])
    assert (other.close.loc[following] != market.close.loc[following]).all()
    assert (other.open.iloc[502:].to_numpy() != market.open.iloc[502:].to_numpy()).all()


def test_other_policy_decisions_are_soon_lead_from_one_to_the_next_and_are_legal(market: Market) -> None:
    for row in range(5, 690, 15):
        policy = poison(market, market.sessions[row], seed=1).policy
        _, later = before_and_after("policy", poison(market, market.sessions[row], seed=1), market.sessions[row])
        assert policy["session"].is_monotonic_increasing
        assert market.sessions.get_loc(later["session"].iloc[0]) <= row + 3
        step = policy["upper"].diff().iloc[-len(later) :] * 100
        assert step.to_numpy() == pytest.approx(later["change_bps"].to_numpy())
        assert (later["upper"] >= later["lower"]).all()
        assert (later["lower"] >= 0.0).all()


def test_a_seed_gives_the_same_noise_again(market: Market) -> None:
    session = market.sessions[100]
    one, same, another = (poison(market, session, seed=seed) for seed in (1, 1, 2))

    assert one.close.equals(same.close)
    assert one.policy.equals(same.policy)
    assert not one.close.equals(another.close)


def test_a_ticker_that_does_not_trade_yet_stays_unknown(market: Market) -> None:
    close = market.close.copy()
    close.iloc[:400, 0] = np.nan
    other = poison(dataclasses.replace(market, close=close), market.sessions[200], seed=1)

    assert other.close.isna().equals(close.isna())


def test_a_cut_leaves_nothing_later_in_any_field(market: Market) -> None:
    session = market.sessions[350]
    known = cut(market, session)

    for name in fields_of(market):
        was, _ = before_and_after(name, market, session)
        became, later = before_and_after(name, known, session)
        assert became.equals(was), name
        assert len(later) == 0, name
    assert known.exchange_sessions[-1].year == session.year + 1
    assert known.sources == known.notes == ()


def test_a_new_field_of_a_market_is_poisoned_or_refused(market: Market) -> None:
    grown = dataclasses.make_dataclass("Grown", [("news", Any, None)], bases=(Market,), frozen=True, slots=True)
    fields = {field.name: getattr(market, field.name) for field in dataclasses.fields(market) if field.init}
    session = market.sessions[300]

    yields = pd.Series(np.linspace(-0.01, 0.04, len(market.sessions)), market.sessions)
    other = poison(grown(**fields, news=yields), session, seed=1)
    assert other.news[:session].equals(yields[:session])
    assert (other.news[session:].iloc[1:] != yields[session:].iloc[1:]).all()

    with pytest.raises(TypeError, match=r"Market\.news"):
        poison(grown(**fields, news={"released": "later"}), session, seed=1)


def test_what_is_exempt_is_a_field_with_a_reason() -> None:
    assert set(EXEMPT) < {field.name for field in dataclasses.fields(Market)}
    assert all(EXEMPT.values())


# ------------------------------------------------------------------------------------------------- full counts


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_full_counts_on_other_markets(seed: int) -> None:
    market = worlds.rotation_market(seed)
    every = {**cheats.CHEATS, **cheats.MORE_CHEATS}
    for name, cheat in every.items():
        assert not audited(every, name, market, last=0 if is_rotation(cheat) else 70).ok, name
    for name, params in VARIANTS:
        report = audited(REGISTRY, name, market, sessions=300, **params)
        assert report.ok, report.lines()
        assert report.sessions_checked >= 300
    for name in cheats.HONEST:
        assert audited(cheats.HONEST, name, market, last=70).ok, name


@pytest.mark.slow
@pytest.mark.parametrize("name", list(REGISTRY))
def test_shipped_strategies_are_clean_on_real_prices(name: str, real_data: Path) -> None:
    from backtest.data import load_market

    prices = {"source": "csv", "folder": str(real_data / "prices")}
    params = dict(VARIANTS)["rules"] if name == "rules" else {}  # a rule has no default
    config = make_config(REGISTRY, name, params, "2001-07-31", prices)
    report = audit(config, REGISTRY, market=load_market(config))

    assert report.ok, report.lines()
    assert report.sessions_checked >= 120
