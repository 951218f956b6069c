"""Which macro observations a strategy gets, from where, and at which session each becomes usable.

Where it stands: clocks, macro, sample -> MACRO SOURCE -> assemble -> market.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from backtest.config.models import DataConfig
from backtest.data.between import check_yields
from backtest.data.clocks import known_series, lacking, period_end
from backtest.data.csv_folder import MACRO_FOLDER
from backtest.data.macro import Observed, observed_rate, own_clocked, read_observed
from backtest.data.policy import knowable_sessions
from backtest.data.sources import of_each
from backtest.errors import DataError
from backtest.market import Source
from backtest.series import Days, PointInTime, observations
from backtest.text import plural

EVENING = np.timedelta64(18, "h")

YIELDS = ("DGS1", "DGS2", "DGS3", "DGS5", "DGS7", "DGS10", "DGS20", "DGS30")
"""Of one market, so that their days go together."""

SIMULATED = "the simulated sample"
"""The location that the sample gives its series."""


def load_series(
    names: tuple[str, ...],
    fetch: Callable[[str], Observed],
    exchange: pd.DatetimeIndex,
    closes: pd.DatetimeIndex,
    last: pd.Timestamp,
    funds: Mapping[str, pd.DataFrame] | None = None,
) -> tuple[dict[str, PointInTime], tuple[Source, ...], tuple[str, ...]]:
    """The series by name, as knowable at the close of `last`, where they come from, and what must be told of them.

    fetch: as `choose_macro` gives it. exchange, closes: the exchange's calendar and the moment of each close (UTC).
    funds: daily prices that yields are held against, by ticker.
    Raises DataError with a line for each series that is not to be had, and what `fetch` raises.
    """
    series: dict[str, PointInTime] = {}
    sources: list[Source] = []
    notes: list[str] = []
    yields: dict[str, pd.Series] = {}
    for name, observed in of_each(names, fetch).items():
        whole = with_sessions(observed, exchange, closes)
        series[name] = whole.until(last)
        sources.append(_source(name, observed, whole))
        notes += [*observed.notes, *_clock_notes(name, observed, whole), *_gap_notes(name, observed, exchange)]
        if name in YIELDS and observed.location != SIMULATED:
            days = pd.DatetimeIndex(observed.happened.astype("datetime64[ns]"))
            yields[name] = pd.Series(observed.columns["value"], index=days)[: last + pd.Timedelta(days=1)]
    check_yields(yields, funds)
    return series, tuple(sources), tuple(notes)


def _gap_notes(name: str, observed: Observed, exchange: pd.DatetimeIndex) -> Iterator[str]:
    if observed.location == SIMULATED or observed.rule is None:
        return
    gaps = lacking(observed.happened, observed.rule, exchange.to_numpy().astype("datetime64[D]"))
    if len(gaps):
        unit = plural(len(gaps), "day" if observed.period == "day" else observed.period)
        yield f"{name} has no value for {unit}, the first of them {gaps[0]}; the last one before was used."


def _clock_notes(name: str, observed: Observed, series: PointInTime) -> Iterator[str]:
    """When its values are known and since when there are any; what no session can use."""
    if observed.location == SIMULATED:
        return
    first = series.frame["session"].iloc[0] if len(series.frame) else None
    since = "no value is known" if first is None else f"known since {first:%Y-%m-%d}"
    yield f"{name}: {observed.clock}; {since}."
    ended = period_end(observed.happened, observed.period)
    early = int((observed.known_at.astype("datetime64[D]") < ended).sum()) if observed.period != "target" else 0
    if early:
        counted = "one value is" if early == 1 else f"{early} values are"
        unit = observed.period.removesuffix("_ending")
        yield f"{name}: {counted} known before the {unit} has ended; backtest audit calls that a look-ahead."
    overtaken = _overtaken(observed)
    if len(overtaken):
        counted = "one value is" if len(overtaken) == 1 else f"{len(overtaken)} values are"
        yield (f"{name}: {counted} known only after one of a later date, which is used instead; the first is of "
               f"{overtaken[0]}.")  # fmt: skip
    if _is_spread(observed):
        yield (f"{name}: changes on the first row of a month alone. If it is one value a month spread over its days, "
               "each is used before its month has ended: give the monthly file, with its lag.")  # fmt: skip


def _overtaken(observed: Observed) -> Days:
    """Dates whose first value is known only after that of a later date, which every session therefore uses instead."""
    order = np.lexsort((observed.known_at, observed.happened))
    days, first = np.unique(observed.happened[order], return_index=True)
    known = observed.known_at[order][first]
    if len(days) < 2:
        return days[:0]
    soonest = np.minimum.accumulate(known[::-1])[::-1]
    return np.asarray(days[:-1][known[:-1] > soonest[1:]])


SPREAD_CHANGES, SPREAD_SHARE = 24, 0.95
"""So many changes tell, and so many of them on a month's first row: of ten real daily series 0.07 at most."""


