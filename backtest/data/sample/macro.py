"""The simulated macro observations of the sample: yields, the funds rate, its futures, CPI releases with a consensus.

Where it stands: noise, rates and the policy decisions -> MACRO -> macro_source -> market.

The policy decisions are history. What is simulated under them knows a little of those that were scheduled, the more
the nearer they are, as the bill of `rates` does, and errs by slow noise; it knows nothing of those that were
not. CPI is noise around a slow mean and has to do with nothing else. As in the sample's prices, only elementwise
arithmetic and running sums are used, so that every machine makes the same numbers.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backtest.data.clocks import known_at, known_series
from backtest.data.macro import CPI_HOLDS_DAYS, CPI_RELEASE, TABLE_HOLDS_DAYS, Observed
from backtest.data.policy import load_policy_decisions
from backtest.data.sample.noise import (
    FIRST_DAY,
    LAST_DAY,
    Days,
    Floats,
    Stream,
    normals,
    persistent,
    rounded,
    weekday_numbers,
    weekdays,
)
from backtest.data.sample.rates import bill_rate, scheduled_change
from backtest.errors import DataError
from backtest.units import BEY_DAYS, BILL_DAYS, DISCOUNT_DAYS

SAMPLE_SERIES = ("DGS3MO", "DGS2", "DGS10", "EFFR", "cpi", "zq")

WHERE = "the simulated sample"

TWO_YEARS = np.timedelta64(730, "D")
TWO_YEAR_FORESIGHT, TWO_YEAR_NOISE = 0.4, 0.35
TEN_YEAR_BASE, TEN_YEAR_SHARE, TEN_YEAR_NOISE = 2.0, 0.5, 0.55
"""The ten-year yield stands between a constant and the two-year one; the noises are in percentage points."""

FUNDS_BELOW_MIDDLE, FUNDS_NOISE = 0.02, 0.01
"""How far the effective rate is below the middle of the target, and its daily noise, in percentage points."""

MONTHS_LISTED = 14
FORESIGHT_DAYS, NEAREST_BELIEF = 300.0, 0.97
"""A scheduled move is in the futures' prices from so many days before on, and nearly all of it the day before."""

DOUBT, DOUBT_MEMORY, DOUBT_DAYS = 0.09, 0.97, 90.0
"""Noise of an expected move, percentage points, its memory by day, and from which distance on it is whole."""

TICK = 200
"""Prices are multiples of 0.005."""

CPI_MEAN, CPI_SWING, CPI_MEMORY, CPI_SURPRISE = 0.21, 0.10, 0.93, 0.08
"""Core CPI by month in percent: mean, its slow swing, that one's memory by month, and what nobody foresaw."""


def sample_observed(name: str) -> Observed:
    """One simulated series by name, 2000-2025; DataError for one that is not simulated."""
    if name not in SAMPLE_SERIES:
        raise DataError(f"sample: the series {name!r} is not simulated; there are {', '.join(SAMPLE_SERIES)}")
    if name == "cpi":
        return _cpi()
    if name == "zq":
        return _futures()
    days = weekdays()
    values = {"DGS3MO": _three_months, "DGS2": _two_years, "DGS10": _ten_years, "EFFR": _funds_rate}[name]()
    return _observed(days, known_at(days, known_series()[name].clock), {"value": values}, TABLE_HOLDS_DAYS)


def _observed(happened: Days, known: Days, columns: dict[str, npt.NDArray[np.generic]], holds_days: int) -> Observed:
    digest = hashlib.sha256()
    for values in (happened.astype("datetime64[D]"), *columns.values()):
        digest.update(values.astype("<f8" if values.dtype.kind == "f" else "<i8").tobytes())
    return Observed(happened, known, columns, holds_days, WHERE, digest.hexdigest())


@lru_cache(maxsize=1)
def _decisions() -> tuple[Days, Floats, Floats]:
    """Days of announcement, the middle of the target from each on, and the step of each if it was scheduled."""
    table = load_policy_decisions()
    level = ((table["lower"] + table["upper"]) / 2).to_numpy(dtype=np.float64)
    steps = np.diff(level, prepend=level[0]) * table["scheduled"].to_numpy()
    return table["date"].to_numpy().astype("datetime64[D]"), level, steps


def _known_level(days: Days) -> Floats:
    announced, level, _ = _decisions()
    return np.asarray(level[np.searchsorted(announced, days, side="right") - 1])


def _three_months() -> Floats:
    """The bill's bond-equivalent yield in percent."""
    discount = bill_rate() / 100
    return rounded(100 * BEY_DAYS * discount / (DISCOUNT_DAYS - BILL_DAYS * discount), 100)


