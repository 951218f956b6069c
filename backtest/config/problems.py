"""One mistake of a user, where it stands, and how it is told: `FILE:LINE: key: found, expected`.

Everything that comes from a file passes `printable` or `quoted` on its way out, so that no key or value can break a
line apart or speak to the terminal.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backtest.errors import ConfigError

MAX_PROBLEMS: Final = 100
"""Lines of one ConfigError; a file with more mistakes than that is another kind of file."""

SHOWN_CHARACTERS: Final = 60
"""How much of a value is quoted back."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_^=<>-][A-Za-z0-9_.^=<>-]{0,63}")
_ALIKE: Final = 0.6
_BEGINS_ALIKE: Final = 0.8
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of YAML comes from.

    name: the file as the user would write it, or `--set`; folder: what its relative paths are relative to.
    """

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Origin:
    """A place: a source and a line counted from 1; line 0 is the source as a whole (`--set` has no lines)."""

    source: Source
    line: int

    def __str__(self) -> str:
        name = printable(self.source.name)
        return f"{name}:{self.line}" if self.line else name


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake: where, under which key (a dotted path, may be empty), and what was found and would be right."""

    origin: Origin
    key: str
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.origin), self.key, self.text) if part)


def refusal(problems: Iterable[Problem]) -> ConfigError:
    """One error with a line per problem; the lines of a file from top to bottom, each said once, `--set` last."""
    found = list(problems)
    sources = list(dict.fromkeys(problem.origin.source.name for problem in found))
    found.sort(
        key=lambda problem: (not problem.origin.line, sources.index(problem.origin.source.name), problem.origin.line)
    )
    lines = list(dict.fromkeys(str(problem) for problem in found))
    if len(lines) > MAX_PROBLEMS:
        lines[MAX_PROBLEMS:] = [f"{printable(sources[0])}: and {len(lines) - MAX_PROBLEMS} more mistakes"]
    return ConfigError(*lines)


def printable(text: str) -> str:
    """`text` on one line, with everything a terminal does not simply print written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def quoted(text: str) -> str:
    """`text` in quotes, escaped and shortened."""
    shown = repr(text[: SHOWN_CHARACTERS + 1])
    return shown if len(shown) <= SHOWN_CHARACTERS + 2 else f"{shown[: SHOWN_CHARACTERS - 2]}...{shown[0]}"


def dotted(path: Sequence[str | int]) -> str:
    """A path as the user writes it: `benchmarks[2].static_mix`; keys that are no plain words are quoted."""
    shown = ""
    for part in path:
        if isinstance(part, int):
            shown += f"[{part}]"
        else:
            shown += ("." if shown else "") + (part if _PLAIN_KEY.fullmatch(part) else quoted(part))
    return shown


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be: the most similar, or the only one that begins like it."""
    by_lower = {choice.lower(): choice for choice in known}
    if not by_lower or not word or len(word) > _LONGEST_NAME:
        return None
    alike = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=_ALIKE)
    if alike:
        return by_lower[alike[0]]
    beginnings = [choice[: len(word)] for choice in by_lower]
    begun = difflib.get_close_matches(word.lower(), beginnings, n=2, cutoff=_BEGINS_ALIKE)
    is_clear = len(word) > 1 and len(begun) == 1
    return list(by_lower.values())[beginnings.index(begun[0])] if is_clear else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or the list of what is known, or nothing when nothing is."""
    choices = list(known)
    guess = nearest(word, choices)
    if guess is not None:
        return f", did you mean {printable(guess)}?"
    return f", expected {one_of(choices)}" if choices else ""


def one_of(choices: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    shown = [printable(choice) for choice in dict.fromkeys(choices)]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"
