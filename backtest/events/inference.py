"""Error bars of an event study: numbers in, numbers out.

    rows of events, relative returns by session -> windows, their mean -> t by five ways of counting -> placebo

A window of 252 sessions after each of seven cuts of one winter is one episode and not seven: the naive t counts it
seven times. What respects the overlap counts each session once (calendar time, with HAC errors), counts only windows
that do not overlap, compares with the whole calendar of events moved to every other place (the placebo keeps its
clusters), or takes each cycle as one observation. With fewer than ten cycles nothing is resampled.

A row is a session of the pair's prices; returns[t] is earned from the close of t - 1 to that of t. A window (a, b] of
an event on row r earns returns r + a + 1 to r + b.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

HAC_LAGS, HAC_LAGS_MONTHLY = 10, 6
"""Of Newey and West: two weeks of sessions, half a year of months."""

T_DIGITS = 9
"""Of a studentised mean that are compared: beyond them two ways to the same number differ."""

FEWEST_SHIFTS = 100
"""Places to move the calendar to; with fewer a p-value of .05 says little."""

DETECTED = 0.8
"""The effect that could be seen is the one found four times in five."""

SIZE = 0.05


@dataclass(frozen=True)
class EventSample:
    """Windows of one list and pair. values: relative return of each complete one; rows: day 0 of each."""

    values: Floats
    rows: Rows

    @property
    def mean(self) -> float | None:
        """Arithmetic mean over the windows."""
        return float(self.values.mean()) if len(self.values) else None

    @property
    def median(self) -> float | None:
        """Of the windows."""
        return float(np.median(self.values)) if len(self.values) else None

    @property
    def hit(self) -> float | None:
        """Share of the windows above 0."""
        return float((self.values > 0).mean()) if len(self.values) else None


def apart(rows: Rows, length: int) -> npt.NDArray[np.bool_]:
    """Greedily, in order: True for each event that begins when the window of the last one taken has ended."""
    taken = np.zeros(len(rows), dtype=np.bool_)
    free = -1
    for place, row in enumerate(rows.tolist()):
        if place == 0 or row >= free:
            taken[place], free = True, row + length
    return taken


def covered(rows: Rows, window: tuple[int, int], sessions: int) -> Floats:
    """1.0 for each session inside a window of any event, 0.0 elsewhere; shape (sessions,). Windows may be cut off."""
    edges = np.zeros(sessions + 1)
    for end, step in zip(window, (1.0, -1.0), strict=True):
        np.add.at(edges, np.clip(rows + end + 1, 0, sessions), step)
    return (np.cumsum(edges)[:-1] > 0).astype(np.float64)


def timing_curve(inside: Floats, returns: Floats) -> Floats:
    """(in a window - its average share) x return: each session once; its mean is what the events add."""
    return np.asarray((inside - inside.mean()) * returns)


def hac_t(curve: Floats, lags: int) -> float | None:
    """T of the curve's mean with the errors of Newey and West (Bartlett weights); None where they are not positive."""
    if not len(curve):
        return None
    x = curve - curve.mean()
    total = float(x @ x)
    for lag in range(1, min(lags, len(x) - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(x[lag:] @ x[:-lag])
    return float(curve.sum()) / math.sqrt(total) if total > 0 else None


@dataclass(frozen=True, eq=False)
class Placebo:
    """The calendar of events moved, in a circle, to every other place.

    t: studentised mean of the sessions in windows, less that of all, where the events are. shifted: the same at every
    place that is allowed. p: one-sided, None with a reason where nothing can be said. seen: the effect a window that
    would be found four times in five at 5 %, None without p.
    """

    t: float | None
    shifted: Floats
    p: float | None
    reason: str = ""
    seen: float | None = None


class Waves:
    """Returns with the Fourier transforms of them and of their squares, which all windows of a pair share."""

    def __init__(self, returns: Floats) -> None:
        self.returns = returns
        self.of_returns, self.of_squares = np.fft.rfft(returns), np.fft.rfft(returns**2)

    def moved(self, inside: Floats) -> tuple[Floats, Floats]:
        """Sums of returns and squares inside the windows, moved on by 0, 1, 2, ... sessions in a circle."""
        windows, n = np.fft.rfft(inside).conj(), len(self.returns)
        return np.fft.irfft(windows * self.of_returns, n), np.fft.irfft(windows * self.of_squares, n)


def placebo(inside: Floats, waves: Waves, length: int, memory: int = 0) -> Placebo:
    """Move the windows through all sessions at once (by Fourier transforms) and ask how often chance does as well.

    length: sessions of a window. memory: sessions of prices that the list was computed from, 0 for one that was not:
    places so near that the windows reach into what chose the events are left out.
    """
    none = np.zeros(0)
    share = float(inside.mean()) if len(inside) else 0.0
    if not 0 < share < 1:
        told = "no session lies inside a window" if share == 0 else "the windows cover every session"
        return Placebo(None, none, None, told)
    sums, squares = waves.moved(inside)
    count = float(inside.sum())
    mean = sums / count
    error = np.sqrt(np.maximum(squares / count - mean**2, 1e-30) / count)
    t = np.round((mean - waves.returns.mean()) / error, T_DIGITS)
    allowed = np.ones(len(t), dtype=np.bool_)
    allowed[0] = False
    if memory:
        allowed[1 : memory + 1] = False
        allowed[len(t) - memory - length + 1 :] = False
    shifted = t[allowed]
    if len(shifted) < FEWEST_SHIFTS:
        return Placebo(float(t[0]), shifted, None, f"fewer than {FEWEST_SHIFTS} places to move the events to")
    p = (1 + int((shifted >= t[0]).sum())) / (1 + len(shifted))
    limit = float(np.quantile(shifted, 1 - SIZE, method="higher"))

    # The same added to each session inside moves the mean and not its error: so much is lacking at each place.
    lacking = (limit - shifted) * error[allowed] * length / (1 - share)
    seen = max(0.0, float(np.quantile(lacking, DETECTED, method="higher")))
    return Placebo(float(t[0]), shifted, p, seen=seen)
