"""Pydantic's errors, told as problems: at the line where the key stands, with what was found and what would be right.

What would be right is read from the JSON schema, so that the words of an error, of an editor's hint and of the docs
have one source: the models' fields.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from backtest.config.fields import EXPECTED, TOLD_AS_EXPECTED, TOLD_AS_IS, in_capitals
from backtest.config.models import BROKEN_RULES, UNKNOWN_LEGS
from backtest.config.nodes import (
    MAX_PROBLEMS,
    Node,
    NodePath,
    Problem,
    child,
    descend,
    did_you_mean,
    dotted,
    found,
    nearest,
    printable,
    quoted,
    scalar_or_none,
)
from backtest.config.schema import Schema, choices, known_keys, phrase, schemas_at

_TOLD_BY_SCHEMA: Final = re.compile(
    r".*_(?:type|parsing)|(?:greater|less)_than(?:_equal)?|(?:literal|enum|none)_(?:error|required)|enum|finite_number"
)
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?")
_MANY_DIGITS: Final = re.compile(r"[-+]?[0-9]{19,}")


class Explained(NamedTuple):
    """The problems behind one ValidationError.

    misspelt: of these, the unknown keys that were probably meant to be a key that is missing: path -> (problem, key).
    """

    problems: list[Problem]
    misspelt: dict[NodePath, tuple[Problem, str]]


def explain(error: ValidationError, root: Node, schema: Schema) -> Explained:
    """Tell the errors of validating `plain(root)` by a model of which `schema` is the JSON schema."""
    told = Explained([], {})
    for details in error.errors(include_url=False, include_input=False):
        kind, loc = details["type"], details["loc"]
        path, node = descend(root, loc)
        if kind == UNKNOWN_LEGS:
            for place, text in details["ctx"]["found"]:
                _, node = descend(root, tuple(place))
                if not node.is_flawed:
                    told.problems.append(Problem(node.origin, dotted(tuple(place)), text))
            continue
        if kind == BROKEN_RULES or (node.is_flawed and kind != "extra_forbidden"):
            continue
        if kind == "extra_forbidden":
            _tell_unknown(told, path, root, schema, is_guessing=len(told.problems) < MAX_PROBLEMS)
        elif kind == "missing":
            told.problems.append(_missing((*path, str(loc[-1])), node, root, schema))
        elif kind in ("union_tag_not_found", "union_tag_invalid"):
            _tell_undecided(told, (*path, details["ctx"]["discriminator"].strip("'")), node, root, schema)
        elif loc and loc[-1] == "[key]":
            text = f"found {quoted(str(loc[-2]))}, {_words(details)}"
            told.problems.append(Problem(node.origin, dotted(path), text))
        elif _is_told_by_schema(kind, path, root, schema):
            told.problems.append(_unexpected(path, root, schema, kind=kind))
        else:
            told.problems.append(Problem(node.origin, dotted(path), _told_by_itself(details, node)))
    return told


def _tell_unknown(told: Explained, path: NodePath, root: Node, schema: Schema, *, is_guessing: bool) -> None:
    """A key that no model knows."""
    _, node = descend(root, path)
    _, parent = descend(root, path[:-1])
    known = known_keys(schema, path[:-1], root) if is_guessing else []
    key = str(path[-1])
    wrong = "cannot stand here" if key in known else f"unknown key{did_you_mean(key, known)}"
    problem = Problem(node.origin, dotted(path), wrong)
    meant = nearest(key, known)
    taken = {told_key for at, (_, told_key) in told.misspelt.items() if at[:-1] == path[:-1]}
    if meant is not None and child(parent, meant) is None and meant not in taken:
        told.misspelt[path] = (problem, meant)
    told.problems.append(problem)


def _tell_undecided(told: Explained, path: NodePath, parent: Node, root: Node, schema: Schema) -> None:
    """The key that decides what else a map may have (`source`) is misspelt, missing or none of the choices."""
    key, node = str(path[-1]), child(parent, path[-1])
    keys = list(parent.value) if isinstance(parent.value, dict) else []
    misspelt = [each for each in keys if nearest(each, [key]) == key]
    if node is not None and not node.is_flawed:
        told.problems.append(_unexpected(path, root, schema, kind="literal_error"))
    elif node is None and misspelt:
        _tell_unknown(told, (*path[:-1], misspelt[0]), root, schema, is_guessing=True)
    elif node is None:
        told.problems.append(_missing(path, parent, root, schema))


def _missing(path: NodePath, parent: Node, root: Node, schema: Schema) -> Problem:
    schemas = schemas_at(schema, path, root)
    about = next((f" ({option['description']})" for option in schemas if "description" in option), "")
    about = "" if any(EXPECTED in option for option in schemas) else about
    return Problem(parent.origin, dotted(path), f"missing, expected {phrase(schemas, schema)}{about}")


def _unexpected(path: NodePath, root: Node, schema: Schema, *, kind: str) -> Problem:
    """A value of the wrong type, out of range, or none of the choices."""
    _, node = descend(root, path)
    schemas = schemas_at(schema, path, root)
    text = f"found {found(node)}, expected {phrase(schemas, schema)}{_hint(node, kind)}"
    if isinstance(node.value, str):
        meant = nearest(node.value, choices(schemas, schema))
        text += f", did you mean {printable(meant)}?" if meant else ""
        text += in_capitals(node.value) if kind == TOLD_AS_EXPECTED and path[0] == "benchmarks" else ""
    return Problem(node.origin, dotted(path), text)


def _hint(node: Node, kind: str) -> str:
    """Why what looks right to a reader is not what YAML makes of it."""
    wants_number = kind.startswith(("float", "int", "greater", "less"))
    if kind == "string_type" and isinstance(node.value, int | float):
        return " (in quotes it is text)"
    if not wants_number or not isinstance(node.value, str):
        return ""
    if node.is_quoted and isinstance(scalar_or_none(node.value), int | float):
        return " (in quotes it is text)"
    if _LEADING_ZERO.fullmatch(node.value):
        return " (a leading 0 makes it text)"
    return " (more than 18 digits make it text)" if _MANY_DIGITS.fullmatch(node.value) else ""


def _is_told_by_schema(kind: str, path: NodePath, root: Node, schema: Schema) -> bool:
    if kind == TOLD_AS_IS or kind.endswith(("too_long", "too_short")):
        return False
    schemas = schemas_at(schema, path, root)
    return bool(schemas) and bool(_TOLD_BY_SCHEMA.fullmatch(kind) or any(EXPECTED in option for option in schemas))


def _told_by_itself(details: Any, node: Node) -> str:
    """An error that carries its own words: of this package's validators, or of a strategy's."""
    is_whole = details["type"] == TOLD_AS_IS or isinstance(node.value, dict)
    return _words(details) if is_whole else f"found {found(node)}, {_words(details)}"


def _words(details: Any) -> str:
    text = printable(str(details["msg"]))
    if details["type"] == TOLD_AS_EXPECTED:
        return f"expected {text}"
    for prefix in ("Value error, ", "Assertion failed, "):
        text = text.removeprefix(prefix)
    return text[:1].lower() + text[1:] if details["type"] not in ("value_error", TOLD_AS_IS) else text
