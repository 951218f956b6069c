"""Are macro numbers what they claim to be? The same questions for files, downloads and the store.

Where it stands: clocks, policy -> MACRO CHECKS -> rates, macro, providers. Each fault either stops (DataError, with its
line and what would be right) or becomes a sentence that every run shows. The limits were set on the real files of
1954 to 2026; beside each stands what those reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data.clocks import KnownSeries, known_series
from backtest.data.futures import HIGHEST_PRICE, LOWEST_PRICE
from backtest.data.policy import load_policy_decisions
from backtest.errors import DataError
from backtest.series import Days, Floats

Line = Callable[[int], str]
"""A row -> the beginning of a message about it: `DGS2.csv:17: value`."""

Flags = npt.NDArray[np.bool_]

SHOWN_ROWS = 5

BESIDE_POLICY = {"bill": (-3.0, 1.6, -1.75, 0.75), "funds": (-3.0, 4.5, -1.25, 0.75)}
"""Percentage points above the target's upper bound: least and most on a day, then of the median of 63 rows. Reached
since 1994: bills -2.3 to 0.98, medians -1.27 to 0.42; the funds rate -1.81 to 2.8 (secured ones 3.0), -0.71 to 0.04."""

POLICY_ROWS = 63

DECIMAL_SLACK = {2: 1e-6, 3: 5e-3, 1: 1e-6}
"""How far a value may be from that many decimals, in its last one; the index of bills comes with rounded binaries."""

MANY_NEGATIVE = 0.02
"""Share of negative bill rates; real ones have been on 8 of 18,000 days."""

TARGET_UNIT = {"DFEDTAR": 0.0625, "DFEDTARU": 0.25, "DFEDTARL": 0.25}

ODD_STEP = 8.0
"""The largest step of an unknown series by its next largest: beyond it is said."""

LEAST_ROWS = 30

MONTHS_READ = 13
"""No signal reads a contract that is delivered later."""

LARGEST_KINK, LARGEST_DAY, LARGEST_SPIKE = 0.5, 1.5, 1.0
"""Of a settlement beside both neighbouring months of its day (reached: 0.24), of all contracts since the day before
(median; 0.62), and of the nearest contract beside its days before and after."""

PROBABILITY_SLACK, PRINTED = 1e-3, 5e-4
"""The sum of a meeting's probabilities; tables printed to 0.1 % may be off by half of it for each band."""

LATEST_RELEASE_DAYS = 80
"""After its month: 73 days after the beginning of the month before, when the government was shut."""


def judge_rate(name: str, days: Days, values: Floats, line: Line) -> tuple[str, ...]:
    """Sentences on a series of numbers by ascending day; DataError when a value cannot be what its id says.

    days, values: shape (rows,), without NaN. Of an id that is not known here only what is far out is said.
    """
    known = known_series().get(name)
    if known is None:
        return tuple(_odd_steps(name, days, values))
    remedy = "get the file again or correct it"
    outside = ~((values >= known.lowest) & (values <= known.highest))
    bounds = f"{known.lowest:g} to {known.highest:g} in FRED's own unit"
    jumps = np.abs(np.diff(values, prepend=values[:1])) > known.largest_step
    problems = list(told(outside, line, lambda row: f"found {values[row]:g}, expected {bounds}", remedy)) or list(
        told(jumps, line, lambda row: f"found {values[row]:g} after {values[row - 1]:g} on {days[row - 1]}, a step "
             f"beyond {known.largest_step:g}, which it never made", remedy))  # fmt: skip
    if name in TARGET_UNIT:
        off_grid = np.abs(values / TARGET_UNIT[name] - np.rint(values / TARGET_UNIT[name])) > 1e-6
        problems += told(off_grid, line, f"not a multiple of {TARGET_UNIT[name]:g}, as the Federal Reserve's targets "
                         "are", remedy)  # fmt: skip
    if problems:
        raise DataError(*problems)
    beside = _beside_policy(name, known, days, values, line) if known.beside_policy else ()
    return (*beside, *_decimals(name, known, values, line), *(_beside_table(name, days, values, line)))


def line_of(where: str, days: Days) -> Line:
    """A function that names a row: by the line of the file that begins with its day, or without a file by the day."""

    def line(row: int) -> str:
        day, path = str(days[row]), Path(where)
        if path.is_file():
            for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
                if text.lstrip("\ufeff\"' ").startswith(day):
                    return f"{where}:{number}: {day}"
        return f"{where}: {day}"

    return line