def _two_years() -> Floats:
    days = weekdays()
    announced, _, steps = _decisions()
    expected = _known_level(days) + TWO_YEAR_FORESIGHT * scheduled_change(days, announced, steps, TWO_YEARS)
    noise = TWO_YEAR_NOISE * persistent(normals(Stream.YIELDS, 2)[0], memory=0.99)
    return rounded(np.maximum(expected + noise, 0.05), 100)


def _ten_years() -> Floats:
    slow = TEN_YEAR_NOISE * persistent(normals(Stream.YIELDS, 2)[1], memory=0.997)
    return rounded(np.maximum(TEN_YEAR_BASE + TEN_YEAR_SHARE * _two_years() + slow, 0.4), 100)


def _funds_rate() -> Floats:
    """The effective rate of each weekday: a decision changes it the day after."""
    level = _known_level(weekdays() - np.timedelta64(1, "D"))
    noise = FUNDS_NOISE * normals(Stream.FUNDS_RATE, 1)[0]
    return rounded(np.maximum(level - FUNDS_BELOW_MIDDLE + noise, 0.01), 100)


def _futures() -> Observed:
    """Settlements of the contracts of this month and the next thirteen, on every weekday."""
    days = weekdays()
    doubt = DOUBT * persistent(normals(Stream.FUTURES, 1)[0], memory=DOUBT_MEMORY)
    level = _known_level(days)
    doubt = doubt * level / (level + 0.5)
    first, last = FIRST_DAY.astype("datetime64[M]"), LAST_DAY.astype("datetime64[M]")
    happened, prices, contracts = [], [], []
    for month in np.arange(first, last + MONTHS_LISTED):
        begins = (month - (MONTHS_LISTED - 1)).astype("datetime64[D]")
        rows = np.flatnonzero((days >= begins) & (days < (month + 1).astype("datetime64[D]")))
        average = _expected_average(days[rows], level[rows], doubt[rows], month)
        happened.append(days[rows])
        prices.append(rounded(100 - np.maximum(average - FUNDS_BELOW_MIDDLE, 0.0), TICK))
        contracts.append(np.full(len(rows), month))
    day, contract = np.concatenate(happened), np.concatenate(contracts).astype("datetime64[ns]")
    columns: dict[str, npt.NDArray[np.generic]] = {"value": np.concatenate(prices), "contract": contract}
    return _observed(day, known_at(day, "same_close"), columns, TABLE_HOLDS_DAYS)


def _expected_average(days: Days, level: Floats, doubt: Floats, month: np.datetime64) -> Floats:
    """The mean target of a month as seen on each of `days`, percent: what was, what is, and what is expected."""
    start, after = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    length = float((after - start).astype(np.int64))
    calendar = np.arange(start, after)
    before: Days = np.asarray(calendar - np.timedelta64(1, "D"))
    past = np.concatenate([[0.0], np.cumsum(_known_level(before))])
    elapsed = np.clip((days - start).astype(np.int64) + 1, 0, len(calendar))
    average = level + (past[elapsed] - elapsed * level) / length
    announced, _, steps = _decisions()
    near = (announced > days[0]) & (announced < after)
    for meeting, step in zip(announced[near], steps[near].tolist(), strict=True):
        ahead = (meeting - days).astype(np.float64)
        belief = np.clip(NEAREST_BELIEF * (1.0 - (ahead - 1.0) / FORESIGHT_DAYS), 0.0, NEAREST_BELIEF)
        move = step * belief + doubt * np.minimum(ahead / DOUBT_DAYS, 1.0)
        share = float(min((after - max(meeting + 1, start)).astype(np.int64), length)) / length
        average = average + np.where(ahead > 0, move * share, 0.0)
    return np.asarray(average)


def _cpi() -> Observed:
    """Releases on the second Wednesday after each month, from that of December 1999 on; percent by month, rounded."""
    first, last = FIRST_DAY.astype("datetime64[M]") - 1, LAST_DAY.astype("datetime64[M]") - 1
    months = np.arange(first, last + 1)
    draws = normals(Stream.CPI, 3)[:, : len(months)]
    slow = CPI_MEAN + CPI_SWING * persistent(draws[0], memory=CPI_MEMORY)
    core = slow + CPI_SURPRISE * draws[1]
    headline = core + 2 * CPI_SURPRISE * draws[2]
    eighth = (months + 1).astype("datetime64[D]") + 7
    released = np.asarray(eighth + (2 - weekday_numbers(eighth)) % 7 + CPI_RELEASE, dtype="datetime64[m]")
    columns: dict[str, npt.NDArray[np.generic]] = {
        "value": rounded(core, 10),
        "consensus": rounded(slow, 10),
        "headline": rounded(headline, 10),
        "headline_consensus": rounded(slow, 10),
    }
    return _observed(months.astype("datetime64[D]"), released, columns, CPI_HOLDS_DAYS)
