"""The FedWatch table of one day: probabilities by meeting and target band, and why a meeting has none.

Reads:  settlements by contract, the calendar of meetings, the policy decisions.
Gives:  a Table; and, for scoring, the probability of a cut on the eve of each meeting beside what was then decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.series import PointInTime
from backtest.signals.fedwatch import MOVE, DayCount, distribution, months_of, moves_of, solve_rates

LETTERS = "FGHJKMNQUVXZ"
"""Of the delivery months, January to December."""

LEAST_CHANCE = 1e-9
"""Bands below this probability are not listed; what is left out of the sum is smaller than any print."""

Months = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class MeetingOdds:
    """What is priced in for one meeting.

    bands: (lower, upper) of the target in basis points -> probability, ascending; empty when it cannot be solved.
    reason: why it cannot. alone: probability of a cut at this very meeting; NaN when not even that is determined.
    """

    bands: dict[tuple[int, int], float]
    cut: float
    hold: float
    hike: float
    expected_rate: float
    alone: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The odds of each meeting ahead of `day`; target: lower and upper bound then, percent."""

    day: pd.Timestamp
    target: tuple[float, float]
    meetings: dict[pd.Timestamp, MeetingOdds]


def fedwatch_table(
    futures: PointInTime, meetings: pd.DatetimeIndex, target: tuple[float, float], day: pd.Timestamp, count: DayCount
) -> Table:
    """The table at the close of `day`. futures: the series "zq", of which what was known then is used.

    A settlement stands for seven days; delivery months begin with that of `day`, and end with the last one listed or
    with the published calendar (the end of the year after).
    """
    months, averages = known_curve(futures, day)
    scheduled = meetings.to_numpy().astype("datetime64[D]")
    start, end = solve_rates(averages, months_of(months, scheduled), count)
    moves = moves_of(start, end)[0]
    today = np.datetime64(day, "D")
    ahead = scheduled[(scheduled > today) & (scheduled.astype("datetime64[M]") <= months[-1])] if len(months) else []
    places = [int((meeting.astype("datetime64[M]") - months[0]).astype(int)) for meeting in ahead]
    still = _without_price(futures, day)
    found = {}
    for nth, (meeting, place) in enumerate(zip(ahead, places, strict=True)):
        path = moves[places[: nth + 1]]
        reason = _reason(averages[0], months, ahead, places, moves, nth, still)
        found[pd.Timestamp(meeting)] = _odds(path, target, float(np.clip(-moves[place], 0.0, 1.0)), reason)
    return Table(day, target, found)


def known_curve(futures: PointInTime, day: pd.Timestamp) -> tuple[Months, npt.NDArray[np.float64]]:
    """Delivery months from that of `day` on, and the mean rate each one's last settlement implies: (1, months)."""
    frame = futures.until(day).frame
    month = np.datetime64(day, "M")
    is_fresh = frame["happened"] >= day - pd.Timedelta(days=7)
    contract = frame["contract"].to_numpy().astype("datetime64[M]")
    year_end = month.astype("datetime64[Y]").astype("datetime64[M]") + 23
    used = is_fresh.to_numpy() & (contract >= month) & (contract <= year_end)
    latest = dict(zip(contract[used].tolist(), frame["value"].to_numpy()[used].tolist(), strict=True))
    if not latest:
        return np.array([], dtype="datetime64[M]"), np.empty((1, 0))
    months = np.arange(month, np.datetime64(max(latest), "M") + 1)
    return months, np.array([[100.0 - latest.get(each, np.nan) for each in months.tolist()]])


def _without_price(futures: PointInTime, day: pd.Timestamp) -> Months:
    """Delivery months that were listed within the last seven days, without a price that is one."""
    frame = futures.until(day).frame
    fresh = frame[frame["happened"] >= day - pd.Timedelta(days=7)]
    latest = fresh.drop_duplicates("contract", keep="last")
    return latest.loc[latest["value"].isna(), "contract"].to_numpy().astype("datetime64[M]")


