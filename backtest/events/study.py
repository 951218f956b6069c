"""An event study: lists x pairs x windows on one market, each a trial of the search; regimes; early and late.

The flow: config -> market -> event lists, pairs -> paths, cells -> curves in the ledger -> EVENTS
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.config import Config
from backtest.config.events import EventStudy, EventTerms, split_pair
from backtest.config.fields import is_ticker
from backtest.data import load_market
from backtest.errors import ConfigError
from backtest.events.cells import EventCell, Pair, cells_of, usual_windows
from backtest.events.lists import LISTS, EventList, ListTerms, dated_list, event_list
from backtest.events.regimes import Regime, Third, regimes_of, thirds_of
from backtest.market import Basket, Floats, Market
from backtest.signals.measures import basket_growth
from backtest.statistics.findings import verdict_level
from backtest.study.search import Search, Shown, search
from backtest.text import listed, plural

SHOWN_DAYS = 5
"""Of those that are no event."""
USUAL_LISTS = ("cuts", "first_cuts")
USUAL_REACH, USUAL_MONTHS = (60, 252), (12, 24)
"""Rows of a path before and after day 0."""


@dataclass(frozen=True, eq=False)
class Paths:
    """Cumulative relative return around each event, (events x sessions): before day 0 up to its eve, from its close on.

    after[:, 0] is 0 at the close of day 0; before[:, -1] is 0 at the close of the session before it; day0: of the
    session between them. NaN where prices do not reach.
    """

    days: pd.DatetimeIndex
    before: Floats
    day0: Floats
    after: Floats


@dataclass(frozen=True, eq=False)
class Events:
    """What a study found out. start: the row of the market that its period begins with."""

    name: str
    config: Config
    terms: EventTerms
    market: Market
    start: int
    lists: tuple[EventList, ...]
    pairs: tuple[Pair, ...]
    cells: tuple[EventCell, ...]
    paths: Mapping[tuple[str, str], Paths]
    regimes: tuple[Regime, ...]
    thirds: tuple[Third, ...]
    search: Search | None

    @property
    def sessions(self) -> pd.DatetimeIndex:
        """Those of the period."""
        return self.market.sessions[self.start :]

    def cell(self, events: str, pair: str, window: tuple[int, int]) -> EventCell:
        """One of them."""
        return next(c for c in self.cells if (c.events.name, c.pair.key, c.window) == (events, pair, window))

    @property
    def notes(self) -> list[str]:
        """Days of the user's own that are not events, or not one each."""
        told = []
        for each in self.lists:
            days = sorted(set(self.terms.dates.get(each.name, ())))
            first, last = self.sessions[0].date(), self.sessions[-1].date()
            outside = [f"{day}" for day in days if not first <= day <= last]
            if outside:
                more, verb = len(outside) - SHOWN_DAYS, "lies" if len(outside) == 1 else "lie"
                shown = [*outside[:SHOWN_DAYS], *([f"{more} more"] if more > 0 else [])]
                told.append(f"Of {each.name}, {listed(shown)} {verb} outside the data.")
            inside = len(days) - len(outside)
            if inside > len(each) and days:
                told.append(f"Of {each.name}, {inside} days fall on {plural(len(each), 'session')}, each one event.")
        return told

    @property
    def best(self) -> EventCell:
        """The trial that luck explains least; where there is none, the first cell."""
        trials = [cell for cell in self.cells if cell.finding is not None] or self.cells[:1]
        return min(trials, key=lambda c: (1.0 if c.p_search is None else c.p_search, -(c.placebo.t or -np.inf)))


