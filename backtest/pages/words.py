"""Numbers and dates as the page prints them.

A true minus sign, thousands separated, never a negative zero, an en dash for what is not defined. Fractions come in,
percent goes out; a difference of two percentages is in points. Sentences say "31 Jul 2001", tables "2001-07-31".
"""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath, PureWindowsPath

import numpy as np

UNDEFINED = "–"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Number = float | int | None

SMALLEST_SHOWN = 0.0005
"""Below this a return prints as 0.0 % and takes no colour."""


def number(value: Number, digits: int = 2, sign: str = "") -> str:
    """A plain number; sign "+" marks positive ones too, zero never has one."""
    if value is None or math.isnan(value):
        return UNDEFINED
    rounded = round(value, digits) + 0.0
    return f"{rounded:{sign if rounded else ''},.{digits}f}".replace("-", "−")


def percent(fraction: Number, digits: int = 1, sign: str = "") -> str:
    """A fraction as a percentage."""
    text = number(None if fraction is None else 100 * fraction, digits, sign)
    return text if text == UNDEFINED else text + "%"


def points(fraction: Number, digits: int = 1, sign: str = "+") -> str:
    """A difference of two fractions, in percentage points and without the word."""
    return number(None if fraction is None else 100 * fraction, digits, sign)


def usd(value: Number) -> str:
    """Whole dollars; cents below a hundred."""
    if value is None:
        return UNDEFINED
    text = number(abs(value), 2 if 0 < abs(value) < 99.995 else 0)
    return f"−${text}" if value < 0 and text.strip("0.") else f"${text}"


def usd_short(value: Number) -> str:
    """Three or four figures, for narrow columns: $1.32m, $699k."""
    if value is None:
        return UNDEFINED
    for limit, unit, letters, digits in ((999_995_000, 1e9, "bn", 2), (999_500, 1e6, "m", 2), (9_999.5, 1e3, "k", 0)):
        if value >= limit:
            return f"${number(value / unit, digits)}{letters}"
    return usd(value)


def usd_words(value: float) -> str:
    """As a sentence has it: $1.32 million, $98,512."""
    for limit, unit, word in ((999_995_000, 1e9, "billion"), (999_999.5, 1e6, "million")):
        if value >= limit:
            return f"${number(value / unit)} {word}"
    return usd(value)


def plural(count: int, word: str) -> str:
    """A count and its noun: 1 session, 1,204 sessions."""
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def iso(day: np.datetime64) -> str:
    """2001-07-31, for tables."""
    return str(day.astype("datetime64[D]"))


def day(date: np.datetime64) -> str:
    """31 Jul 2001, for sentences."""
    year, month, number_of_day = iso(date).split("-")
    return f"{int(number_of_day)} {MONTHS[int(month) - 1]} {year}"


def month(date: np.datetime64) -> str:
    """Jul 2001."""
    return day(date).split(" ", 1)[1]


def duration(sessions: int, per_year: int) -> str:
    """Years with one digit; sessions below half a year."""
    return f"{sessions / per_year:.1f} years" if 2 * sessions >= per_year else plural(sessions, "session")


def title_of(name: str) -> str:
    """A config's name as a sentence's subject: `rate-cut-momentum` reads "rate cut momentum", others stay."""
    return re.sub("[-_]", " ", name) if re.fullmatch(r"[a-z]+([-_][a-z]+)+", name) else name


def capital(text: str) -> str:
    """The text with a capital letter."""
    return text[:1].upper() + text[1:]


def place(location: str) -> str:
    """Where data came from, without the folders of this machine: the page must be the same on another one."""
    is_path = PurePosixPath(location).is_absolute() or PureWindowsPath(location).is_absolute()
    return PureWindowsPath(location).name if is_path else location


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def mood(value: float | None) -> str:
    """Class of a figure's colour: `up`, `down`, or neither for what prints as zero."""
    if value is None or abs(value) < SMALLEST_SHOWN:
        return ""
    return "up" if value > 0 else "down"


def tied(text: str) -> str:
    """The text with its percent signs tied to their numbers, so that no line begins with one."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
