"""The search behind what is shown: the one place where trials are counted and luck is judged, for every command.

    curves of a command -> recorded in the LEDGER -> with every curve known there -> a finding each -> SEARCH

run, compare, sweep and walk-forward ask here and nowhere else, so that one curve has one answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from backtest.account import run_kernel
from backtest.account.benchmarks import legs_plan
from backtest.account.plan import Plan, Terms
from backtest.config import Config
from backtest.market import Floats, Market
from backtest.metrics import exposures_in
from backtest.result import Result
from backtest.signals.policy import CYCLE_GAP_DAYS, first_cuts
from backtest.statistics.findings import Finding, findings, while_known
from backtest.statistics.search import HISTORIES, MOST_CURVES, Curves, active_sessions, add_up
from backtest.statistics.sharpe import Trials
from backtest.store.ledger import FILE, Ledger, Remembered
from backtest.store.provenance import sha256_text
from backtest.store.trials import Batch, used_hash
from backtest.study.question import trial_hash
from backtest.units import MONTHS_PER_YEAR

ORIGIN = pd.Timestamp("1993-01-04")
"""The session that block 0 begins with: every market's calendar reaches back to it."""

MONTH_PLACES = 21
"""A monthly market has one row in each block."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Curves of one command on the same sessions.

    sessions: base row first. returns: (sessions - 1 x curves). benchmark: returns of the first one on each curve's own
    terms, in the same shape or (sessions - 1 x 1), None without. mixes: of each curve's own average mix at the same
    costs, in the shape of returns. names, questions: one a curve; a question is the hash of what was asked, whatever
    it is called. cycles: easing cycles that a cut-driven curve has seen, None for any other. known: sessions on which
    all evidence of a curve was known, None for all. is_large: one of so many that their daily returns are not kept.
    """

    market: Market
    sessions: pd.DatetimeIndex
    command: str
    study: str
    names: tuple[str, ...]
    questions: tuple[str, ...]
    returns: Floats
    mixes: Floats
    benchmark: Floats | None
    benchmark_name: str | None
    cycles: tuple[int | None, ...] = ()
    known: tuple[slice | None, ...] = ()
    is_large: bool = False

    @property
    def active(self) -> Floats:
        """Returns over the benchmark's; without one, over the curve's own mix, by which it is then known."""
        return self.returns - (self.mixes if self.benchmark is None else self.benchmark)

    @property
    def timing(self) -> Floats:
        """Returns over the curve's own mix."""
        return self.returns - self.mixes


@dataclass(frozen=True, eq=False)
class Search:
    """What is said of luck for the shown curves, one finding each.

    trials: distinct accounts known, the shown ones among them; here: those of this command. annual: how many, and mean
    and variance of the annual active ratios of those on the same sessions. has_ledger: whether anything but this
    command's curves was known. forgotten: trials that the user made the ledger forget. damaged: what could not be read
    of it. used: sha256 of the identities of all trials used, and of what is told of the ledger. length: trials of the
    whole ledger; lost: how many more a result says there were. group: the user's, to which the study belongs, "" for
    none; outside: trials that are known but not in it. copy: the part of the ledger that was used, as a ledger.
    """

    findings: tuple[Finding, ...]
    trials: int
    here: int
    annual: Trials
    has_ledger: bool
    forgotten: int
    damaged: tuple[str, ...]
    used: str
    length: int = 0
    lost: int = 0
    group: str = ""
    outside: int = 0
    copy: bytes = field(default=b"", repr=False, compare=False)

    @property
    def elsewhere(self) -> int:
        """Trials of earlier commands."""
        return self.trials - self.here

    def per_session(self, periods_per_year: int) -> Trials:
        """`annual` with ratios per session."""
        return Trials(self.trials, self.annual.mean / periods_per_year**0.5, self.annual.variance / periods_per_year)