def check_rate(name: str, values: pd.Series, where: str) -> tuple[str, ...]:
    """Sentences on a rate by day; DataError unless it can be what its name says, by ascending day."""
    days = values.index.to_numpy().astype("datetime64[D]")
    if not len(days):
        raise DataError(f"{where}: has no values, expected a rate in percent")
    line = line_of(where, days)
    back = np.concatenate([[False], days[1:] <= days[:-1]])
    if back.any():
        raise DataError(*told(back, line, "the date stands twice or goes back", "expected ascending days"))
    return judge_rate(name, days, values.to_numpy(dtype=np.float64), line)


def told(rows: Flags, line: Line, what: str | Callable[[int], str], remedy: str) -> Iterator[str]:
    """A message for each of the first rows that are flagged, the last one with how many there are."""
    places = np.flatnonzero(rows).tolist()
    said = what if callable(what) else lambda _: what
    yield from (f"{line(place)}: {said(place)}; {remedy}" for place in places[:SHOWN_ROWS])
    if len(places) > SHOWN_ROWS:
        yield f"{line(places[SHOWN_ROWS])}: and {len(places) - SHOWN_ROWS} more rows like these"


def policy_level(days: Days) -> tuple[Floats, Floats]:
    """Upper bound of the shipped target in force on each day (NaN before 1994), and its lower bound."""
    table = load_policy_decisions()
    announced = table["date"].to_numpy().astype("datetime64[D]")
    place = np.searchsorted(announced, days, side="right") - 1
    upper, lower = (table[name].to_numpy(dtype=np.float64)[place] for name in ("upper", "lower"))
    return np.where(place >= 0, upper, np.nan), np.where(place >= 0, lower, np.nan)


def _beside_policy(name: str, known: KnownSeries, days: Days, values: Floats, line: Line) -> Iterator[str]:
    """Said and not refused: a rate may be another one than its name says, but a crisis may be new as well."""
    least, most, least_median, most_median = BESIDE_POLICY[known.beside_policy]
    apart = values - policy_level(days)[0]
    far = (apart < least) | (apart > most)
    if far.any():
        place = int(np.argmax(far))
        yield (f"{line(place)}: {name} is {values[place]:g} when the Federal Reserve's target went up to "
               f"{values[place] - apart[place]:g}; so far off on {int(far.sum())} days. Is it in percent?")  # fmt: skip
    inside = np.flatnonzero(~np.isnan(apart))
    starts = range(0, max(len(inside) - POLICY_ROWS, 0) + 1, POLICY_ROWS)
    middles = [(float(np.median(apart[inside[first : first + POLICY_ROWS]])), inside[first]) for first in starts]
    off = [(middle, row) for middle, row in middles if not least_median <= middle <= most_median]
    if off and len(inside) >= POLICY_ROWS:
        middle, row = off[0]
        side = "below" if middle < 0 else "above"
        yield (f"{line(int(row))}: from here on {name} lies {abs(middle):.2f} points {side} the Federal Reserve's "
               "target for three months. Is it in percent, and the rate that its name says?")  # fmt: skip
    if known.beside_policy == "bill" and np.mean(values < 0.0) > MANY_NEGATIVE:
        first = int(np.argmax(values < 0.0))
        yield f"{line(first)}: {np.mean(values < 0.0):.0%} of the values of {name} are negative."


def _beside_table(name: str, days: Days, values: Floats, line: Line) -> Iterator[str]:
    """Where a target is not that of the shipped table; FRED dates it by its announcement or by the day after."""
    if name not in TARGET_UNIT:
        return
    last = load_policy_decisions()["date"].iloc[-1].to_datetime64().astype("datetime64[D]")
    around = [policy_level(days - np.timedelta64(back, "D"))[int(name == "DFEDTARL")] for back in (-1, 0, 1)]
    wrong = (days <= last) & ~np.isnan(around[2])
    wrong &= np.logical_and.reduce([np.abs(values - level) > 1e-6 for level in around])
    if wrong.any():
        yield (f"{line(int(np.argmax(wrong)))}: {name} is not the target that the shipped table of decisions has for "
               f"that day; so on {int(wrong.sum())} days.")  # fmt: skip


