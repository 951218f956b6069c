"""Other futures: the same Market up to a session, and nothing, or something else, after it.

The flow: a Market -> CUT or POISON at a session -> `audit` asks whether anything up to that session changes.
Truncation shows what needs a later row to exist; poison shows what reads a later value. Each misses what the other
finds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.market import POLICY_COLUMNS, Floats, Market
from backtest.series import PointInTime

EXEMPT: Mapping[str, str] = {
    "exchange_sessions": "a calendar is published in advance; `cut` keeps as much of it as data to there bring",
    "meetings": "the Federal Reserve publishes its calendar in advance; `cut` keeps that of this year and the next",
    "tbill_name": "which rate was asked for, not what it was",
    "periods_per_year": "how often there is a row",
    "is_simulated": "what kind of source it is",
    "sources": "for readers; emptied, since it names the last date and no decision may depend on it",
    "notes": "for readers; emptied likewise",
    "memo": "what was computed from one Market; every other one begins with an empty one",
}
"""Fields of a Market that `poison` does not disturb, and why. Every other one it must, or it raises TypeError."""

FOR_READERS: Mapping[str, Any] = {"sources": (), "notes": ()}
"""What those are emptied to, in every other future."""

FIRST_JUMP, DAILY_STEP, JUMP, JUMP_CHANCE, WOBBLE = 0.12, 0.02, 0.15, 0.02, 0.01
"""Standard deviations of log prices: what happens at once, each session, in a jump, and to one field alone."""

DROP_CHANCE = 0.1
"""Of each later macro observation: that it is left out."""

DIVIDEND_CHANCE, DIVIDEND_USD = 0.1, 2.0
SPLIT_CHANCE, SPLIT_RATIO = 0.05, 2.0

SESSIONS_BETWEEN_DECISIONS = 25
SOON_SESSIONS = (3, 15)
"""There is always a decision within the first few sessions, often in the same week, and one about the same month."""

POLICY_CHANGES_BPS = (-75, -50, -25, -25, 0, 25, 25, 50, 75)
FIRST_UPPER, LOWEST_UPPER, RANGE_WIDTH = 5.0, 0.25, 0.25
SCHEDULED_SHARE = 0.9
STATEMENT_HOUR = np.timedelta64(14, "h")


def cut(market: Market, session: pd.Timestamp) -> Market:
    """The Market that would have been loaded after the close of `session`: `until`, without a sign of how far it went.

    The exchange's calendar ends with the year after, as it does with any market.
    """
    calendar = market.exchange_sessions
    ahead = calendar[: calendar.searchsorted(pd.Timestamp(session.year + 2, 1, 1))]
    meetings = market.meetings[market.meetings.year <= session.year + 1]
    return dataclasses.replace(market.until(session), exchange_sessions=ahead, meetings=meetings, **FOR_READERS)


def poison(market: Market, session: pd.Timestamp, seed: int, *, keeps_next_open: bool = False) -> Market:
    """The same Market with the same sessions, in which everything after the close of `session` is plausible noise.

    Prices stay positive and NaN stays NaN; rates that were never negative stay so; later policy decisions give way to
    others on other days, macro observations have other values or are missing. The same market, session and seed give
    the same noise.
    keeps_next_open: leave the next session's opens as they are, to see who reads more than these at that open.
    Raises TypeError for a field of Market that is neither disturbed here nor in EXEMPT.
    """
    first = int(market.sessions.searchsorted(session, side="right"))
    return _with_noise(market, [_Stretch.of(market, first, len(market.sessions), seed)], keeps_next_open)


def detours(market: Market, rows: Sequence[int], length: int, seed: int) -> Market:
    """The same Market with `length` sessions of noise after each of the rows; behind each the real prices go on.

    Nothing is left behind the last one. Rows ascend, more than `length` apart.
    """
    near = cut(market, market.sessions[min(rows[-1] + length, len(market.sessions) - 1)])
    ends = [min(row + 1 + length, len(near.sessions)) for row in rows]
    return _with_noise(near, [_Stretch.of(near, row + 1, end, seed) for row, end in zip(rows, ends, strict=True)])


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Rows [first, last) of a market that are noise: from the close of `after` to that of `until`, None: for good."""

    first: int
    last: int
    after: pd.Timestamp
    until: pd.Timestamp | None
    rng: np.random.Generator
    walk: Floats

    @classmethod
    def of(cls, market: Market, first: int, last: int, seed: int) -> _Stretch:
        rng, sessions = np.random.default_rng([seed, first]), market.sessions
        until = None if last >= len(sessions) else sessions[last - 1]
        return cls(first, last, sessions[first - 1], until, rng, _walk(rng, (last - first, len(market.tickers))))

    def within(self, known: pd.Series) -> slice:
        """The rows of a table of what became known at these sessions, in their order."""
        first = int(known.searchsorted(self.after, side="right"))
        return slice(first, len(known) if self.until is None else int(known.searchsorted(self.until, side="right")))


