"""From what the rules ask for to what is held: least and longest holds, pauses, and what takes precedence.

The flow: tree -> HOLDING -> decision.
Precedence, highest first: risk-off (cash) > longest hold > least hold and pause > what the rules ask for.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    small, cause = np.full(len(asked), np.nan), np.zeros(len(asked), dtype=np.int64)
    held: float | None = None
    since: int | None = None
    left: int | None = None
    is_spent = False
    for row, ask in enumerate(asked.tolist()):
        is_spent = is_spent and ask == 1.0
        why = "rule"
        if held is None:
            if ask == ask:
                held, since = ask, row if ask == 1.0 else None
            else:
                why = "unknown"
        elif held == 1.0 and max_hold is not None and since is not None and row - since >= max_hold:
            held, since, left, is_spent, why = 0.0, row, row, ask == 1.0, "max_hold"
        elif ask == ask and ask != held:
            if since is not None and row - since < min_hold:
                why = "min_hold"
            elif ask == 1.0 and is_spent:
                why = "max_hold"
            elif ask == 1.0 and left is not None and row - left < cooldown:
                why = "cooldown"
            else:
                held, since, left = ask, row, row if ask == 0.0 else left
        if held is not None:
            small[row] = held
        cause[row] = CAUSES.index(why)
    return Held(small, cause)