def _decimals(name: str, known: KnownSeries, values: Floats, line: Line) -> Iterator[str]:
    if known.decimals is None:
        return
    scaled = values * 10.0**known.decimals
    finer = np.abs(scaled - np.rint(scaled)) > DECIMAL_SLACK[known.decimals]
    if finer.any():
        yield (f"{line(int(np.argmax(finer)))}: {name} has more than {known.decimals} decimals on {int(finer.sum())} "
               f"of {len(values)} days: some may be fractions and not percent, or it is not FRED's file.")  # fmt: skip


def _odd_steps(name: str, days: Days, values: Floats) -> Iterator[str]:
    if len(values) < LEAST_ROWS:
        return
    steps = np.diff(values)
    order = np.argsort(-np.abs(steps), kind="stable")
    # A wrong value makes two steps, there and back; a wrong stretch too.
    largest, partner = int(order[0]), int(order[1])
    is_back = steps[largest] * steps[partner] < 0 and abs(steps[partner]) > 0.5 * abs(steps[largest])
    other = abs(steps[order[2 if is_back else 1]])
    if abs(steps[largest]) > ODD_STEP * other:
        yield (f"{name}: the step to {values[largest + 1]:g} on {days[largest + 1]} is more than {ODD_STEP:g} times as "
               "large as any other; if that day is wrong, correct it.")  # fmt: skip


def judge_futures(day: Days, contract: Days, price: Floats, line: Line) -> tuple[str, ...]:
    """Sentences on settlements by day and contract (its month); DataError for those that cannot be one.

    price: NaN where there is none.
    """
    remedy = "get the table again or correct it"
    is_price = ~np.isnan(price)
    outside = is_price & ~((price >= LOWEST_PRICE) & (price <= HIGHEST_PRICE))
    problems = list(told(outside, line, f"a settlement is 100 less a rate in percent, {LOWEST_PRICE:g} to "
                         f"{HIGHEST_PRICE:g}", remedy))  # fmt: skip
    order = np.lexsort((contract, day))
    problems += told(_again(order, day, contract), line, "the same day and contract stand twice", remedy)
    ahead = contract.astype("datetime64[M]").astype(np.int64) - day.astype("datetime64[M]").astype(np.int64)
    if not problems:
        problems += _curve_problems(order[is_price[order]], day, ahead, price, line, remedy)
    if problems:
        raise DataError(*problems)
    late = int((is_price & (ahead < 0)).sum())
    return (f"{_rows(late)} of the futures' table lie after the contract's month of delivery; no session uses them.",
            ) if late else ()  # fmt: skip


def _again(order: npt.NDArray[np.int64], *keys: Days | Floats) -> Flags:
    """Rows whose keys are those of the row before in `order`."""
    same = np.zeros(len(order), dtype=np.bool_)
    same[order[1:]] = np.logical_and.reduce([key[order][1:] == key[order][:-1] for key in keys])
    return same


def _curve_problems(
    order: npt.NDArray[np.int64], day: Days, ahead: npt.NDArray[np.int64], price: Floats, line: Line, remedy: str
) -> Iterator[str]:
    """order: the rows with a price by day, then by contract."""
    of, at, near = day[order], price[order], (ahead[order] >= 0) & (ahead[order] <= MONTHS_READ)
    same = (of[1:] == of[:-1]) & (ahead[order][1:] == ahead[order][:-1] + 1)
    step = np.where(same, np.diff(at), np.nan)
    before, after = np.concatenate([[np.nan], step]), np.concatenate([-step, [np.nan]])
    kink = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    flagged = np.zeros(len(price), dtype=np.bool_)
    flagged[order] = near & (kink > LARGEST_KINK)
    yield from told(flagged, line, f"more than {LARGEST_KINK:g} from the contracts of the month before and after on "
                    "that day", remedy)  # fmt: skip
    if flagged.any() or not near.any():
        return
    rows = order[near]
    by_contract = rows[np.lexsort((day[rows], ahead[rows] + day[rows].astype("datetime64[M]").astype(np.int64)))]
    month = ahead[by_contract] + day[by_contract].astype("datetime64[M]").astype(np.int64)
    follows = month[1:] == month[:-1]
    change = np.concatenate([[np.nan], np.where(follows, np.diff(price[by_contract]), np.nan)])
    back = np.concatenate([np.where(follows, -np.diff(price[by_contract]), np.nan), [np.nan]])
    spike = np.where(change * back > 0, np.minimum(np.abs(change), np.abs(back)), 0.0)
    flagged[by_contract] = (ahead[by_contract] == 0) & (spike > LARGEST_SPIKE)
    yield from told(
        flagged, line, f"more than {LARGEST_SPIKE:g} from the same contract's days before and after", remedy
    )
    of_row = np.full(len(price), np.nan)
    of_row[by_contract] = change
    changes = of_row[rows]
    first = np.flatnonzero(np.concatenate([[True], day[rows][1:] != day[rows][:-1]]))
    count, up, down = (np.add.reduceat(flags.astype(np.int64), first) for flags in (
        ~np.isnan(changes), changes > LARGEST_DAY, changes < -LARGEST_DAY))  # fmt: skip
    flagged[:] = False
    flagged[rows[first[(count > 2) & (2 * np.maximum(up, down) > count)]]] = True
    yield from told(flagged, line, f"on this day most contracts moved by more than {LARGEST_DAY:g}", remedy)


