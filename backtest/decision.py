"""Decision: what to hold after each close, and the evidence that led to it.

The flow: config -> market -> DECISION -> fills -> result -> metrics -> report. A strategy's `decide` returns one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from backtest.errors import RunError
from backtest.market import Floats, Legs, Market

INITIAL_SHARES = {"growth": (0.0, 0.0), "small": (1.0, 0.0), "cash": (0.0, 1.0)}
"""`initial` -> (small share, cash share) held before a signal is known."""


WITHIN_ROUNDING = 1e-9
"""How far from 1 the weights of a leg may add up."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One series that led to a decision, as the report, `why` and the reasons beside trades show it.

    values: float array of shape (sessions,), NaN while not known; in `unit` ("return" as a fraction, "sessions", ...).
    thresholds: levels of `values` at which the signal changes.
    leans_small: what this series alone says: 1.0 small, 0.0 growth, NaN not known.
    phrase: row -> why, in a few words and lower case ("small leads by 2.7 points"); None: label and value are told.
    switch: what the signal would say of other values, 1.0 yes, 0.0 no, NaN not known, same shape; pure. So `why` can
        tell how far the signal is from flipping, and try it.
    """

    name: str
    values: Floats
    unit: str = ""
    thresholds: tuple[float, ...] = ()
    label: str = ""
    leans_small: Floats | None = None
    phrase: Callable[[int], str] | None = None
    switch: Callable[[Floats], Floats] | None = None

    def say(self, row: int) -> str:
        """Why, at this row, in a few words."""
        if self.phrase is not None:
            return self.phrase(row)
        value = float(self.values[row])
        return f"{self.label or self.name} " + (
            "not known yet" if np.isnan(value) else f"{value:.6g} {self.unit}".strip()
        )


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a rule: a signal, or a combination of branches.

    words: what it asks, for people. state: 1.0 yes, 0.0 no, NaN it abstains, shape (sessions,).
    degree: how much of it is fulfilled, in [0, 1], NaN likewise. evidence: of a signal; None of a combination.
    merge: (states of the children, row) -> the state they make.
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
class Decision:
    """Per session: the share of the invested capital in the small leg, the share of the whole in cash, and why.

    small_share: in [0, 1], the rest in growth; NaN while the signal is not known: `initial` is held.
    cash_share: in [0, 1], a number or one per session. Arrays of shape (sessions,) of the market decided upon.
    rules: the trees it came from by name ("small_when"), when the strategy has such.
    within: ticker -> its weight within its leg per session, where these are not the leg's own constants.
    is_observed: read off the books of a strategy that trades in its own `next`, which does not say in advance.
    """

    small_share: Floats
    evidence: Sequence[Evidence] = ()
    cash_share: Floats | float = 0.0
    reason: Callable[[int], str] | None = field(default=None)
    rules: Mapping[str, Branch] = field(default_factory=dict)
    within: Mapping[str, Floats] | None = None
    is_observed: bool = False

    def shares(self, initial: str) -> tuple[Floats, Floats]:
        """(small share, cash share) with `initial` (growth, small or cash) where the signal is not known yet."""
        small = np.asarray(self.small_share, dtype=np.float64)
        cash = np.broadcast_to(np.asarray(self.cash_share, dtype=np.float64), small.shape)
        unknown = np.isnan(small)
        first_small, first_cash = INITIAL_SHARES[initial]
        return np.where(unknown, first_small, small), np.where(unknown, first_cash, cash)

    def why(self, row: int) -> str:
        """The reason of what is held after this row: the evidence that leans to the side decided, as one sentence."""
        if self.reason is not None:
            return _sentence(self.reason(row))
        small = float(self.small_share[row])
        if np.isnan(small):
            return "Signal not known yet: the initial holding"
        side = [e for e in self.evidence if e.leans_small is not None and e.leans_small[row] == round(small)]
        said = [e.say(row) for e in side or self.evidence]
        return _sentence("; ".join(said) or "The rule said so")


def check_decision(decision: Decision, market: Market, legs: Legs) -> Decision:
    """The decision itself, or RunError naming the first session at which it is not a decision."""
    sessions = market.sessions
    small = np.asarray(decision.small_share, dtype=np.float64)
    cash = np.asarray(decision.cash_share, dtype=np.float64)
    cash = np.full(len(sessions), cash) if cash.ndim == 0 else cash
    for name, values in (("small_share", small), ("cash_share", cash)):
        if values.shape != (len(sessions),):
            raise RunError(f"decide: {name} has shape {values.shape}, one value per session is {(len(sessions),)}")
        bad = (values < 0.0) | (values > 1.0) | (np.isnan(values) if name == "cash_share" else False)
        if np.any(bad):
            row = int(np.argmax(bad))
            raise RunError(f"decide: {name} is {values[row]} on {sessions[row]:%Y-%m-%d}, a share is in [0, 1]")
    for evidence in decision.evidence:
        if len(evidence.values) != len(sessions):
            raise RunError(f"decide: evidence {evidence.name} has {len(evidence.values)} rows, not {len(sessions)}")
    if decision.within is not None:
        check_within(decision.within, market, legs)
    return decision


def check_within(within: Mapping[str, Floats], market: Market, legs: Legs) -> None:
    """RunError for weights inside the legs that are none: each in [0, 1], those of a leg 1 together."""
    sessions = market.sessions
    for name, leg in (("growth", legs.growth), ("small", legs.small)):
        total = np.zeros(len(sessions))
        for ticker in leg:
            values = np.asarray(within.get(ticker, np.nan), dtype=np.float64)
            if values.shape != (len(sessions),):
                raise RunError(f"decide: within: {ticker} has no weight per session: {len(sessions)} are expected")
            if not ((values >= 0.0) & (values <= 1.0)).all():
                row = int(np.argmin((values >= 0.0) & (values <= 1.0)))
                raise RunError(f"decide: within: {ticker} is {values[row]} on {sessions[row]:%Y-%m-%d}, not in [0, 1]")
            total += values
        if (abs(total - 1.0) > WITHIN_ROUNDING).any():
            row = int(np.argmax(abs(total - 1.0)))
            raise RunError(f"decide: within: the {name} leg adds up to {total[row]} on {sessions[row]:%Y-%m-%d}, not 1")


def target_weights(decision: Decision, market: Market, legs: Legs, tickers: tuple[str, ...], initial: str) -> Floats:
    """Weights to hold after each session's close, shape (sessions, tickers)."""
    small, cash = decision.shares(initial)
    if decision.within is None:
        return legs.weights(tickers, small, cash)
    share = np.where([ticker in legs.small for ticker in tickers], small[:, None], 1.0 - small[:, None])
    inside = np.stack([decision.within[ticker] for ticker in tickers], axis=1)
    return np.asarray((1.0 - cash)[:, None] * share * inside, dtype=np.float64)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def decisions_frame(decision: Decision, market: Market, initial: str) -> pd.DataFrame:
    """`small_share` as held (initial filled in) and each evidence series, indexed by session."""
    small, _ = decision.shares(initial)
    columns = {"small_share": small, **{e.name: np.asarray(e.values, dtype=np.float64) for e in decision.evidence}}
    return pd.DataFrame(columns, index=market.sessions)
