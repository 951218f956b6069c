"""How numbers, dates, lists and names are written for people: on pages, in the terminal and in sentences.

One rule each: a true minus sign, thousands separated, never a negative zero, an en dash for what is not defined.
Fractions come in and percent goes out as "46%"; a difference of two percentages is in points. Sentences say
"31 Jul 2001", tables "2001-07-31". JSON and CSV hold plain numbers and need none of this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias

import numpy as np

UNDEFINED = "–"
MINUS = "\N{MINUS SIGN}"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HISTORIES_SHOWN = 50
"""Chances are told as so many of this many histories: people read "40 of 50" correctly and "p = 0.79" not."""

MOST_DIGITS, ALMOST_ALL = 4, -99.9999
"""Digits to which a loss close to 100% is written out, and where it stops, so that it never reads as ruin."""

UNITS: Mapping[str, tuple[str, float, int]] = {
    "return": (" points", 100.0, 1),
    "probability": ("%", 100.0, 0),
    "sd": (" sd", 1.0, 2),
    "percent": (" percentage points", 1.0, 2),
    "share": ("%", 100.0, 1),
    "cuts": (" cuts", 1.0, 2),
    "sessions": (" sessions", 1.0, 0),
    "bps": (" bps", 1.0, 1),
    "risen": ("", 1.0, 0),
    "place": ("", 1.0, 0),
    "": ("", 1.0, 2),
}
"""Unit of an evidence's values -> what stands behind the number, factor, digits."""

SIGNED = ("return", "percent")
"""Units of differences, whose sign is always written."""

Number: TypeAlias = float | None
Day: TypeAlias = np.datetime64 | date


def number(value: Number, digits: int = 2, sign: str = "") -> str:
    """A plain number: 1,204.50; sign "+" marks positive ones too, zero never has one."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    rounded = round(float(value), digits) + 0.0
    return f"{rounded:{sign if rounded else ''},.{digits}f}".replace("-", MINUS)


def count(value: Number) -> str:
    """A whole number: 1,204."""
    return number(value, 0)


def percent(fraction: Number, digits: int = 1, sign: str = "") -> str:
    """A fraction as a percentage: 46.2%. A loss that is not total never reads -100%."""
    if fraction is None or not math.isfinite(fraction):
        return UNDEFINED
    value = 100 * float(fraction)
    while value > -100 and round(value, digits) <= -100 and digits < MOST_DIGITS:
        digits += 1
    is_total = value <= -100
    return number(value if is_total else max(value, ALMOST_ALL), digits, sign) + "%"


def points(fraction: Number, digits: int = 1, sign: str = "+") -> str:
    """A difference of two fractions in percentage points, without the word: +1.3."""
    return number(None if fraction is None else 100 * float(fraction), digits, sign)


def usd(value: Number) -> str:
    """Whole dollars: $98,512; cents below a hundred."""
    if value is None or not math.isfinite(value):
        return UNDEFINED
    size = abs(float(value))
    text = number(size, 2 if 0 < size < 99.995 else 0)
    return f"{MINUS}${text}" if value < 0 and text.strip("0.") else f"${text}"


def usd_short(value: Number) -> str:
    """Three or four figures, for narrow columns: $1.32m, $699k."""
    return _scaled(value, ((999_995_000, 1e9, "bn", 2), (999_500, 1e6, "m", 2), (9_999.5, 1e3, "k", 0)))


def usd_words(value: Number) -> str:
    """As a sentence has it: $1.32 million, $98,512."""
    return _scaled(value, ((999_995_000, 1e9, " billion", 2), (999_999.5, 1e6, " million", 2)))


def _scaled(value: Number, scales: Iterable[tuple[float, float, str, int]]) -> str:
    size = math.nan if value is None else float(value)
    for limit, unit, word, digits in scales:
        if math.isfinite(size) and abs(size) >= limit:
            return f"{MINUS if size < 0 else ''}${number(abs(size) / unit, digits)}{word}"
    return usd(value)


def unit_of(unit: str) -> tuple[str, float, int]:
    """What stands behind a number of this unit, its factor and its digits; the user's own stands as it is."""
    return UNITS.get(unit, (f" {unit}", 1.0, 2))


def quantity(value: Number, unit: str, *, signed: bool = False, digits: int | None = None) -> str:
    """A value of an evidence with its unit: +5.0 points, 73%, 2.38 sd."""
    if value is None or not math.isfinite(value):
        return "not known"
    word, factor, usual = unit_of(unit)
    sign = "+" if signed or unit in SIGNED else ""
    text = number(float(value) * factor, usual if digits is None else digits, sign)
    return text + (" session" if unit == "sessions" and text.lstrip("+" + MINUS) == "1" else word)


def setting(value: object) -> str:
    """A config's value: 63, 1,005, 0.01, true; a map reads "QQQ 0.5 and IVW 0.5"; nothing is a dash."""
    if value is None:
        return UNDEFINED
    if isinstance(value, Mapping):
        return listed([f"{key} {setting(each)}" for key, each in value.items()])
    if isinstance(value, list | tuple):
        return listed([setting(each) for each in value])
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if not isinstance(value, int | float | np.number):
        return str(value)
    plain = float(value)
    if math.isnan(plain):
        return UNDEFINED
    return count(plain) if plain.is_integer() else f"{plain:.6g}".replace("-", MINUS, plain < 0)