def _with_noise(market: Market, stretches: Sequence[_Stretch], keeps_next_open: bool = False) -> Market:
    later: dict[str, Any] = dict(FOR_READERS)
    for field in dataclasses.fields(market):
        value = getattr(market, field.name)
        if field.name in EXEMPT or value is None:
            continue
        if field.name in ("open", "close", "raw_open", "raw_close"):
            later[field.name] = _other_prices(value, stretches, keeps_next_open and field.name.endswith("open"))
        elif field.name == "dividends":
            later[field.name] = _other_events(value, stretches, DIVIDEND_CHANCE, DIVIDEND_USD)
        elif field.name == "splits":
            later[field.name] = _other_events(value, stretches, SPLIT_CHANCE, SPLIT_RATIO)
        elif field.name == "policy":
            later[field.name] = _other_decisions(value, stretches, market.sessions)
        elif field.name == "series":
            later[field.name] = {name: _other_observations(one, stretches) for name, one in value.items()}
        elif isinstance(value, pd.Series | pd.DataFrame) and market.sessions.equals(value.index):
            later[field.name] = _other_levels(value, stretches)
        else:
            raise TypeError(f"Market.{field.name}: poison knows no other future of a {type(value).__name__} like this")
    return dataclasses.replace(market, **later)


def _walk(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """How far log prices lead away, shape (later sessions, tickers); at once by enough to turn a close call."""
    steps = rng.normal(0.0, DAILY_STEP, shape)
    steps += (rng.random(shape) < JUMP_CHANCE) * rng.normal(0.0, JUMP, shape)
    steps[:1] += rng.normal(0.0, FIRST_JUMP, (min(shape[0], 1), shape[1]))
    return np.asarray(steps.cumsum(axis=0))


def _other_prices(frame: pd.DataFrame, stretches: Sequence[_Stretch], keeps_first: bool) -> pd.DataFrame:
    """One walk for all four price fields, and a wobble for each, so that no ratio of two of them survives."""
    values = frame.to_numpy(dtype=np.float64, copy=True)
    for each in stretches:
        own = each.walk[int(keeps_first) :]
        values[each.last - len(own) : each.last] *= np.exp(own + each.rng.normal(0.0, WOBBLE, own.shape))
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def _other_events(frame: pd.DataFrame, stretches: Sequence[_Stretch], chance: float, size: float) -> pd.DataFrame:
    values = frame.to_numpy(dtype=np.float64, copy=True)
    for each in stretches:
        part = values[each.first : each.last]
        happens = each.rng.random(part.shape) < chance
        part[:] = np.where(happens, size * each.rng.uniform(0.5, 1.5, part.shape), 0.0)
    return pd.DataFrame(values, index=frame.index, columns=frame.columns, copy=False)


def _other_levels(levels: pd.Series | pd.DataFrame, stretches: Sequence[_Stretch]) -> pd.Series | pd.DataFrame:
    """Rates and the like: they wander off in steps of their own size, without changing sign if they never did."""
    values = levels.to_numpy(dtype=np.float64, copy=True)
    scale = np.nanstd(values) or np.nanmax(np.abs(values)) or 1.0
    is_positive = bool(np.nanmin(values) >= 0.0)
    for each in stretches:
        part = values[each.first : each.last]
        steps = each.rng.normal(0.0, 0.1 * scale, part.shape)
        steps[:1] += each.rng.normal(0.0, scale, steps[:1].shape)
        part += steps.cumsum(axis=0)
        if is_positive:
            np.abs(part, out=part)
    if isinstance(levels, pd.Series):
        return pd.Series(values, index=levels.index, name=levels.name)
    return pd.DataFrame(values, index=levels.index, columns=levels.columns)


def _other_observations(series: PointInTime, stretches: Sequence[_Stretch]) -> PointInTime:
    """Those that became known in a stretch have values drawn from all, and some are left out."""
    frame = series.frame
    kept = np.ones(len(frame), dtype=bool)
    columns = {str(name): frame[name].to_numpy() for name in frame}
    numbers = {name: columns[name].copy() for name in series.numbers}
    for each in stretches:
        rows = each.within(frame["session"])
        count = rows.stop - rows.start
        kept[rows] = each.rng.random(count) >= DROP_CHANCE
        for name, values in numbers.items():
            values[rows] = each.rng.choice(columns[name], count) if count else []
    other = {name: values[kept] for name, values in (columns | numbers).items()}
    return dataclasses.replace(series, frame=pd.DataFrame(other, copy=False))


def _other_decisions(policy: pd.DataFrame, stretches: Sequence[_Stretch], sessions: pd.DatetimeIndex) -> pd.DataFrame:
    """Those of a stretch give way to others: on other days, of other sizes, one of them soon."""
    if set(policy.columns) != set(POLICY_COLUMNS):
        found = ", ".join(map(str, policy.columns))
        raise TypeError(f"Market.policy: poison knows the columns {', '.join(POLICY_COLUMNS)}, found {found}")
    real = {name: policy[name].to_numpy() for name in policy.columns}
    parts, done = [], 0
    for each in stretches:
        rows = each.within(policy["session"])
        parts.append({name: values[done : rows.start] for name, values in real.items()})
        if len(later := sessions[each.first : each.last]):
            upper = float(real["upper"][rows.start - 1]) if rows.start else FIRST_UPPER
            parts.append(_invented(upper, later.to_numpy(), each.rng, real))
        done = rows.stop
    parts.append({name: values[done:] for name, values in real.items()})
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in real}, copy=False)


def _invented(
    upper: float, later: npt.NDArray[np.datetime64], rng: np.random.Generator, like: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Decisions on some of these sessions after one that left the target at `upper`; types are those of `like`."""
    soon = [min(int(rng.integers(within)), len(later) - 1) for within in SOON_SESSIONS]
    others = rng.choice(len(later), len(later) // SESSIONS_BETWEEN_DECISIONS, replace=False)
    days = later[np.unique([*soon, *others])]
    uppers = _other_targets(upper, len(days), rng)
    found = {
        "announced_at": days + STATEMENT_HOUR,
        "date": days,
        "scheduled": rng.random(len(days)) < SCHEDULED_SHARE,
        "lower": uppers[1:] - RANGE_WIDTH,
        "upper": uppers[1:],
        "change_bps": np.rint(np.diff(uppers) * 100.0),
        "session": days,
    }
    return {name: found[name].astype(values.dtype) for name, values in like.items()}


def _other_targets(last: float, count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Upper bounds in percent, the last known one first, shape (count + 1,)."""
    upper = [last]
    for change_bps in rng.choice(POLICY_CHANGES_BPS, count):
        upper.append(max(upper[-1] + float(change_bps) / 100.0, LOWEST_UPPER))
    return np.array(upper)
