"""Decision: what to hold after each close, and the evidence that led to it.

The flow: config -> market -> DECISION -> fills -> result -> metrics -> report. A strategy's `decide` returns one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.errors import RunError
from backtest.market import CASH, Between, Floats, Legs, Market
from backtest.text import capital

SHORT_EVIDENCE = 0.05
"""When evidence is unknown for a larger share of the test, the years of evidence are told, and are without that."""

WITHIN_ROUNDING = 1e-9
"""How far beyond 1 the shares of a session, and how far from its own sum the weights of a leg, may add up."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One series that led to a decision, as the report, `why` and the reasons beside trades show it.

    Parameters
    ----------
    name : str
        Column of decisions.csv.
    values : ndarray of float, shape (sessions,)
        In `unit`; NaN while not known.
    unit : str
        `return` (a fraction), `sessions`, ...
    thresholds : tuple of float
        Levels of `values` at which the signal changes.
    label : str
        What pages call it; its name when empty.
    leans : ndarray of float, shape (sessions,), optional
        What this series alone says of holding `leg`: 1.0 yes, 0.0 no, NaN not known.
    leg : str
        A leg's name, or `cash`.
    phrase : function of a row, optional
        Why, in a few words and lower case ("small leads by 2.7 points"); without it label and value are told.
    switch : function of an array, optional
        What the signal would say of other values of the same shape: 1.0 yes, 0.0 no, NaN not known; pure. By it `why`
        tells how far the signal is from flipping.
    event : str
        The list of `backtest events` that it reads, such as `cuts`; empty for none.
    event_terms : mapping
        What defines that list where it is not the usual one, by the keys of an event study.
    """

    name: str
    values: Floats
    unit: str = ""
    thresholds: tuple[float, ...] = ()
    label: str = ""
    leans: Floats | None = None
    leg: str = ""
    phrase: Callable[[int], str] | None = None
    switch: Callable[[Floats], Floats] | None = None
    event: str = ""
    event_terms: Mapping[str, Any] = field(default_factory=dict)

    def known_span(self, begin: int) -> tuple[int, int]:
        """First and last row with a value, counted from row `begin`; one that is never known has last below first."""
        known = np.flatnonzero(~np.isnan(np.asarray(self.values, dtype=np.float64)[begin:]))
        return (int(known[0]), int(known[-1])) if len(known) else (len(self.values) - begin, -1)

    def say(self, row: int) -> str:
        """Why, in a few words.

        Parameters
        ----------
        row : int
            Of the session.

        Returns
        -------
        str
        """
        if self.phrase is not None:
            return self.phrase(row)
        value = float(self.values[row])
        return f"{self.label or self.name} " + (
            "not known yet" if np.isnan(value) else f"{value:.6g} {self.unit}".strip()
        )


class EvidenceWhenAsked(Sequence[Evidence]):
    """Evidence that is made when first looked at: of a thousand variants in a sweep nobody looks at any.

    make: gives it, always the same; it is pure, as `decide` is.
    """

    def __init__(self, make: Callable[[], Sequence[Evidence]]) -> None:
        self._make = cache(make)

    def __len__(self) -> int:
        return len(self._make())

    @overload
    def __getitem__(self, place: int) -> Evidence: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Evidence]: ...

    def __getitem__(self, place: int | slice) -> Evidence | Sequence[Evidence]:
        return self._make()[place]


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a rule: a signal, or a combination of branches.

    Parameters
    ----------
    words : str
        What it asks, for people.
    state : ndarray of float, shape (sessions,)
        1.0 yes, 0.0 no, NaN when it abstains. Made read-only: variants with the same branch share it.
    degree : ndarray of float, shape (sessions,)
        How much of it is fulfilled, in [0, 1]; NaN likewise.
    children : tuple of Branch
        Of a combination.
    evidence : Evidence, optional
        Of a signal; None of a combination.
    merge : function of (states of the children, row), optional
        The state they make.
    """

    words: str
    state: Floats
    degree: Floats
    children: tuple[Branch, ...] = ()
    evidence: Evidence | None = None
    merge: Callable[[Sequence[float], int], float] | None = None

    def __post_init__(self) -> None:
        for values in (self.state, self.degree):
            values.setflags(write=False)  # all variants with the same branch share it

    @property
    def nbytes(self) -> int:
        """Size of the arrays, those of a signal's evidence included (at most as many again)."""
        return (self.state.nbytes + self.degree.nbytes) * (1 if self.evidence is None else 2)


