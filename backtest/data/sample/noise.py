"""Randomness of the simulated sample that is the same to the last bit on every machine.

Where it stands: NOISE -> rates -> funds -> prices. Nothing here knows a fund or a rate.

Two machines differ in their mathematical libraries (exp, log, matrix products), in how they split a sum over lanes,
and in how a version of numpy turns random bits into a normal number. So none of these is used. The bits are those of
PCG64, whose integer stream numpy guarantees for ever; a normal number is a sum of twelve 16-bit integers; everything
after that is elementwise + - * / and sqrt and running products, which IEEE 754 defines to the last bit. What would be
a geometric motion elsewhere is a product of 1 + simple returns here.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from backtest.series import Days as Days
from backtest.series import Floats as Floats

FIRST_DAY, LAST_DAY = np.datetime64("2000-01-03"), np.datetime64("2025-12-31")
"""The first and the last session of the sample."""

SEED = 561
"""How it was chosen: see prices.py."""

WEEKDAYS_PER_YEAR = 261
"""Mondays to Fridays in a year, holidays included: the clock of the simulation."""

TERMS = 12
"""Uniform numbers in a normal one: their variances are 1/12 each, so that their sum has variance 1."""

WORD = 65536
"""Values of a 16-bit integer."""

WEEKDAY_OF_EPOCH, SATURDAY = 3, 5
"""1970-01-01 was a Thursday, three days after a Monday."""


class Stream(IntEnum):
    """One stream of random bits per purpose: adding a purpose later does not change the numbers of the others."""

    MARKET = 1
    CLIMATE = 2
    LEADERSHIP = 3
    DETAIL = 4
    BILL_RATE = 5
    BILL_FUND = 6
    BILL_DETAIL = 7
    YIELDS = 8
    FUTURES = 9
    CPI = 10
    FUNDS_RATE = 11
    BONDS = 12
    FURTHER_FUND = 13
    FURTHER_DETAIL = 14


def weekdays() -> Days:
    """Mondays to Fridays from FIRST_DAY to LAST_DAY, datetime64[D]; the rows of everything simulated.

    Exchange holidays are among them: the world turns on, and the next open shows it. So the calendar only picks rows,
    and a calendar that knows one holiday more or less moves no price on any other day.
    """
    days = np.arange(FIRST_DAY, LAST_DAY + np.timedelta64(1, "D"))
    return days[weekday_numbers(days) < SATURDAY]


def weekday_numbers(days: Days) -> npt.NDArray[np.int64]:
    """0 on a Monday, 6 on a Sunday."""
    return np.asarray((days.astype(np.int64) + WEEKDAY_OF_EPOCH) % 7)


def normals(stream: Stream, columns: int, *, part: int = 0) -> Floats:
    """Independent, nearly normal numbers of mean 0 and variance 1, shape (columns, weekdays).

    part: of a stream that is divided, one for each fund for instance, so that one more changes no other.

    A sum of twelve uniform numbers (Irwin-Hall) ends at 6 and has kurtosis 2.9; a market's fat tails come from
    `clustered_variance`.
    """
    words = _words(stream, TERMS * columns, part).reshape(TERMS, columns, -1)
    total = words.sum(axis=0, dtype=np.int64)
    return np.asarray((total - TERMS * (WORD - 1) / 2) / WORD)


def uniforms(stream: Stream, columns: int, *, part: int = 0) -> Floats:
    """Independent uniform numbers in [0, 1), shape (columns, weekdays)."""
    return _words(stream, columns, part).astype(np.float64) / WORD


def _words(stream: Stream, columns: int, part: int) -> npt.NDArray[np.uint16]:
    rows = len(weekdays())
    longs = np.random.PCG64([SEED, stream, part] if part else [SEED, stream]).random_raw(columns * rows // 4 + 1)
    return longs.astype("<u8").view("<u2")[: columns * rows].reshape(columns, rows)


def clustered_variance(shocks: Floats, *, rise: float, fall: float, memory: float) -> Floats:
    """Variance of each row, around 1: high after large shocks, higher after large falls.

    h_{t+1} = (1 - memory - (rise + fall) / 2) + memory h_t + k h_t z_t^2, where k is `rise` after a
    shock z_t >= 0 and `fall` after a negative one: the GARCH of Glosten, Jagannathan and Runkle (1993).
    """
    base = 1.0 - memory - (rise + fall) / 2
    path, h = [], 1.0
    for z in shocks.tolist():
        path.append(h)
        h = base + memory * h + (rise if z >= 0.0 else fall) * h * z * z
    return np.array(path)


def pendulum(shocks: Floats, *, memory: float, pull: float, deviation: float) -> Floats:
    """A drift per row that persists, and swings back before its sum goes far; standard deviation about `deviation`.

    v_{t+1} = memory v_t - pull x_t + s z_t,  x_{t+1} = x_t + v_{t+1},  s = deviation * sqrt(1 - memory^2)
    """
    scale = deviation * math.sqrt(1.0 - memory * memory)
    path, position, drift = [], 0.0, 0.0
    for z in shocks.tolist():
        drift = memory * drift - pull * position + scale * z
        position += drift
        path.append(drift)
    return np.array(path)


def persistent(shocks: Floats, *, memory: float) -> Floats:
    """A first-order autoregression of variance 1: x_{t+1} = memory x_t + sqrt(1 - memory^2) z_t."""
    scale = math.sqrt(1.0 - memory * memory)
    path, x = [], 0.0
    for z in shocks.tolist():
        x = memory * x + scale * z
        path.append(x)
    return np.array(path)


def rounded(values: Floats, per_unit: int) -> Floats:
    """Values to the nearest 1 / per_unit, halves to even."""
    return np.rint(values * per_unit) / per_unit
