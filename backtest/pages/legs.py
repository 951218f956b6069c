"""Legs: the words and the colour that pages have for each leg, and how much of an account stood in each.

The one place that knows which legs there are: everything else on the pages takes their names and colours from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backtest.config import Config
from backtest.market import Floats, Legs
from backtest.pipeline import legs_of
from backtest.result import Result

NEUTRAL = "mix"
"""Colour of what belongs to no single leg: mixes, tickers outside the legs."""


@dataclass(frozen=True, slots=True)
class LegLook:
    """name: as in the config. label: as printed. tone: its colour on the pages. basket: ticker -> weight."""

    name: str
    label: str
    tone: str
    basket: Mapping[str, float]


def leg_looks(legs: Legs | Config) -> tuple[LegLook, ...]:
    """The legs in order, the first one the plain alternative."""
    own = legs_of(legs) if isinstance(legs, Config) else legs
    return tuple(LegLook(name, own.label(name), f"leg-{k}", own[name]) for k, name in enumerate(own.names))


def second_of(legs: Legs | Config) -> str:
    """What the second leg is called, of which shares are told; the only leg where there is one."""
    return leg_looks(legs)[:2][-1].label


def benchmark_tone(looks: Sequence[LegLook], benchmark: str) -> str:
    """A benchmark takes the colour of the first leg it belongs to."""
    return next((look.tone for look in looks if benchmark in look.basket), NEUTRAL)


def parts_of(looks: Sequence[LegLook], tickers: Sequence[str], values: Floats) -> Floats:
    """The values of holdings, (..., tickers), added up by leg, (..., legs)."""
    owner = np.array([[float(ticker in look.basket) for look in looks] for ticker in tickers])
    return np.asarray(values @ owner, dtype=np.float64)


def leg_shares(result: Result) -> Floats:
    """Share of the whole account in each leg at each close, (sessions, legs)."""
    return result.shares
