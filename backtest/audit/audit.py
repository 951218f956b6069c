"""Audit: does a strategy read the future? Cut it off, replace it, and see whether anything before it changes.

The flow: config -> market -> decision, again and again with other futures -> AUDIT -> report of the first difference.
What is compared must be equal to the last bit. A sum taken in another order (a matrix product of the whole history,
say) differs in the last digit without looking ahead; `was` and `became` show every digit, so that this can be told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.account.plan import Terms
from backtest.audit.clocks import challenge_clocks
from backtest.audit.findings import AuditReport, LookAhead, Method
from backtest.audit.poison import cut, poison
from backtest.audit.replay import Event, Replay, replay
from backtest.decision import Decision
from backtest.errors import RunError
from backtest.market import Legs, Market
from backtest.pipeline import decide, is_rotation, legs_of

if TYPE_CHECKING:
    from backtest.config import Config

Rows = npt.NDArray[np.int64]
Progress = Callable[[int, int], None]
"""Called with the number of sessions checked and of all."""

LEAST_SESSIONS = 120
SEED = 20240716
POISONED_SESSIONS = 21
"""A run on a replaced future ends so many sessions after the cut: what looks further ahead breaks when cut off."""

MISSING, GIVEN = "nothing", "given"


def audit(
    config: Config,
    strategies: Mapping[str, type],
    *,
    market: Market | None = None,
    progress: Progress | None = None,
    sessions: int = LEAST_SESSIONS,
) -> AuditReport:
    """Cut off and replace the future at every decision of a config's strategy; any change before it is a finding.

    Checked are the sessions of the test at which the decision changes, the session before each, and random others
    until there are `sessions` (all, if there are fewer). A strategy that trades in its own `next` is checked at the
    sessions with an order and random others, `sessions` in all, since each takes two runs of the engine.
    The clock of each series that it used is challenged as well.
    market: use this one instead of loading config.data.
    Raises what the strategy itself raises on the whole market.
    """
    if market is None:
        from backtest.data import load_market

        market = load_market(config)
    strategy = strategies[config.strategy.name]
    examine = _audit_decide if is_rotation(strategy) else _audit_next
    report = examine(config, market, strategy, sessions, progress or (lambda done, of: None))
    return dataclasses.replace(report, clocks=challenge_clocks(config, strategies, market))


def _audit_decide(config: Config, market: Market, strategy: Any, least: int, progress: Progress) -> AuditReport:
    """A vectorised strategy: `decide` on other futures must give the same rows up to the cut."""
    begin = int(market.sessions.searchsorted(pd.Timestamp(config.data.start)))
    middle = (begin + len(market.sessions)) // 2
    legs = legs_of(config)
    findings: list[LookAhead] = []
    early = _before_the_rest(config, market, strategy, middle, findings)
    whole = decide(config, market, strategy)
    findings += differences(whole, early, legs, market.sessions[: middle + 1], "cut") if early else []
    decided = changes(whole)
    decided = decided[(decided >= begin) & (decided < len(market.sessions) - 1)]
    rows = _rows_to_check(np.union1d(decided, decided - 1), begin, len(market.sessions) - 1, least)
    for done, row in enumerate(rows.tolist(), start=1):
        session = market.sessions[row]
        futures: tuple[tuple[Method, Market], ...] = (
            ("cut", cut(market, session)),
            ("poison", poison(market, session, SEED)),
        )
        for method, other in futures:
            try:
                again = decide(config, other, strategy)
                findings += differences(whole, again, legs, market.sessions[: row + 1], method)
            except Exception as error:  # a user's code may raise anything
                findings.append(broken(session, session, method, error))
        progress(done, len(rows))
    checked = len(np.intersect1d(decided, rows))
    return AuditReport(config.strategy.name, len(rows), len(rows), len(rows), len(decided), checked, tuple(findings))


def _before_the_rest(
    config: Config, market: Market, strategy: Any, row: int, findings: list[LookAhead]
) -> Decision | None:
    """The decision on a cut market, asked for before the whole one was seen: code that remembers cannot know it yet."""
    session = market.sessions[row]
    try:
        return decide(config, cut(market, session), strategy)
    except Exception as error:  # a user's code may raise anything
        findings.append(broken(session, session, "cut", error))
        return None


def changes(decision: Decision) -> Rows:
    """Rows whose decision is not that of the row before; the first known one is a change from not known."""
    shares = decision.by_leg
    is_new = (shares[1:] != shares[:-1]) & ~(np.isnan(shares[1:]) & np.isnan(shares[:-1]))
    return np.flatnonzero(is_new.any(axis=1)) + 1


def _rows_to_check(decided: Rows, begin: int, end: int, least: int, most: int | None = None) -> Rows:
    """Rows in [begin, end): the decided ones (`most` of them at random), and random others until there are `least`."""
    if begin >= end:
        raise RunError("audit: no session of the test is followed by another: nothing can be checked")
    rng = np.random.default_rng(SEED)
    chosen = decided[(decided >= begin) & (decided < end)]
    if most is not None and len(chosen) > most:
        chosen = rng.choice(chosen, most, replace=False)
    others = np.setdiff1d(np.arange(begin, end), chosen)
    added = rng.choice(others, min(max(least - len(chosen), 0), len(others)), replace=False)
    return np.union1d(chosen, added).astype(np.int64)


def differences(
    whole: Decision, again: Decision, legs: Legs, known: pd.DatetimeIndex, method: Method
) -> Iterator[LookAhead]:
    """What differs on the sessions `known`, the last of which is the cut: decision, evidence, the reason given last."""
    before, after = series_of(whole, legs), series_of(again, legs)
    for what in dict.fromkeys((*before, *after)):
        if what not in before or what not in after:
            was, became = (GIVEN if what in side else MISSING for side in (before, after))
            yield LookAhead(known[-1], method, known[0], what, was, became)
            continue
        one, other = before[what][: len(known)], after[what][: len(known)]
        differs = (one != other) & ~(np.isnan(one) & np.isnan(other))
        if differs.any():
            row = int(np.argmax(differs))
            yield LookAhead(known[-1], method, known[row], what, _number(one[row]), _number(other[row]))
    was, became = whole.why(len(known) - 1, legs), again.why(len(known) - 1, legs)
    if was != became:
        yield LookAhead(known[-1], method, known[-1], "reason", was, became)


def series_of(decision: Decision, legs: Legs) -> dict[str, npt.NDArray[np.float64]]:
    """All that a decision says, by what it is called in a finding."""
    series = {f"share_{name}": share for name, share in zip(legs.names, decision.by_leg.T, strict=True)}
    for leg, inside in (decision.within or {}).items():
        series |= {f"weight of {ticker} in {leg}": values for ticker, values in inside.items()}
    for evidence in decision.evidence:
        series[f"evidence {evidence.name}"] = np.asarray(evidence.values, dtype=np.float64)
        if evidence.leans is not None:
            series[f"evidence {evidence.name}, its side"] = np.asarray(evidence.leans, dtype=np.float64)
    return series


def _number(value: float) -> str:
    return "not known" if np.isnan(value) else repr(float(value))


def broken(session: pd.Timestamp, where: pd.Timestamp, method: Method, error: Exception) -> LookAhead:
    """A run that broke off on another future."""
    said = f"{type(error).__name__}: {error}"
    if method == "cut" and isinstance(error, IndexError | KeyError):
        said += " (it reads beyond the last session)"
    return LookAhead(session, method, where, "run", "complete", said)


def _audit_next(config: Config, market: Market, strategy: type, least: int, progress: Progress) -> AuditReport:
    """A next()-style strategy: runs on other futures must create the same orders and have the same fills and equity."""
    start = pd.Timestamp(config.data.start)
    tickers = legs_of(config).tickers
    begin = int(market.sessions.searchsorted(start))

    def run(other: Market) -> Replay:
        return replay(strategy, config.strategy.params.model_dump(), other, tickers, start, Terms.of(config))

    whole = run(market)
    findings = list(_crash_of_whole(whole))
    decided = np.unique([(event.half - 1) // 2 for event in whole.orders]).astype(np.int64)
    decided = decided[(decided >= whole.warm_up) & (decided < len(whole.sessions) - 1)]
    rows = _rows_to_check(decided, whole.warm_up, len(whole.sessions) - 1, least, most=least)
    trades_at_open = any(event.half % 2 == 0 for event in whole.orders)
    poisons = 0
    for done, row in enumerate(rows.tolist(), start=1):
        session = whole.sessions[row]
        findings += _compare(whole, run(cut(market, session)), row, "cut")
        near = cut(market, market.sessions[min(begin + row + POISONED_SESSIONS, len(market.sessions) - 1)])
        for keeps_next_open in (False, True)[: 1 + trades_at_open]:
            other = run(poison(near, session, SEED, keeps_next_open=keeps_next_open))
            findings += _compare(whole, other, row, "poison", knows_next_open=keeps_next_open)
            poisons += 1
        progress(done, len(rows))
    checked = len(np.intersect1d(decided, rows))
    return AuditReport(config.strategy.name, len(rows), len(rows), poisons, len(decided), checked, tuple(findings))


def _crash_of_whole(whole: Replay) -> Iterator[LookAhead]:
    """A run that reads one row too far at its very end looks ahead; any other crash is the strategy's own."""
    if whole.crash is None:
        return
    last = len(whole.sessions) - 1
    if not isinstance(whole.crash, IndexError) or whole.crash_row < last or whole.warm_up > last:
        raise whole.crash
    yield broken(whole.sessions[last], whole.sessions[last], "cut", whole.crash)


def _compare(
    whole: Replay, other: Replay, row: int, method: Method, *, knows_next_open: bool = False
) -> Iterator[LookAhead]:
    """What differs up to the close of `row`, or up to the open after it."""
    session = whole.sessions[row]
    last_half = 2 * row + 1 + knows_next_open
    if other.crash is not None and other.crash_row <= row:
        yield broken(session, whole.sessions[other.crash_row], method, other.crash)
        return
    for what, before, after in (
        ("order", whole.orders, other.orders),
        ("fill", whole.fills, other.fills),
        ("equity", whole.equity, other.equity),
    ):
        one, two = _until(before, last_half), _until(after, last_half)
        if one != two:
            place = next((i for i, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
            was, became = one[place : place + 1], two[place : place + 1]
            first = min(event.half for event in (*was, *became)) // 2
            yield LookAhead(session, method, whole.sessions[first], what, _text(was), _text(became))


def _until(events: Sequence[Event], last_half: int) -> list[Event]:
    return [event for event in events if event.half <= last_half]


def _text(events: Sequence[Event]) -> str:
    return events[0].text if events else MISSING
