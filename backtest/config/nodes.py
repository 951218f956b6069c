"""What a YAML file is read into: a tree of plain values, each of which knows where it stands.

Scalars follow YAML 1.2: `true`, `false`, `null`, decimal numbers; everything else is text, dates, `NO` and `010` too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from backtest.config.problems import Origin, printable, quoted

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