def run_events(
    study: EventStudy,
    *,
    market: Market | None = None,
    offline: bool = False,
    ledger: Path | None = None,
    recorded: int = 0,
) -> Events:
    """Load, find the events, measure and judge.

    market: use this one instead of the data that the config asks for. ledger: where the trials are recorded and whose
    trials count; None: these alone. Raises ConfigError, DataError, NetworkError, WriteError.
    """
    config, terms = study.config, study.terms
    pairs = pairs_of(config, terms)
    market = market or load_event_market(config, terms, pairs, offline=offline)
    start = int(market.sessions.searchsorted(pd.Timestamp(config.data.start)))
    lists = tuple(each.between(start, len(market.sessions) - 1) for each in lists_of(market, config, terms, pairs))
    windows = terms.windows or usual_windows(market)
    cells = cells_of(market, start, pairs, lists, windows, list_terms_of(config, terms, pairs))
    judged, found = _judged(study, market, start, cells, ledger, recorded)
    reach = reach_of(market, terms)
    return Events(
        name=study.name,
        config=config,
        terms=terms,
        market=market,
        start=start,
        lists=lists,
        pairs=pairs,
        cells=tuple(judged),
        paths={(each.name, pair.key): paths_of(market, each, pair, *reach) for pair in pairs for each in lists},
        regimes=regimes_of(market, start, {pair.key: pair.gain(market, 1) for pair in pairs}, terms.gap_days),
        thirds=thirds_of(market, start, members_of(market, pairs), terms.gap_days),
        search=found,
    )


def reach_of(market: Market, terms: EventTerms) -> tuple[int, int]:
    """Rows of a path before day 0 and after it."""
    before, after = USUAL_MONTHS if market.is_monthly else USUAL_REACH
    return (
        before if terms.before_sessions is None else terms.before_sessions,
        after if terms.after_sessions is None else terms.after_sessions,
    )


def pairs_of(config: Config, terms: EventTerms) -> tuple[Pair, ...]:
    """The pairs asked; without any, each leg over the first one. Raises ConfigError for a name that is nothing."""
    legs = {name: leg.weights for name, leg in config.legs.items()}
    label = {name: leg.label for name, leg in config.legs.items() if leg.label}
    sets = {name: {member: 1 / len(members) for member in members} for name, members in terms.sets.items()}
    problems: list[str] = []

    def basket(name: str, where: str) -> Basket:
        if name in legs:
            return legs[name]
        if name in sets:
            whole: dict[str, float] = {}
            for member, weight in sets[name].items():
                for ticker, share in basket(member, where).items():
                    whole[ticker] = whole.get(ticker, 0.0) + weight * share
            return whole
        if not is_ticker(name):
            known = ", ".join([*legs, *sets])
            problems.append(f"{where}: found {name[:40]!r}, expected a ticker such as IWM or one of {known}")
        return {name: 1.0}

    first, *others = legs
    asked = list(terms.pairs) + [f"{member}/{name}" for name, members in terms.sets.items() for member in members]
    asked = asked or [f"{other}/{first}" for other in others] or [first]
    pairs: dict[str, Pair] = {}
    for k, text in enumerate(asked):
        where = f"events.pairs[{k}]" if k < len(terms.pairs) else "events.sets"
        try:
            of, over = text.split("/") if "/" in text else split_pair(text, [*legs, *sets])
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        key = of if over is None else f"{of}-{over}"
        sides = basket(of, where), basket(over, where) if over else {}
        if sides[0] == sides[1]:
            problems.append(f"{where}: found {text[:80]!r}, whose sides hold the same, expected two that differ")
        names = tuple(label.get(name, name) for name in (of, over) if name is not None)
        pairs[key] = Pair(key, names, *sides)
    if problems:
        raise ConfigError(*dict.fromkeys(problems))
    return tuple(pairs.values())


def list_terms_of(config: Config, terms: EventTerms, pairs: Sequence[Pair]) -> ListTerms:
    """What defines the lists; a surge is that of the first pair unless the study says whose."""
    surge = terms.surge
    legs = {name: leg.weights for name, leg in config.legs.items()}
    of = pairs[0].of if surge.of is None else legs.get(surge.of, {surge.of: 1.0})
    over = pairs[0].over if surge.of is None else {} if surge.over is None else legs.get(surge.over, {surge.over: 1.0})
    return ListTerms(
        terms.min_cut_bps, terms.gap_days, terms.certain, terms.meeting, of, over, surge.sessions, surge.gain
    )


def names_of(terms: EventTerms) -> tuple[str, ...]:
    """The engine's lists that are asked."""
    return tuple(terms.lists) or (() if terms.dates else USUAL_LISTS)


def lists_of(market: Market, config: Config, terms: EventTerms, pairs: Sequence[Pair]) -> tuple[EventList, ...]:
    """Every list asked."""
    own = list_terms_of(config, terms, pairs)
    found = [event_list(market, name, own) for name in names_of(terms)]
    return (*found, *(dated_list(market, name, days) for name, days in terms.dates.items()))