def _odds(path: Any, target: tuple[float, float], alone: float, reason: str) -> MeetingOdds:
    if reason:
        nan = float("nan")
        return MeetingOdds({}, nan, nan, nan, nan, alone, reason)
    spread = distribution(path[None])
    lowest = int(spread.lowest[0])
    lower, upper = (round(100 * bound) for bound in target)
    step = round(100 * MOVE)
    bands = {
        (lower + step * (lowest + k), upper + step * (lowest + k)): float(chance)
        for k, chance in enumerate(spread.chances[0])
        if chance > LEAST_CHANCE
    }
    expected = (target[0] + target[1]) / 2 + MOVE * float(spread.mean[0])
    return MeetingOdds(bands, float(spread.below[0]), float(spread.same[0]), float(spread.above[0]), expected, alone)


def _reason(
    averages: npt.NDArray[np.float64],
    months: Months,
    ahead: Any,
    places: list[int],
    moves: Any,
    nth: int,
    still: Months,
) -> str:
    """Why a meeting has no probabilities; empty when it has."""
    unsolved = [each for each in range(nth + 1) if np.isnan(moves[places[each]])]
    if not unsolved:
        return ""
    first = unsolved[0]
    place = places[first]
    near = [p for p in (place, place + 1, place - 1) if p >= 0 and (p >= len(months) or np.isnan(averages[p]))]
    stood = [contract_name(months[0] + p) for p in near if months[0] + p in still]
    named = [contract_name(months[0] + p) for p in near if months[0] + p not in still]
    told = [f"no settlement of {', '.join(named)}"] if named else []
    told += [f"the price of {', '.join(stood)} has stood still for weeks without a trade"] if stood else []
    lacking = "; ".join(told) or "the months around it do not anchor it"
    return lacking if first == nth else f"the meeting of {ahead[first]} before it is not determined: {lacking}"


def contract_name(month: np.datetime64) -> str:
    """ZQU24 for September 2024."""
    text = str(month.astype("datetime64[M]"))
    return f"ZQ{LETTERS[int(text[5:]) - 1]}{text[2:4]}"


def eve_probabilities(
    futures: PointInTime, meetings: pd.DatetimeIndex, policy: pd.DataFrame, sessions: pd.DatetimeIndex, before: int
) -> pd.DataFrame:
    """Each held meeting with the probability of a cut at it, so many sessions before, and whether it cut.

    Columns meeting, day, probability, is_cut; meetings that could not be solved are left out.
    """
    changes = dict(zip(policy["date"].tolist(), policy["change_bps"].tolist(), strict=True))
    rows = []
    for meeting in meetings:
        place = int(sessions.searchsorted(meeting)) - before
        if meeting not in changes or not 0 <= place < len(sessions):
            continue
        day = sessions[place]
        odds = fedwatch_table(futures, meetings, (0.0, 0.25), day, "before").meetings.get(meeting)
        if odds is not None and not np.isnan(odds.alone):
            rows.append((meeting, day, odds.alone, changes[meeting] < 0))
    return pd.DataFrame(rows, columns=["meeting", "day", "probability", "is_cut"])


def brier(probability: npt.NDArray[np.float64], happened: npt.NDArray[np.bool_]) -> float:
    """Mean squared error of probabilities (Brier 1950): 0 is perfect, that of the base rate is rate x (1 - rate)."""
    return float(np.mean((probability - happened) ** 2))


EDGES = (0.0, 0.1, 0.5, 0.9, 1.0)
"""Of the bins in which probabilities are compared with what happened."""


def reliability(probability: npt.NDArray[np.float64], happened: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    """Per bin of probability: from, to, count, the mean probability, and the share in which it was cut."""
    found = []
    for low, high in pairwise(EDGES):
        inside = (probability >= low) & ((probability < high) | (high == EDGES[-1]))
        if inside.any():
            mean, cut = float(probability[inside].mean()), float(happened[inside].mean())
            found.append({"from": low, "to": high, "count": int(inside.sum()), "mean": mean, "cut": cut})
    return found
