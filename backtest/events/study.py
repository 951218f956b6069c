"""An event study: lists x pairs x windows on one market, each a trial of the search; regimes; early and late.

    config -> market -> event lists, pairs -> paths, cells -> curves in the ledger -> EVENTS

A window begins at the close of day 0: the announcement is known then; what can be bought is the next open.
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
from backtest.errors import ConfigError, DataError
from backtest.events.inference import (
    HAC_LAGS,
    HAC_LAGS_MONTHLY,
    EventSample,
    Placebo,
    Waves,
    apart,
    covered,
    hac_t,
    placebo,
    timing_curve,
)
from backtest.events.lists import LISTS, EventList, ListTerms, cycle_of, dated_list, event_list, turns
from backtest.events.regimes import Regime, Third, regimes_of, thirds_of
from backtest.market import Basket, Floats, Market
from backtest.signals.measures import basket_growth
from backtest.statistics.cycles import ByCycle, by_cycle, t_of
from backtest.statistics.findings import Finding, Level, verdict_level
from backtest.study.search import Search, Shown, search
from backtest.units import MONTHS_PER_YEAR

WINDOWS, MONTHLY_WINDOWS = (5, 21, 63, 126, 252), (3, 6, 12, 24)
USUAL_LISTS = ("cuts", "first_cuts")
NOT_MOVED = Placebo(None, np.zeros(0), None, "the windows reach into the prices that chose the events")


@dataclass(frozen=True)
class Pair:
    """One thing over another; over: empty where it is held against cash that earns nothing. key: `IWM-QQQ`."""

    key: str
    words: str
    of: Basket
    over: Basket

    def gain(self, market: Market, sessions: int) -> Floats:
        """Return of the one less that of the other over so many sessions up to each close, each bought and held."""
        own = basket_growth(market, self.of, sessions)
        return own - basket_growth(market, self.over, sessions) if self.over else own


@dataclass(frozen=True, eq=False)
class EventPrices:
    """A pair on a market. first: the row of its first return in the period; waves: of its returns from there on."""

    market: Market
    start: int
    pair: Pair
    first: int
    waves: Waves

    @classmethod
    def of(cls, market: Market, start: int, pair: Pair) -> EventPrices:
        """Raises DataError for a pair without prices in the period."""
        daily = pair.gain(market, 1)
        known = np.flatnonzero(np.isfinite(daily[start + 1 :]))
        if not len(known):
            raise DataError(f"{pair.key}: no prices after {market.sessions[start]:%Y-%m-%d}")
        first = start + 1 + int(known[0])
        return cls(market, start, pair, first, Waves(daily[first:]))


@dataclass(frozen=True, eq=False)
class EventCell:
    """One list, pair and window. sample: its complete windows; n_apart, t_apart: of those that do not overlap.

    from_open: mean when bought at the next open instead of the close of day 0, None for a window that begins elsewhere.
    inside, outside: mean a year of the sessions in windows and of the others. finding: of the search, with its level.
    """

    events: EventList
    pair: Pair
    window: tuple[int, int]
    sample: EventSample
    t_naive: float | None
    t_apart: float | None
    n_apart: int
    t_calendar: float | None
    placebo: Placebo
    unconditional: float | None
    from_open: float | None
    inside: float | None
    outside: float | None
    cycles: ByCycle
    curve: Floats
    finding: Finding | None = None
    level: Level = "nothing_tested"

    @property
    def length(self) -> int:
        """Sessions of a window."""
        return self.window[1] - self.window[0]

    @property
    def window_key(self) -> str:
        """`252`, or `-1:0`."""
        begin, end = self.window
        return f"{end}" if begin == 0 else f"{begin}:{end}"

    @property
    def is_trial(self) -> bool:
        """Whether anybody could have followed it: not a list known only afterwards, nor what comes before day 0 of
        events that are not scheduled.
        """
        return not self.events.is_hindsight and (self.window[0] >= 0 or self.events.is_scheduled)

    @property
    def p_search(self) -> float | None:
        """Corrected for everything known, as the search does."""
        return None if self.finding is None else self.finding.timing.p


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
    monthly = market.periods_per_year == MONTHS_PER_YEAR
    start = int(market.sessions.searchsorted(pd.Timestamp(config.data.start)))
    lists = tuple(each.between(start, len(market.sessions) - 1) for each in lists_of(market, config, terms, pairs))
    windows = terms.windows or tuple((0, n) for n in (MONTHLY_WINDOWS if monthly else WINDOWS))
    list_terms = list_terms_of(config, terms, pairs)
    turning = turns(market, list_terms)
    cells = [
        cell_of(ground, each, window, turning)
        for ground in (EventPrices.of(market, start, pair) for pair in pairs)
        for each in lists
        for window in windows
    ]
    judged, found = _judged(study, market, start, cells, ledger, recorded)
    reach = terms.before_sessions, terms.after_sessions
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


def pairs_of(config: Config, terms: EventTerms) -> tuple[Pair, ...]:
    """The pairs asked; without any, each leg over the first one. Raises ConfigError for a name that is nothing."""
    legs = {name: leg.weights for name, leg in config.legs.items()}
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
        words = of if over is None else f"{of} over {over}"
        pairs[key] = Pair(key, words, *sides)
    if problems:
        raise ConfigError(*dict.fromkeys(problems))
    return tuple(pairs.values())


def list_terms_of(config: Config, terms: EventTerms, pairs: Sequence[Pair]) -> ListTerms:
    """What defines the lists; a surge is that of the first pair unless the study says whose."""
    surge = terms.surge
    legs = {name: leg.weights for name, leg in config.legs.items()}
    of = pairs[0].of if surge.of is None else legs.get(surge.of, {surge.of: 1.0})
    over = pairs[0].over if surge.of is None else {} if surge.over is None else legs.get(surge.over, {surge.over: 1.0})
    return ListTerms(terms.min_cut_bps, terms.gap_days, terms.certain, of, over, surge.sessions, surge.gain)


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


def cell_of(
    prices: EventPrices, events: EventList, window: tuple[int, int], turning: tuple[npt.NDArray[np.int64], list[str]]
) -> EventCell:
    """All figures of one list, pair and window but what the search says."""
    market, start, pair, first = prices.market, prices.start, prices.pair, prices.first
    begin, end = window
    length, count, returns = end - begin, len(market.sessions), prices.waves.returns
    gain = pair.gain(market, length)
    ends = events.rows + end
    is_inside = (ends < count) & (ends - length >= 0)
    values = np.where(is_inside, gain[np.clip(ends, 0, count - 1)], np.nan)
    complete = np.isfinite(values)
    sample = EventSample(values[complete], events.rows[complete])
    inside = covered(events.rows - first, window, len(returns))
    curve = np.zeros(count - start - 1)
    curve[first - start - 1 :] = timing_curve(inside, returns)
    kept = apart(sample.rows, length)
    lags = HAC_LAGS_MONTHLY if market.periods_per_year == MONTHS_PER_YEAR else HAC_LAGS
    known = gain[start + length :]
    known = known[np.isfinite(known)]
    return EventCell(
        events=events,
        pair=pair,
        window=window,
        sample=sample,
        t_naive=t_of(sample.values),
        t_apart=t_of(sample.values[kept]),
        n_apart=int(kept.sum()),
        t_calendar=hac_t(curve[first - start - 1 :], lags),
        placebo=NOT_MOVED if events.memory and begin < 0 else placebo(inside, prices.waves, length, events.memory),
        unconditional=float(known.mean()) if len(known) else None,
        from_open=_from_open(market, pair, sample.rows, end) if begin == 0 else None,
        inside=_annual(returns[inside > 0], market),
        outside=_annual(returns[inside == 0], market),
        cycles=by_cycle(sample.values, cycle_of(sample.rows, *turning)),
        curve=curve,
    )


def _annual(returns: Floats, market: Market) -> float | None:
    return float(returns.mean()) * market.periods_per_year if len(returns) else None


def _from_open(market: Market, pair: Pair, rows: npt.NDArray[np.int64], end: int) -> float | None:
    """Mean of the windows of who buys at the open after day 0."""
    if not len(rows):
        return None

    def grown(basket: Basket) -> Floats:
        total = np.zeros(len(rows))
        for ticker, weight in basket.items():
            opens, closes = (getattr(market, name)[ticker].to_numpy(dtype=np.float64) for name in ("open", "close"))
            total += weight * (closes[rows + end] / opens[rows + 1] - 1.0)
        return total

    return float((grown(pair.of) - grown(pair.over)).mean())


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
        of, _, over = pair.words.partition(" over ")
        for name, basket in ((of, pair.of), (over, pair.over)):
            if name and basket:
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
