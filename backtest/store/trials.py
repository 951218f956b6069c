"""A trial is known by its account: when are two of them the same one, whatever they are called?

    a Batch of daily active returns -> projections, hashes -> an identity each -> the ledger

Same prices, same sessions, same first benchmark, daily active returns within 1e-8: the same trial. Names, studies,
folders, commands and the spelling of legs and of the benchmark do not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backtest.statistics.search import Curves

SAME_RETURN = 1e-8
"""Largest daily difference of two accounts that are the same trial."""

COMPARED_AT_ONCE = 10_000
"""Trials looked up at a time, for memory."""

INDEX = np.dtype([("ahead", "<u8"), ("timing", "<u8"), ("sketch", "<f8", (4,)), ("active", "<i4")])
"""One row a trial: identity of its active curve and of its timing curve, four projections, active sessions."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Trials of one command on the same sessions against the same first benchmark.

    prices: "real" or "simulated": two worlds, which are never one search. names, questions: one a trial; questions
    are hashes of what was asked. ahead, timing: their block sums (timing zero where it has no mix).
    active: (sessions x trials) daily active returns, exact; without a benchmark (its name empty, ahead zero) those over
    the mix. begin, end: first and last session, ISO. is_large: of a search so large that no
    daily returns are kept.
    """

    prices: str
    command: str
    study: str
    benchmark: str
    begin: str
    end: str
    periods_per_year: int
    names: tuple[str, ...]
    questions: tuple[str, ...]
    ahead: Curves
    timing: Curves
    active: NDArray[np.float64]
    is_large: bool = False

    @property
    def context(self) -> int:
        """What is one search: the prices, and how long a row of the curves is."""
        return _hashed(self.prices, str(self.periods_per_year))

    @property
    def place(self) -> int:
        """Where two equal accounts are the same trial; the spelling of a benchmark, by legs or tickers, is no account:
        another one shows in the active returns.
        """
        has = "benchmark" if self.benchmark else ""
        return _hashed(str(self.context), has, self.begin, self.end, str(self.ahead.counts.tolist()))


def merged(batch: Batch, index: NDArray[Any], fresh: NDArray[np.intp]) -> NDArray[np.intp]:
    """Give equal accounts among these trials one identity; the first of each."""
    twins = _first_of_equals(batch, index[fresh], fresh)
    for name in ("ahead", "timing"):
        index[name][fresh] = index[name][twins]
    return np.asarray(fresh[twins == fresh])


def alike(
    mine: NDArray[np.float64], theirs: NDArray[np.float64], sessions: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs whose projections are as near as those of the same account must be."""
    order = np.argsort(theirs[:, 0], kind="stable")
    sorted_first, most = theirs[order, 0], sessions * SAME_RETURN
    pairs = [(np.zeros(0, np.intp), np.zeros(0, np.intp))]
    for begin in range(0, len(mine), COMPARED_AT_ONCE):
        some = mine[begin : begin + COMPARED_AT_ONCE]
        low = np.searchsorted(sorted_first, some[:, 0] - most, side="left")
        count = np.searchsorted(sorted_first, some[:, 0] + most, side="right") - low
        i = np.repeat(np.arange(len(some)), count)
        j = order[np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)]
        near = (np.abs(some[i] - theirs[j]) <= most).all(axis=1)
        pairs.append((i[near] + begin, j[near]))
    return np.concatenate([i for i, _ in pairs]), np.concatenate([j for _, j in pairs])


def is_same(batch: Batch, i: int, curves: Curves, j: int, daily: NDArray[np.float32] | None) -> bool:
    """Daily active returns within SAME_RETURN, in the precision in which they are known; else their block sums."""
    if daily is not None:
        own = batch.active[:, i]
        return bool((np.abs(own - daily) <= SAME_RETURN + np.abs(own) * 2.0**-24).all())
    sums, squares = batch.ahead.sums[i].astype(np.float64), batch.ahead.squares[i].astype(np.float64)
    most = batch.ahead.counts * SAME_RETURN
    return bool(
        (np.abs(sums - curves.sums[j]) <= most + np.abs(sums) * 2.0**-23).all()
        and (np.abs(squares - curves.squares[j]) <= 2 * most * np.sqrt(squares) + squares * 2.0**-23).all()
    )


def _first_of_equals(batch: Batch, index: NDArray[Any], places: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each of these trials of a batch the first that is the same account."""
    # Most equal accounts are equal to the last bits: they are found by sorting, and only one of each is compared.
    _, one, which = np.unique(np.round(index["sketch"], 9) + 0.0, axis=0, return_index=True, return_inverse=True)
    first = places.copy()
    sketches = index["sketch"][one]
    for i, j in sorted(zip(*(each.tolist() for each in alike(sketches, sketches, len(batch.active))), strict=True)):
        a, b = int(one[i]), int(one[j])
        if b < a and first[a] == places[a] and first[b] == places[b]:
            difference = np.abs(batch.active[:, places[a]] - batch.active[:, places[b]])
            if difference.max() <= SAME_RETURN:
                first[a] = places[b]
    return np.asarray(first[one][which.ravel()])


def index_of(batch: Batch) -> NDArray[Any]:
    """Identities and projections of a batch's trials, from its exact daily returns."""
    sessions, trials = batch.active.shape
    rng = np.random.default_rng(20240716)
    directions = np.where(rng.random((sessions, 4)) < 0.5, -1.0, 1.0)
    index = np.zeros(trials, INDEX)
    index["sketch"] = batch.active.T @ directions
    index["active"] = (np.abs(batch.active) > SAME_RETURN).sum(axis=0)
    known_by = batch.ahead if batch.benchmark else batch.timing
    for name, curves, where in (("ahead", known_by, batch.place), ("timing", batch.timing, batch.context)):
        start = f"{where}-{batch.begin}-{batch.end}".encode()
        rows = (np.round(curves.sums.astype(np.float64) * 1e6) + 0.0).astype("<i8")
        hashes = [hashlib.sha256(start + row.tobytes()).digest()[:8] for row in rows]
        index[name] = np.frombuffer(b"".join(hashes), "<u8")
    return index


def used_hash(ids: Sequence[NDArray[np.uint64]]) -> str:
    """sha256 (hex) of the identities of trials, in no order."""
    every = np.unique(np.concatenate([np.zeros(0, np.uint64), *ids])).astype("<u8")
    return hashlib.sha256(every.tobytes()).hexdigest()


def _hashed(*words: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(words).encode()).digest()[:8], "little")