def search(
    shown: Shown,
    path: Path | None,
    tried: Iterable[Shown] = (),
    remembered: NDArray[np.uint64] | None = None,
    recorded: int = 0,
) -> Search:
    """Record the shown curves and judge them in the light of all that are known.

    path: the ledger, None to keep none: then this command's curves are all there is. tried: curves of the same command
    that are not shown, in tables of any sessions. recorded: the most trials that a result says its ledger had; with
    fewer now, the ledger was deleted, or it is another one, which is told. remembered: identities of curves of the same
    command that it has put into the ledger already. The answer does not depend on whether the
    curves were known before, nor on what is shown beside. Raises WriteError when the ledger cannot be kept.
    """
    with _kept(path) as ledger:
        here = [ledger.record(batch_of(each))[0] for each in tried]
        here += [] if remembered is None else [remembered]
        batch = batch_of(shown)
        keys, _ = ledger.record(batch)
        group = ledger.groups.get(batch.study, "")
        known_ahead, known_timing = ledger.known(batch.context, group)
        ahead = batch.ahead.keyed(keys)
        found = findings(
            None if shown.benchmark is None else ahead,
            batch.timing,
            active_sessions(batch.active),
            shown.market.periods_per_year,
            known_ahead,
            known_timing,
            shown.cycles or None,
            HISTORIES,
        )
        if shown.known:
            each = zip(found, batch.active.T, shown.known, strict=True)
            found = [while_known(*own, shown.market.periods_per_year) for own in each]
        known = np.unique(np.concatenate([keys, *(group.keys for group in known_ahead)]))
        ratios = _ratios(ahead, known_ahead) * (shown.market.periods_per_year / len(batch.active)) ** 0.5
        lost = max(0, recorded - len(ledger) - ledger.forgotten)
        every = ledger.known(batch.context)[0] if group else known_ahead
        outside = len(np.unique(np.concatenate([known, *(each.keys for each in every)]))) - len(known)
        told = [path is not None, ledger.forgotten, lost, ledger.damaged, group, outside]
        return Search(
            findings=tuple(found),
            trials=len(known),
            here=len(np.unique(np.concatenate([keys, *here]))),
            annual=Trials(len(known), float(ratios.mean()), float(ratios.var(ddof=1)) if len(ratios) > 1 else 0.0),
            has_ledger=path is not None,
            forgotten=ledger.forgotten,
            damaged=tuple(ledger.damaged),
            used=sha256_text(f"{used_hash([known])} {told}"),
            length=len(ledger),
            lost=lost,
            group=group,
            outside=outside,
            copy=ledger.copy(batch.context, group, batch.ahead.first, batch.ahead.last),
        )


@contextmanager
def _kept(path: Path | None) -> Iterator[Ledger]:
    """The ledger; where none is kept, one that is forgotten at once."""
    if path is not None:
        yield Ledger(path)
        return
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Ledger(Path(folder) / FILE)


def _ratios(ahead: Curves, known: Sequence[Remembered]) -> Floats:
    """T of every distinct curve on the shown sessions (of very many, of as many as a family may have)."""
    groups = [ahead]
    for group in known:
        if (group.first, group.last) == (ahead.first, ahead.last):
            groups.append(group.take(np.argsort(group.keys, kind="stable")[:MOST_CURVES]))
    _, one = np.unique(np.concatenate([group.keys for group in groups]), return_index=True)
    return np.concatenate([group.t for group in groups])[one]


def batch_of(shown: Shown) -> Batch:
    """The curves as the ledger keeps them."""
    places = calendar_places(shown.sessions[1:], shown.market)
    active = shown.active
    return Batch(
        prices="simulated" if shown.market.is_simulated else "real",
        command=shown.command,
        study=shown.study,
        benchmark=shown.benchmark_name or "",
        begin=f"{shown.sessions[0]:%Y-%m-%d}",
        end=f"{shown.sessions[-1]:%Y-%m-%d}",
        periods_per_year=shown.market.periods_per_year,
        names=shown.names,
        questions=shown.questions,
        ahead=add_up(active if shown.benchmark is not None else np.zeros_like(active), places),
        timing=add_up(shown.timing, places),
        active=active,
        is_large=shown.is_large,
    )


