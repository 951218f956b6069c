"""The search behind what is shown: the one place where trials are counted and luck is judged, for every command.

    curves of a command -> recorded in the LEDGER -> with every curve known there -> a finding each -> SEARCH

run, compare, sweep and walk-forward ask here and nowhere else, so that one curve has one answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtest.account import run_kernel
from backtest.account.benchmarks import exposure_weights, mix_plan
from backtest.account.plan import Plan, Terms
from backtest.config import Config
from backtest.market import Floats, Market
from backtest.result import Result, average_exposures
from backtest.statistics.findings import Finding, findings
from backtest.statistics.search import HISTORIES, active_sessions, add_up
from backtest.store.ledger import Batch, Ledger, identities, used_hash
from backtest.store.trial_ledger import trial_hash
from backtest.study.curves import NO_CASH
from backtest.units import MONTHS_PER_YEAR

ORIGIN = pd.Timestamp("1993-01-04")
"""The session that block 0 begins with: every market's calendar reaches back to it."""

CYCLE_GAP_DAYS = 270
"""Calendar days without a cut after which the next one begins an easing cycle."""

MONTH_PLACES = 21
"""A monthly market has one row in each block."""


@dataclass(frozen=True, eq=False)
class Shown:
    """Curves of one command on the same sessions.

    sessions: base row first. returns: (sessions - 1 x curves). benchmark: returns of the first one on each curve's own
    terms, in the same shape or (sessions - 1 x 1), None without. mixes: of each curve's own average mix at the same
    costs, in the shape of returns. names, questions: one a curve; a question is the hash of what was asked, whatever
    it is called. cycles: easing cycles that a cut-driven curve has seen, None for any other.
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

    trials: distinct accounts known, the shown ones among them; here: those shown. has_ledger: whether anything but the
    shown curves was known. forgotten: trials that the user made the ledger forget. damaged: what could not be read of
    it. used: sha256 of the identities of all trials used.
    """

    findings: tuple[Finding, ...]
    trials: int
    here: int
    has_ledger: bool
    forgotten: int
    damaged: tuple[str, ...]
    used: str

    @property
    def elsewhere(self) -> int:
        """Trials of earlier commands."""
        return self.trials - self.here


def search(shown: Shown, path: Path | None) -> Search:
    """Record the shown curves and judge them in the light of all that are known.

    path: the ledger, None to keep none: then the shown curves are all there is. The answer does not depend on whether
    the curves were known before, nor on what is shown beside.
    Raises WriteError when the ledger cannot be kept.
    """
    places = calendar_places(shown.sessions[1:], shown.market)
    active, timing = shown.active, shown.timing
    batch = Batch(
        group="simulated" if shown.market.is_simulated else "real",
        command=shown.command,
        study=shown.study,
        benchmark=shown.benchmark_name or "",
        begin=f"{shown.sessions[0]:%Y-%m-%d}",
        end=f"{shown.sessions[-1]:%Y-%m-%d}",
        periods_per_year=shown.market.periods_per_year,
        names=shown.names,
        questions=shown.questions,
        ahead=add_up(active if shown.benchmark is not None else np.zeros_like(active), places),
        timing=add_up(timing, places),
        active=active,
    )
    ledger = Ledger(path) if path else None
    if ledger is not None:
        keys, _ = ledger.record(batch)
        known_ahead, known_timing = ledger.known(batch.context)
    else:
        keys, known_ahead, known_timing = identities(batch), [], []
    ahead = batch.ahead.keyed(keys)
    found = findings(
        ahead if shown.benchmark is not None else None,
        batch.timing,
        active_sessions(active),
        shown.market.periods_per_year,
        known_ahead,
        known_timing,
        shown.cycles or None,
        HISTORIES,
    )
    ids = [group.keys for group in known_ahead]
    return Search(
        findings=tuple(found),
        trials=len(np.unique(np.concatenate([ahead.keys, *ids]))),
        here=len(np.unique(ahead.keys)),
        has_ledger=ledger is not None,
        forgotten=0 if ledger is None else ledger.forgotten,
        damaged=() if ledger is None else tuple(ledger.damaged),
        used=used_hash([ahead.keys, *ids]),
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
    )


def cycles_seen(config: Config, market: Market, sessions: pd.DatetimeIndex) -> int | None:
    """Easing cycles that began in the test, for a rule whose parameters speak of cuts; None for any other.

    A cycle begins with a cut after a rise, or after CYCLE_GAP_DAYS without one.
    """
    if "cut" not in config.strategy.params.model_dump_json():
        return None
    moved = market.policy[(market.policy["change_bps"] != 0) & market.policy["session"].notna()]
    is_cut, days = moved["change_bps"].to_numpy() < 0, pd.DatetimeIndex(moved["date"])
    cuts = np.flatnonzero(is_cut)
    before = np.append(days[:1] - pd.Timedelta(days=2 * CYCLE_GAP_DAYS), days[cuts][:-1])[: len(cuts)]
    is_first = (cuts == 0) | ~is_cut[cuts - 1] | ((days[cuts] - pd.DatetimeIndex(before)).days > CYCLE_GAP_DAYS)
    began = pd.DatetimeIndex(moved["session"])[cuts[is_first]]
    return int(((began >= sessions[0]) & (began < sessions[-1])).sum())


def own_mix(result: Result) -> Plan:
    """The mix of a run's average shares of the legs and of cash, rebalanced monthly on its own terms."""
    cash = float((result.books.cash[1:] / result.books.equity[1:]).mean())
    exposures = average_exposures(result.books, result.legs, result.in_force)
    weights = exposure_weights(result.legs, exposures, cash if cash > NO_CASH else 0.0)
    return mix_plan(result.market, weights, pd.Timestamp(result.config.data.start), Terms.of(result.config))


def _returns(equity: Floats) -> Floats:
    """(sessions - 1 x 1); a ruined account stays where it is."""
    before = equity[:-1]
    return np.divide(equity[1:], before, out=np.ones_like(before), where=before > 0)[:, None] - 1.0


def calendar_places(sessions: pd.DatetimeIndex, market: Market) -> np.typing.NDArray[np.int64]:
    """Place of each session in the exchange's calendar, counted from ORIGIN; a month's row stands for its block."""
    if market.periods_per_year == MONTHS_PER_YEAR:
        return np.asarray((sessions.year * MONTHS_PER_YEAR + sessions.month) * MONTH_PLACES, dtype=np.int64)
    calendar = market.exchange_sessions
    if calendar[0] <= ORIGIN:
        return np.asarray(calendar.searchsorted(sessions) - calendar.searchsorted(ORIGIN), dtype=np.int64)
    days = sessions.to_numpy().astype("datetime64[D]")  # a made-up market: weekdays stand for sessions
    return np.asarray(np.busday_count(ORIGIN.to_datetime64().astype("datetime64[D]"), days), dtype=np.int64)