def judge_probabilities(day: Days, meeting: Days, lower_bps: Floats, value: Floats, line: Line) -> tuple[str, ...]:
    """Sentences on a table of probabilities of target bands; DataError for what cannot be one."""
    remedy = "get the table again or correct it"
    problems = list(told(~((value >= 0.0) & (value <= 1.0)), line, "prob is not a probability from 0 to 1", remedy))
    is_bound = (lower_bps >= 0) & (lower_bps <= 2500) & (np.mod(lower_bps, 12.5) == 0)
    if not problems and len(lower_bps) and (lower_bps.max() < 100 <= 100 * lower_bps.max() and lower_bps.max() > 0):
        is_bound &= lower_bps == 0.0
    problems += told(~is_bound, line, "lower_bp is not a bound in basis points such as 525", remedy)
    order = np.lexsort((lower_bps, meeting, day))
    problems += told(_again(order, day, meeting, lower_bps), line, "the same day, meeting and band stand twice", remedy)
    if not problems and len(order):
        of, to, chance = day[order], meeting[order], value[order]
        begins = np.flatnonzero(np.concatenate([[True], (of[1:] != of[:-1]) | (to[1:] != to[:-1])]))
        total, count = np.add.reduceat(chance, begins), np.diff(np.append(begins, len(order)))
        is_printed = np.logical_and.reduceat(np.abs(chance * 1000 - np.rint(chance * 1000)) < 1e-6, begins)
        slack = np.where(is_printed, np.maximum(PROBABILITY_SLACK, PRINTED * count), PROBABILITY_SLACK)
        off = np.zeros(len(order), dtype=np.bool_)
        off[order[begins[np.abs(total - 1.0) > slack + 1e-9]]] = True
        problems += told(off, line, "the probabilities of this day and meeting do not sum to 1", remedy)
    if problems:
        raise DataError(*problems)
    late = int((day > meeting).sum())
    return (
        (f"{_rows(late)} of the table of probabilities lie after their meeting; no session uses them.",) if late else ()
    )


def judge_releases(month: Days, released: Days, columns: dict[str, Floats], line: Line) -> tuple[str, ...]:
    """Sentences on releases of the consumer price index, percent by month; DataError for what cannot be one."""
    remedy = "get the table again or correct it"
    order = np.argsort(month, kind="stable")
    ended = (month.astype("datetime64[M]") + 1).astype("datetime64[D]")
    after = (released.astype("datetime64[D]") - ended).astype(np.int64)
    problems = list(told(_again(order, month), line, "a reference_month stands twice", remedy))
    problems += told(after < 0, line, "released before its month had ended", remedy)
    problems += told(after > LATEST_RELEASE_DAYS, line,
                     f"released more than {LATEST_RELEASE_DAYS} days after its month", remedy)  # fmt: skip
    for name, values in columns.items():
        limit = 2.5 if name.startswith("headline") else 2.0
        problems += told(
            np.abs(values) > limit, line, f"{name} is not a change in percent by month, up to {limit:g}", remedy
        )
        tenths = np.abs(values * 100 - np.rint(values * 100)) > 1e-6
        problems += told(tenths, line, f"{name} has more than 2 decimals: the change by month is published in percent, "
                         "with one", remedy)  # fmt: skip
    for actual in ("value", "headline"):
        consensus = columns.get("consensus" if actual == "value" else "headline_consensus")
        if consensus is not None and actual in columns:
            problems += told(np.abs(columns[actual] - consensus) > 1.0, line, f"{actual} is more than 1 point from its "
                             "consensus", remedy)  # fmt: skip
    if problems:
        raise DataError(*problems)
    return ()


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