def settings(values: Mapping[str, object]) -> str:
    """What a variant sets: `lookback_sessions 63, threshold 0.01`."""
    return ", ".join(f"{short_key(key)} {setting(value)}" for key, value in values.items())


def short_key(key: str) -> str:
    """A config's key without what all of them share: `strategy.params.lookback_sessions` reads lookback_sessions."""
    return {"strategy.name": "strategy"}.get(key, key.removeprefix("strategy.params."))


def probability(p: Number) -> str:
    """Two decimals between 0.01 and 0.99; beyond them only the side."""
    if p is None or math.isnan(p):
        return UNDEFINED
    if float(p) < 0.01:
        return "below 0.01"
    return "above 0.99" if float(p) > 0.99 else number(p)


def p_equals(p: Number) -> str:
    """A p-value in a sentence: "p = 0.79", "p below 0.01"."""
    text = probability(p)
    return f"p {text}" if " " in text else f"p = {text}"


def filled_dots(p: float) -> int:
    """How many of the fifty histories a chance stands for."""
    return round(p * HISTORIES_SHOWN)


def in_fifty(p: float) -> str:
    """A chance as a count: "hardly any", "40 of 50", "all"."""
    k = filled_dots(p)
    return {0: "hardly any", HISTORIES_SHOWN: "all"}.get(k, f"{k} of {HISTORIES_SHOWN}")


def span(ends: tuple[Number, Number], digits: int = 2, sign: str = "") -> str:
    """An interval of ratios: −0.28 to 0.46."""
    return f"{number(ends[0], digits, sign)} to {number(ends[1], digits, sign)}"


def span_points(ends: tuple[Number, Number]) -> str:
    """An interval of differences in percentage points: −1.2 to +3.4."""
    return f"{points(ends[0])} to {points(ends[1])}"


def span_percent(ends: tuple[Number, Number]) -> str:
    """An interval of shares: 26% to 66%."""
    return f"{percent(ends[0], 0)} to {percent(ends[1], 0)}"


def years(value: float) -> str:
    """A length of data: whole years from ten on, tenths below."""
    return f"{number(value, 0 if value >= 10 else 1)} years"


def years_needed(value: float) -> str:
    """A length nobody has, rounded to what such an estimate can carry and capped."""
    rounded = round(value, -1) if value > 100 else round(value)
    return f"about {plural(round(rounded), 'year')}" if rounded < 1000 else "more than a thousand years"


def duration(sessions: int, per_year: int) -> str:
    """Years with one digit; sessions below half a year."""
    return f"{number(sessions / per_year, 1)} years" if 2 * sessions >= per_year else plural(sessions, "session")


def plural(how_many: int, one: str, many: str = "") -> str:
    """A count and its noun: 1 session, 1,204 sessions; many: the plural where it is not made with an s."""
    return f"{count(how_many)} {one if how_many == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int | None = None, *, word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; beyond `most`: `a, b and 3 more`."""
    if most is not None and len(names) > most:
        return f"{', '.join(names[: most - 1])} {word} {len(names) - most + 1} more"
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def grouped(values: Mapping[str, str], most: int) -> str:
    """Who has what: `4 in a and b; 10 in c`, at most so many values and names."""
    names: dict[str, list[str]] = {}
    for name, value in values.items():
        names.setdefault(value, []).append(name)
    told = [f"{value} in {listed(who, most)}" for value, who in names.items()]
    return "; ".join(told[:most] + ([f"{len(told) - most} more"] if len(told) > most else []))


MONTH_WORDS = {
    "session": "month", "sessions": "months", "Session": "Month", "Sessions": "Months",
    "daily return": "monthly return", "daily difference": "monthly difference",
    "5% of days": "5% of months", "once a day": "once a month",
}  # fmt: skip


def of_months(text: str) -> str:
    """What is said of sessions, said of a market whose rows are months; keys such as `hold_sessions` stay."""
    return _OF_SESSIONS.sub(lambda found: MONTH_WORDS[found[0]], text)


_OF_SESSIONS = re.compile(
    r"(?<![\w.-])[Ss]essions?(?![\w-])|\bdaily (?:return|difference)|\b5% of days\b|\bonce a day\b"
)


def iso(moment: Day) -> str:
    """2001-07-31, for tables and errors."""
    if isinstance(moment, np.datetime64):
        return str(moment.astype("datetime64[D]"))
    return (moment.date() if isinstance(moment, datetime) else moment).isoformat()


def day(moment: Day) -> str:
    """31 Jul 2001, for sentences."""
    year, number_of_month, number_of_day = iso(moment).split("-")
    return f"{int(number_of_day)} {MONTHS[int(number_of_month) - 1]} {year}"


def month(moment: Day) -> str:
    """Jul 2001."""
    return day(moment).split(" ", 1)[1]


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


def aligned(rows: Sequence[Sequence[Any]], indent: str = "  ") -> list[str]:
    """Rows of a table as lines for the terminal: the first column to the left, the others to the right."""
    widths = [max(len(str(row[k])) for row in rows) for k in range(len(rows[0]))] if rows else []
    return [
        (indent + "  ".join([str(row[0]).ljust(widths[0]), *map(str.rjust, map(str, row[1:]), widths[1:])])).rstrip()
        for row in rows
    ]
