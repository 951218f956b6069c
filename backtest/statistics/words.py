"""Numbers as people read them: a real minus sign, never a negative zero, chances as counts of fifty.

Used by the verdict and the readings, so that one number looks the same wherever it stands.
"""

from __future__ import annotations

HISTORIES_SHOWN = 50
"""Chances are told as so many of this many histories: people read "40 of 50" correctly and "p = 0.79" not."""


def number(value: float, digits: int = 2, sign: str = "") -> str:
    """A plain number; sign "+" marks positive ones too."""
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def percent(fraction: float, digits: int = 1) -> str:
    """A fraction as a percentage."""
    return f"{number(fraction * 100, digits)} %"


def points(fraction: float, digits: int = 1) -> str:
    """A difference of fractions in percentage points, always with its sign."""
    return number(fraction * 100, digits, "+")


def span(ends: tuple[float, float]) -> str:
    """An interval of ratios: "-0.28 to 0.46" with a real minus."""
    return f"{number(ends[0])} to {number(ends[1])}"


def span_points(ends: tuple[float, float]) -> str:
    """An interval of differences in percentage points."""
    return f"{points(ends[0])} to {points(ends[1])}"


def probability(p: float) -> str:
    """Two decimals between 0.01 and 0.99; beyond them only the side."""
    if p < 0.01:
        return "below 0.01"
    return "above 0.99" if p > 0.99 else f"{p:.2f}"


def p_equals(p: float) -> str:
    """A p-value in a sentence: "p = 0.79", "p below 0.01"."""
    return f"p {probability(p)}" if p < 0.01 or p > 0.99 else f"p = {probability(p)}"


def filled_dots(p: float) -> int:
    """How many of the fifty histories a chance stands for."""
    return round(p * HISTORIES_SHOWN)


def in_fifty(p: float) -> str:
    """A chance as a count: "hardly any", "40 of 50", "all"."""
    k = filled_dots(p)
    return {0: "hardly any", HISTORIES_SHOWN: "all"}.get(k, f"{k} of {HISTORIES_SHOWN}")


def years(value: float) -> str:
    """A length of data: whole years from ten on, tenths below."""
    return f"{value:.0f} years" if value >= 10 else f"{value:.1f} years"


def years_needed(value: float) -> str:
    """A length nobody has, rounded to what such an estimate can carry and capped."""
    rounded = round(value, -1) if value > 100 else round(value)
    return f"about {rounded:.0f} years" if rounded < 1000 else "more than a thousand years"