@dataclass(frozen=True, slots=True)
class Scored:
    """One of those that are scored. roles: ranked, defensive, canary or hurdle. place: among the ranked, 0 for none.

    value: its score at the close asked about; at_look: that of the look which decided, NaN before the first.
    flip: the least change of its own score that makes a look at this close decide otherwise, NaN when none does; then:
    the shares by leg that it would decide.
    """

    name: str
    label: str
    roles: tuple[str, ...]
    value: float
    at_look: float
    place: int
    flip: float
    then: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The scores behind what is held at a close. looked: row of the look that decided, -1 before the first.

    hurdle: what a score has to exceed, in words and at this close. slots: who has each, in words. now: the shares by
    leg that a look at this close decides; None where too little is known.
    """

    looked: int
    unit: str
    rows: tuple[Scored, ...]
    hurdle: tuple[str, float] | None
    slots: tuple[str, ...]
    now: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class Decision:
    """Per session the share of the whole in each leg, the rest in cash, and why.

    Parameters
    ----------
    shares : ndarray of float, shape (sessions, legs), or Between
        Each at least 0, the sum of a session at most 1; a row of NaN while the signal is not known, when `initial` is
        held. `legs.between` makes the short form for two legs.
    evidence : sequence of Evidence
        The series that led to it.
    reason : function of a row, optional
        Why, in words; without it the evidence that leans the way decided speaks.
    rules : dict of str to Branch
        The trees it came from, by what they ask for, when the strategy has such.
    within : dict of leg to ticker to ndarray, shape (sessions,), optional
        Weights within a leg per session, where these are not the leg's own constants.
    is_observed : bool
        Read off the books of a strategy that trades in its own `next`, which does not say in advance.
    standing : function of a row, optional
        The scores it came from, when the strategy ranks legs.
    """

    shares: Floats | Between
    evidence: Sequence[Evidence] = ()
    reason: Callable[[int], str] | None = field(default=None)
    rules: Mapping[str, Branch] = field(default_factory=dict)
    within: Mapping[str, Mapping[str, Floats]] | None = None
    is_observed: bool = False
    standing: Callable[[int], Standing] | None = None

    @cached_property
    def by_leg(self) -> Floats:
        """The shares as an array, (sessions, legs), a row of NaN while not known."""
        return self.shares.array() if isinstance(self.shares, Between) else np.asarray(self.shares, dtype=np.float64)

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        """Whether the signal is known, (sessions,)."""
        part = self.shares.part if isinstance(self.shares, Between) else self.by_leg[:, 0]
        return ~np.isnan(part)

    def evidence_rows(self, begin: int) -> slice | None:
        """Rows from `begin` on, counted from there, from the first to the last on which all its evidence is known.

        None where that is all of the test, or all but SHORT_EVIDENCE of it.
        """
        n = len(self.is_known) - begin
        spans = [each.known_span(begin) for each in self.evidence] or [(0, n - 1)]
        first, end = max(first for first, _ in spans), min(last for _, last in spans) + 1
        return None if end - first >= (1 - SHORT_EVIDENCE) * n else slice(first, max(first, end))

    def held(self, legs: Legs, initial: str) -> Floats:
        """The shares that are held, with those of `initial` while the signal is not known.

        Parameters
        ----------
        legs : Legs
            Of the config.
        initial : str
            A leg, or `cash`.

        Returns
        -------
        ndarray of float, shape (sessions, legs)
            Without NaN.
        """
        return np.where(self.is_known[:, None], self.by_leg, legs.alone(initial))

    def why(self, row: int, legs: Legs) -> str:
        """The reason of what is held after a row: the evidence that leans the way decided, as one sentence.

        Parameters
        ----------
        row : int
            Of the session.
        legs : Legs
            Of the config.

        Returns
        -------
        str
        """
        if self.reason is not None:
            return capital(self.reason(row))
        if not self.is_known[row]:
            return "Signal not known yet: the initial holding"
        shares = self.by_leg[row]
        share_of = {**dict(zip(legs.names, shares, strict=True)), CASH: 1.0 - shares.sum()}
        side = [e for e in self.evidence if e.leans is not None and e.leans[row] == round(share_of.get(e.leg, 0.0))]
        return capital("; ".join(e.say(row) for e in side or self.evidence) or "The rule said so")


def check_decision(decision: Decision, market: Market, legs: Legs) -> Decision:
    """The decision itself, or RunError naming the first session at which it is not a decision."""
    sessions = market.sessions
    if isinstance(decision.shares, Between):
        _check_path(decision.shares, sessions)
    else:
        _check_shares(decision.by_leg, sessions, legs)
    looked_at = () if isinstance(decision.evidence, EvidenceWhenAsked) else decision.evidence
    for evidence in looked_at:
        if len(evidence.values) != len(sessions):
            raise RunError(f"decide: evidence {evidence.name} has {len(evidence.values)} rows, not {len(sessions)}")
    if decision.within is not None:
        check_within(decision.within, market, legs)
    return decision


def _check_path(path: Between, sessions: pd.DatetimeIndex) -> None:
    part = np.asarray(path.part, dtype=np.float64)
    if part.shape != (len(sessions),):
        raise RunError(f"decide: shares has shape {part.shape}, one value per session is {(len(sessions),)}")
    bad = (part < 0.0) | (part > 1.0)
    if bad.any():
        row = int(np.argmax(bad))
        raise RunError(f"decide: the share is {part[row]} on {sessions[row]:%Y-%m-%d}, a share is in [0, 1]")


def _check_shares(shares: Floats, sessions: pd.DatetimeIndex, legs: Legs) -> None:
    if shares.shape != (len(sessions), len(legs.names)):
        wanted = (len(sessions), len(legs.names))
        raise RunError(f"decide: shares has shape {shares.shape}, one row per session and a column per leg is {wanted}")
    known = ~np.isnan(shares)
    bad = (known.any(axis=1) != known.all(axis=1))[:, None] | (shares < 0.0) | (shares > 1.0 + WITHIN_ROUNDING)
    if bad.any():
        row, leg = divmod(int(np.argmax(bad)), bad.shape[1])
        raise RunError(
            f"decide: the share of {legs.names[leg]} is {shares[row, leg]} on {sessions[row]:%Y-%m-%d}, a share is in "
            "[0, 1], or not known for all legs at once"
        )
    total = shares.sum(axis=1)
    if (total > 1.0 + WITHIN_ROUNDING).any():
        row = int(np.argmax(total > 1.0 + WITHIN_ROUNDING))
        raise RunError(f"decide: the shares sum to {total[row]} on {sessions[row]:%Y-%m-%d}, expected at most 1")


def check_within(within: Mapping[str, Mapping[str, Floats]], market: Market, legs: Legs) -> None:
    """Raise RunError if a leg's weights by session are invalid: each in [0, 1], together what the leg's own sum to."""
    sessions = market.sessions
    for name, leg in within.items():
        if name not in legs.names:
            raise RunError(f"decide: within: {name} is no leg, there are {', '.join(legs.names)}")
        total = np.zeros(len(sessions))
        for ticker in legs[name]:
            values = np.asarray(leg.get(ticker, np.nan), dtype=np.float64)
            if values.shape != (len(sessions),):
                raise RunError(f"decide: within: {ticker} has no weight per session: {len(sessions)} are expected")
            if not ((values >= 0.0) & (values <= 1.0)).all():
                row = int(np.argmin((values >= 0.0) & (values <= 1.0)))
                raise RunError(f"decide: within: {ticker} is {values[row]} on {sessions[row]:%Y-%m-%d}, not in [0, 1]")
            total += values
        own = math.fsum(legs[name].values())
        if (abs(total - own) > WITHIN_ROUNDING).any():
            row = int(np.argmax(abs(total - own)))
            raise RunError(
                f"decide: within: the {name} leg adds up to {total[row]} on {sessions[row]:%Y-%m-%d}, not {own:g}"
            )


def target_weights(decision: Decision, legs: Legs, tickers: tuple[str, ...], initial: str) -> Floats:
    """Weights to hold after each session's close, shape (sessions, tickers)."""
    shares = decision.held(legs, initial)
    if decision.within is None:
        return legs.weights(tickers, shares)
    total = np.zeros((len(shares), len(tickers)))
    column = {ticker: i for i, ticker in enumerate(tickers)}
    for name, share in zip(legs.names, shares.T, strict=True):
        inside: Mapping[str, Floats | float] = decision.within.get(name, legs[name])
        for ticker, weight in inside.items():
            total[:, column[ticker]] += share * weight
    return total


def decisions_frame(decision: Decision, market: Market, legs: Legs, initial: str) -> pd.DataFrame:
    """`share_<LEG>` as held (initial filled in), `cash` and each evidence series, indexed by session."""
    shares = decision.held(legs, initial)
    columns = {f"share_{name}": share for name, share in zip(legs.names, shares.T, strict=True)}
    columns["cash"] = np.maximum(1.0 - shares.sum(axis=1), 0.0)
    columns |= {e.name: np.asarray(e.values, dtype=np.float64) for e in decision.evidence}
    return pd.DataFrame(columns, index=market.sessions)
