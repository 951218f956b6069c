"""Which macro observations a strategy gets, from where, and at which session each becomes usable.

Where it stands: clocks, macro, sample_macro -> MACRO SOURCE -> assemble -> market.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from backtest.data.clocks import known_series, period_end
from backtest.data.csv_folder import MACRO_FOLDER
from backtest.data.macro import Observed, observed_rate, read_observed
from backtest.data.policy import knowable_sessions
from backtest.errors import DataError
from backtest.market import Source
from backtest.series import PointInTime, observations

if TYPE_CHECKING:
    from backtest.config.models import DataConfig

SIMULATED = "the simulated sample"
"""The location that the sample gives its series."""


def load_series(
    names: tuple[str, ...],
    data: DataConfig,
    exchange: pd.DatetimeIndex,
    closes: pd.DatetimeIndex,
    last: pd.Timestamp,
    *,
    offline: bool,
) -> tuple[dict[str, PointInTime], tuple[Source, ...], tuple[str, ...]]:
    """The series by name, as knowable at the close of `last`, where they come from, and what must be told of them.

    exchange, closes: the exchange's calendar and the moment of each close (UTC).
    Raises DataError with a line for each series that is not to be had, NetworkError when FRED would have to be asked
    and is not (`offline`) or does not answer.
    """
    return load_observed(names, choose_macro(data, offline=offline), exchange, closes, last)


def load_observed(
    names: tuple[str, ...],
    fetch: Callable[[str], Observed],
    exchange: pd.DatetimeIndex,
    closes: pd.DatetimeIndex,
    last: pd.Timestamp,
) -> tuple[dict[str, PointInTime], tuple[Source, ...], tuple[str, ...]]:
    """The same of series that `fetch` gives by name."""
    series: dict[str, PointInTime] = {}
    sources: list[Source] = []
    problems: list[str] = []
    notes: list[str] = []
    for name in names:
        try:
            observed = fetch(name)
        except DataError as error:
            problems.extend(error.problems)
            continue
        whole = with_sessions(observed, exchange, closes)
        series[name] = whole.until(last)
        sources.append(_source(name, observed, whole))
        notes += [*observed.notes, *_clock_notes(name, observed, whole)]
    if problems:
        raise DataError(*problems)
    return series, tuple(sources), tuple(notes)


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
    """A folder when the config names one, else what goes with the prices: the sample, a folder beside, FRED."""
    if data.macro is not None:
        return lambda name: from_folder(data, data.macro.folder, name)  # type: ignore[union-attr]
    match data.prices.source:
        case "sample":
            from backtest.data.sample_macro import sample_observed

            return sample_observed
        case "csv":
            beside = data.prices.folder.absolute().parent / MACRO_FOLDER
            return lambda name: from_folder(data, beside, name)
        case "yahoo":
            return lambda name: _from_fred(name, data.end, offline=offline)


def from_folder(data: DataConfig, folder: Path, name: str) -> Observed:
    """A series from the folder, with the rule that the config gives it."""
    given = data.macro.series.get(name) if data.macro is not None else None
    if given is None:
        return read_observed(folder, name, None)
    return read_observed(folder, name, given.rule, given.holds_days)


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


def _source(name: str, observed: Observed, series: PointInTime) -> Source:
    days = series.frame["happened"]
    first, last = (f"{days.iloc[place]:%Y-%m-%d}" if len(days) else "" for place in (0, -1))
    return Source(name, observed.location, len(days), first, last, observed.sha256)