def _is_spread(observed: Observed) -> bool:
    """Whether a daily series by a rule looks like one of months that was carried forward."""
    if observed.period != "day" or observed.rule is None:
        return False
    months = observed.happened.astype("datetime64[M]")
    changes = np.flatnonzero(np.diff(observed.columns["value"]) != 0.0) + 1
    return len(changes) >= SPREAD_CHANGES and float(np.mean(months[changes] != months[changes - 1])) >= SPREAD_SHARE


SILENCE = pd.Timedelta(days=62)
"""A series whose last observation is older than two months has ended, as far as a reader must know."""


def series_notes(series: Mapping[str, PointInTime], sources: Sequence[Source], last: pd.Timestamp) -> tuple[str, ...]:
    """What a reader must be told: which observations are simulated, and which end before the market does."""
    made_up = [source.name for source in sources if source.location == SIMULATED]
    notes = [f"Simulated, as the prices are: {', '.join(made_up)}."] if made_up else []
    for name, one in series.items():
        final = one.frame["session"].iloc[-1] if len(one.frame) else None
        if final is None or last - final > SILENCE:
            ends = "has no observations" if final is None else f"ends on {final:%Y-%m-%d}"
            notes.append(f"The series {name} {ends}; signals that need it are not known afterwards.")
    return tuple(notes)


def choose_macro(data: DataConfig, *, offline: bool) -> Callable[[str], Observed]:
    """A folder when the config names one, else what goes with the prices: the sample, a folder beside, FRED.

    What it gives raises NetworkError when FRED would have to be asked and is not (`offline`) or does not answer.
    """
    given = data.macro.series if data.macro is not None else {}
    folder = data.macro.folder if data.macro is not None else None
    if folder is None and data.prices.source == "csv":
        folder = data.prices.folder.absolute().parent / MACRO_FOLDER

    def fetch(name: str) -> Observed:
        own = given.get(name)
        if own is not None and own.known == "vintages":
            return _from_archive(name, own.holds_days, data.end, offline=offline)
        if folder is not None:
            return read_observed(folder, name, own.rule if own else None, own.holds_days if own else None)
        if data.prices.source != "sample":
            return _from_fred(name, data.end, offline=offline)
        from backtest.data.sample.macro import sample_observed

        return sample_observed(name)

    return fetch


def with_sessions(observed: Observed, exchange: pd.DatetimeIndex, closes: pd.DatetimeIndex) -> PointInTime:
    """Each observation with the first session whose close comes after it was known."""
    announced = pd.DataFrame({"announced_at": observed.known_at.astype("datetime64[ns]")})
    sessions = knowable_sessions(announced, exchange, closes)
    clocks = (observed.happened, observed.known_at, sessions)
    told: dict[str, Any] = {"holds_days": observed.holds_days, "period": observed.period, "clock": observed.clock}
    return observations(*clocks, observed.columns, **told)


def _from_fred(name: str, end: date | None, *, offline: bool) -> Observed:
    from backtest.data.snapshots import Snapshots

    known = known_series().get(name)
    if known is None:
        raise DataError(f"data.macro: the strategy needs the series {name}, which cannot be downloaded: "
                        "name a folder that has it, data.macro: {folder: ...}")  # fmt: skip
    fetched = Snapshots(end=end, offline=offline).rate(name)
    return observed_rate(name, fetched.values, known.clock, fetched.location, fetched.sha256)


def _from_archive(name: str, holds_days: int | None, end: date | None, *, offline: bool) -> Observed:
    """All revisions of a series; FRED says the day alone, so that each is used from the next session's close on."""
    from backtest.data.snapshots import Snapshots

    snapshot, frame = Snapshots(end=end, offline=offline).series(f"fred/{name}@all")
    days = frame.index.to_numpy().astype("datetime64[D]")
    first: Days = np.asarray(frame["known_at"].to_numpy(dtype=np.int64), dtype="datetime64[D]")
    known: Days = np.asarray(first + EVENING)
    values = frame["value"].to_numpy(dtype=np.float64)
    where = f"FRED {name} with all revisions"
    found = own_clocked(name, days, known, values, where, snapshot.sha256, holds_days)
    words = found.clock.replace(
        "known when its column known_at says", "known the day after FRED's archive first had it"
    )
    return dataclasses.replace(found, clock=words)


def _source(name: str, observed: Observed, series: PointInTime) -> Source:
    days = series.frame["happened"]
    first, last = (f"{days.iloc[place]:%Y-%m-%d}" if len(days) else "" for place in (0, -1))
    return Source(name, observed.location, len(days), first, last, observed.sha256, clock=observed.clock)