def load_event_market(config: Config, terms: EventTerms, pairs: Sequence[Pair], *, offline: bool) -> Market:
    """The config's market with the tickers of the pairs and the series of the lists."""
    own = list_terms_of(config, terms, pairs)
    surge = (own.surge_of or {}, own.surge_over or {}) if "surges" in terms.lists else ()
    tickers = [ticker for basket in (*(side for p in pairs for side in (p.of, p.over)), *surge) for ticker in basket]
    needs = tuple(dict.fromkeys(name for each in names_of(terms) for name in LISTS[each].needs))
    return load_market(config, offline=offline, extra_tickers=tuple(dict.fromkeys(tickers)), extra_series=needs)


def paths_of(market: Market, events: EventList, pair: Pair, before: int, after: int) -> Paths:
    """The paths around each event."""
    rows, count = events.rows, len(market.sessions)
    closes = {t: market.close[t].to_numpy(dtype=np.float64) for t in (*pair.of, *pair.over)}

    def between(basket: Basket, begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> Floats:
        total = np.zeros(np.broadcast_shapes(begin.shape, end.shape))
        is_known = (begin >= 0) & (end >= 0) & (begin < count) & (end < count)
        for ticker, weight in basket.items():
            prices = closes[ticker]
            grown = prices[np.clip(end, 0, count - 1)] / prices[np.clip(begin, 0, count - 1)] - 1.0
            total += weight * np.where(is_known, grown, np.nan)
        return total

    def gain(begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> Floats:
        return between(pair.of, begin, end) - between(pair.over, begin, end)

    column = rows[:, None]
    earlier = column + np.arange(-before, 0)[None, :]
    return Paths(
        days=market.sessions[rows],
        before=-gain(earlier, column - 1),
        day0=gain(rows - 1, rows),
        after=gain(column, column + np.arange(after + 1)[None, :]),
    )


def members_of(market: Market, pairs: Sequence[Pair]) -> dict[str, Floats]:
    """What early and late are asked of: each pair, and of three sides or more each against the mean of all."""
    daily = {pair.key: pair.gain(market, 1) for pair in pairs}
    sides: dict[str, Floats] = {}
    for pair in pairs:
        for name, basket in zip(pair.names, (pair.of, pair.over), strict=False):
            if basket:
                sides[name] = basket_growth(market, basket, 1)
    if len(sides) > 2:
        mean = np.mean(list(sides.values()), axis=0)
        daily |= {f"{name} over the mean of all": own - mean for name, own in sides.items()}
    return daily


def _judged(
    study: EventStudy, market: Market, start: int, cells: Sequence[EventCell], ledger: Path | None, recorded: int
) -> tuple[list[EventCell], Search | None]:
    """The cells with what the search says of each: its curve is a trial of timing, of the question `events`.

    What nobody could have followed is no trial.
    """
    trials = [cell for cell in cells if cell.is_trial]
    if not trials:
        return list(cells), None
    curves = np.column_stack([cell.curve for cell in trials])
    shown = Shown(
        market=market,
        sessions=market.sessions[start:],
        command="events",
        study=study.name,
        names=tuple(f"{c.events.name}, {c.pair.key}, {c.window_key}" for c in trials),
        questions=tuple(_question(study, cell) for cell in trials),
        returns=curves,
        mixes=np.zeros_like(curves),
        benchmark=None,
        benchmark_name=None,
    )
    found = search(shown, ledger, recorded=recorded)
    judged = {}
    for cell, finding in zip(trials, found.findings, strict=True):
        test, cycles = finding.timing, len(cell.cycles.names)
        level = verdict_level(test, test, finding.bets, finding.active_sessions, cycles)
        judged[id(cell)] = replace(cell, finding=finding, level=level)
    return [judged.get(id(cell), cell) for cell in cells], found


def _question(study: EventStudy, cell: EventCell) -> str:
    """sha256 of what one cell asks."""
    asked = ["events", cell.events.name, sorted(cell.pair.of.items()), sorted(cell.pair.over.items()), cell.window]
    terms = study.terms.model_dump(mode="json", exclude={"lists", "pairs", "sets", "windows"})
    return hashlib.sha256(json.dumps([asked, terms], sort_keys=True).encode()).hexdigest()
