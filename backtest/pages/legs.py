"""Legs: the words and the colour that pages have for each leg, and how much of an account stood in each.

The one place that knows which legs there are: everything else on the pages takes their names and colours from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backtest.config import Config
from backtest.market import Legs
from backtest.pipeline import legs_of

NEUTRAL = "mix"
"""Colour of what belongs to no single leg: mixes, tickers outside the legs."""


@dataclass(frozen=True, slots=True)
class LegLook:
    """name: as in the config. label: as printed. tone: its colour on the pages. basket: ticker -> weight."""

    name: str
    label: str
    tone: str
    basket: Mapping[str, float]


TONES = 12
"""Colours of legs on the pages; the thirteenth leg has the first one's again."""


def leg_looks(*legs: Legs | Config) -> tuple[LegLook, ...]:
    """The legs in order, the first one the plain alternative; of several accounts each name once, as first met."""
    found: dict[str, LegLook] = {}
    for own in (legs_of(each) if isinstance(each, Config) else each for each in legs):
        for name in own.names:
            found.setdefault(name, LegLook(name, own.label(name), f"leg-{len(found) % TONES}", own[name]))
    return tuple(found.values())


def benchmark_tone(looks: Sequence[LegLook], benchmark: str) -> str:
    """A benchmark takes the colour of the first leg it belongs to."""
    return next((look.tone for look in looks if benchmark in look.basket), NEUTRAL)
