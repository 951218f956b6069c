"""What a YAML file is read into, a tree of values that know where they stand, and how a mistake in it is told.

Scalars follow YAML 1.2: `true`, `false`, `null`, decimal numbers; everything else is text, dates, `NO` and `010` too. A
mistake is one line `FILE:LINE: key: found, expected`; everything that comes from a file passes `printable` or `quoted`
on its way out, so that no key or value can break a line apart or speak to the terminal.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from backtest.errors import ConfigError

MAX_PROBLEMS: Final = 100
"""Lines of one ConfigError; a file with more mistakes than that is another kind of file."""

SHOWN_CHARACTERS: Final = 60
"""How much of a value is quoted back."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_^=<>-][A-Za-z0-9_.^=<>-]{0,63}")
_ALIKE: Final = 0.7
_BEGINS_ALIKE: Final = 0.8
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class YamlSource:
    """Where a piece of YAML comes from.

    name: the file as the user would write it, or `--set`; folder: what its relative paths are relative to.
    """

    name: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Origin:
    """A place: a source and a line counted from 1; line 0 is the source as a whole (`--set` has no lines)."""

    source: YamlSource
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
    is_clear = len(word) > 2 and len(begun) == 1
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


Scalar: TypeAlias = str | int | float | bool | None
NodePath: TypeAlias = tuple[str | int, ...]

UNUSABLE: Final = "?"
"""Stands for a value that is reported already; not None, which would look as if nothing had been written."""

_WORDS: Final[dict[str, Scalar]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"(?=.{1,64}\Z)(?=.*[.eE])[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_PLACE = re.compile(r"\[([0-9]{1,4})\]")
_PLACES = re.compile(r"(?:\[[0-9]{1,4}\])+\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands; the value of a map stands where its key does.

    text: a scalar as it was written; is_quoted: in quotes; is_flawed: a mistake here is already reported.
    """

    value: Scalar | list[Node] | dict[str, Node]
    origin: Origin
    text: str = ""
    is_quoted: bool = False
    is_flawed: bool = False


def scalar(text: str) -> Scalar:
    """The value of an unquoted scalar; raises ValueError for NaN, infinity and what is too large to be finite."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(text)
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text) + 0.0  # makes -0.0 0.0: one number is one question
    if math.isinf(number):
        raise ValueError(text)
    return number


def scalar_or_none(text: str) -> Scalar:
    """The same; None for what raises ValueError."""
    try:
        return scalar(text)
    except ValueError:
        return None


def plain(node: Node) -> object:
    """The tree as plain data."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def found(node: Node) -> str:
    """A value as the user sees it in the file, on one line."""
    if isinstance(node.value, dict):
        return "a map"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        return quoted(node.value)
    return printable(node.text) or "nothing"


def path_of(key: str) -> NodePath:
    """A dotted key as its parts: `small_when.any[0].above` is ("small_when", "any", 0, "above")."""
    parts: list[str | int] = []
    for word in map(str.strip, key.split(".")):
        places = _PLACES.search(word)
        if places and places.start():
            parts += [word[: places.start()], *map(int, _PLACE.findall(places.group()))]
        else:
            parts.append(word)
    return tuple(parts)


def child(node: Node, part: str | int) -> Node | None:
    """The node under a key or an index, None where there is none."""
    if isinstance(node.value, dict) and isinstance(part, str):
        return node.value.get(part)
    if isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    return None


def descend(root: Node, path: Sequence[str | int]) -> tuple[NodePath, Node]:
    """The deepest node on the way, and its path; a part that leads nowhere is passed over."""
    reached: NodePath = ()
    for part in path:
        below = child(root, part)
        if below is not None:
            reached, root = (*reached, part), below
    return reached, root


def replaced(root: Node, path: Sequence[str | int], node: Node) -> Node:
    """The tree with another node at a path that exists; nothing is changed in place."""
    if not path:
        return node
    part, below = path[0], child(root, path[0])
    if below is None:
        raise KeyError(part)
    fresh = replaced(below, path[1:], node)
    if isinstance(root.value, list):
        return replace(root, value=[fresh if i == part else each for i, each in enumerate(root.value)])
    children = root.value if isinstance(root.value, dict) else {}
    return replace(root, value={**children, str(part): fresh})
