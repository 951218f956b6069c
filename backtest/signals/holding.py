"""From what the rules ask for to what is held: least and longest holds, pauses, and what takes precedence.

The flow: tree -> HOLDING -> decision.
Precedence, highest first: risk-off (cash) > longest hold > least hold and pause > what the rules ask for.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from backtest.market import Floats

CAUSES = ("rule", "min_hold", "cooldown", "max_hold", "unknown")
"""Why a row holds what it holds: the rule asks for it, or it would ask for something else and must wait."""


@dataclass(frozen=True, slots=True)
class Held:
    """small: 1.0, 0.0, NaN before anything is known; cause: index into CAUSES; both of shape (sessions,)."""

    small: Floats
    cause: npt.NDArray[np.int64]


def wanted(small_when: Floats | None, growth_when: Floats | None) -> Floats:
    """What the trees ask for: 1.0 small, 0.0 growth, NaN nothing new.

    One tree alone decides both ways. With both, each asks for its side; both at once, or neither, ask for nothing.
    """
    if growth_when is None:
        assert small_when is not None
        return small_when
    if small_when is None:
        return np.asarray(1.0 - growth_when)
    asks_small, asks_growth = small_when == 1.0, growth_when == 1.0
    return np.where(asks_small & ~asks_growth, 1.0, np.where(asks_growth & ~asks_small, 0.0, np.nan))


def hold(asked: Floats, *, min_hold: int = 0, cooldown: int = 0, max_hold: int | None = None) -> Held:
    """What is held after each close, given what is asked for.

    min_hold: sessions after a switch in which there is no other. cooldown: sessions after small caps were left in
    which they are not bought again. max_hold: small caps are left after so many sessions, and bought again only when
    they are asked for anew, after a session on which they were not. The first holding is no switch.
    """
    same = (asked[1:] == asked[:-1]) | (np.isnan(asked[1:]) & np.isnan(asked[:-1]))
    bounds = [0, *(np.flatnonzero(~same) + 1).tolist(), len(asked)] if len(asked) else [0]
    rows, sides, causes = [], [], []
    side, since, left, is_spent = np.nan, -1, -1, False  # -1: never
    for begin, end in pairwise(bounds):
        ask, row = float(asked[begin]), begin
        is_spent = is_spent and ask == 1.0
        while row < end:  # from one row at which anything can change to the next
            why, following = "rule", end
            if side != side:
                side, why = ask, "rule" if ask == ask else "unknown"
                since = row if ask == 1.0 else -1
            elif side == 1.0 and max_hold is not None and since >= 0 and row - since >= max_hold:
                side, since, left, is_spent, why, following = 0.0, row, row, ask == 1.0, "max_hold", row + 1
            elif ask == ask and ask != side:
                if since >= 0 and row - since < min_hold:
                    why, following = "min_hold", since + min_hold
                elif ask == 1.0 and is_spent:
                    why = "max_hold"
                elif ask == 1.0 and left >= 0 and row - left < cooldown:
                    why, following = "cooldown", left + cooldown
                else:
                    side, since, left = ask, row, row if ask == 0.0 else left
            if side == 1.0 and max_hold is not None and row < since + max_hold:
                following = min(following, since + max_hold)
            rows.append(row)
            sides.append(side)
            causes.append(CAUSES.index(why))
            row = following
    lengths = np.diff([*rows, len(asked)])
    return Held(np.repeat(sides, lengths), np.repeat(np.array(causes, dtype=np.int64), lengths))