def shown_run(result: Result) -> Shown:
    """A single run as it is shown: with its first benchmark, and the mix of its own average holdings at its costs."""
    config, first = result.config, next(iter(result.benchmarks), None)
    return Shown(
        market=result.market,
        sessions=result.sessions,
        command="run",
        study=config.name,
        names=(config.name,),
        questions=(trial_hash(config),),
        returns=_returns(result.books.equity),
        mixes=_returns(run_kernel(own_mix(result)).equity),
        benchmark=None if first is None else _returns(result.benchmarks[first].equity),
        benchmark_name=first,
        cycles=(cycles_seen(config, result.market, result.sessions),),
        known=(result.decision.evidence_rows(result.begin),),
    )


def cycles_seen(config: Config, market: Market, sessions: pd.DatetimeIndex) -> int | None:
    """Easing cycles that began in the test, for a rule whose parameters speak of cuts; None for any other."""
    return len(cycle_starts(market, sessions)) if is_cut_driven(config) else None


def is_cut_driven(config: Config) -> bool:
    """Do a rule's parameters or its signals speak of cuts?"""
    return _speaks_of_cuts(config.strategy.params)


def _speaks_of_cuts(value: object) -> bool:
    """By names of fields and of signals alone: what a user calls his legs and entries says nothing of the rule."""
    if isinstance(value, BaseModel):
        return any(
            "cut" in name or (name == "signal" and ("cut" in each or each == "easing_cycle")) or _speaks_of_cuts(each)
            for name, each in value
        )
    if isinstance(value, Mapping):
        return any(map(_speaks_of_cuts, value.values()))
    return isinstance(value, list | tuple) and any(map(_speaks_of_cuts, value))


def cycle_starts(market: Market, sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Sessions of the first cut of each easing cycle that began in the test.

    A cycle begins with a cut after a rise, or after CYCLE_GAP_DAYS without one.
    """
    moved = market.policy[(market.policy["change_bps"] != 0) & market.policy["session"].notna()]
    days = moved["date"].to_numpy().astype("datetime64[D]")
    is_first = first_cuts(moved["change_bps"].to_numpy() < 0, days, CYCLE_GAP_DAYS)
    began = pd.DatetimeIndex(moved["session"])[is_first]
    return pd.DatetimeIndex(began[(began >= sessions[0]) & (began < sessions[-1])])


def own_mix(result: Result) -> Plan:
    """The mix of a run's average shares of the legs and of cash, rebalanced monthly on its own terms."""
    start, terms = pd.Timestamp(result.config.data.start), Terms.of(result.config)
    shares = exposures_in(result.metrics, result.legs)
    return legs_plan(result.market, result.legs, shares, start, terms)


def _returns(equity: Floats) -> Floats:
    """(sessions - 1 x 1); a ruined account stays where it is."""
    before = equity[:-1]
    return np.divide(equity[1:], before, out=np.ones_like(before), where=before > 0)[:, None] - 1.0


def calendar_places(sessions: pd.DatetimeIndex, market: Market) -> np.typing.NDArray[np.int64]:
    """Place of each session in the exchange's calendar, counted from ORIGIN; a month's row stands for its block."""
    if market.is_monthly:
        return np.asarray((sessions.year * MONTHS_PER_YEAR + sessions.month) * MONTH_PLACES, dtype=np.int64)
    calendar = market.exchange_sessions
    if calendar[0] <= ORIGIN:
        return np.asarray(calendar.searchsorted(sessions) - calendar.searchsorted(ORIGIN), dtype=np.int64)
    days = sessions.to_numpy().astype("datetime64[D]")  # a made-up market: weekdays stand for sessions
    return np.asarray(np.busday_count(ORIGIN.to_datetime64().astype("datetime64[D]"), days), dtype=np.int64)
