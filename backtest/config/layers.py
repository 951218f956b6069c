"""Files upon files: `extends`, `--set`, a study's variants. Trees are merged before anything is validated.

Maps merge key by key. What only makes sense as a whole is replaced whole: a list, the legs (but `legs.x` of
`--set` and of a grid, which replaces one leg), the T-bill rate, the rebalance rule, the prices when their source
changes, the parameters when the strategy changes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import reduce
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

from backtest.config.models import DEFAULT_LEGS, Config
from backtest.config.nodes import (
    MAX_PROBLEMS,
    Node,
    NodePath,
    Origin,
    Problem,
    YamlSource,
    descend,
    dotted,
    found,
    nearest,
    path_of,
    printable,
    quoted,
    refusal,
)
from backtest.config.reader import MAX_DEPTH, Tree, read_file, read_text

MAX_EXTENDS: Final = 10
OVERRIDE: Final = "--set"

_EXTENDS: Final = "extends"
_KEYS: Final = tuple(Config.model_fields)
_WHOLE: Final[set[NodePath]] = {
    ("data", "tbill"),
    ("execution", "rebalance"),
}


def merged(base: Node, top: Node, path: NodePath = ()) -> Node:
    """`top` laid over `base`; every value keeps the place it was written at."""
    if isinstance(top.value, Places):
        return _placed(base, top.value, path)
    if not isinstance(base.value, dict) or not isinstance(top.value, dict) or path in _WHOLE:
        return top
    if path[:1] == ("legs",) and (len(path) > 1 or not isinstance(top.value, Keyed)):
        return top
    below = base.value
    if path == ("data", "prices") and _changes(base.value, top.value, "source"):
        return top
    if path == ("strategy",) and _changes(base.value, top.value, "name"):
        below = {key: child for key, child in below.items() if key != "params"}
    children = dict(below)
    if not path and "legs" not in below and "legs" in top.value and isinstance(top.value["legs"].value, Keyed):
        below = {**below, "legs": _plain(DEFAULT_LEGS, top.origin)}  # one leg of the usual ones is set
    for key, child in top.value.items():
        children[key] = merged(below[key], child, (*path, key)) if key in below else _whole(child, (*path, key))
    # An override has no lines: what is missing beside it is missing in the file.
    return Node(children, top.origin if top.origin.line else base.origin)


def _plain(value: Any, origin: Origin) -> Node:
    return Node(
        {key: _plain(each, origin) for key, each in value.items()} if isinstance(value, dict) else value, origin
    )


def _placed(base: Node, top: Places, path: NodePath) -> Node:
    """A list with some of its entries laid over; refused where there is no such entry."""
    entries = list(base.value) if isinstance(base.value, list) else []
    for key, node in top.items():
        place = int(key)
        if place >= len(entries):
            have = f"[0] to [{len(entries) - 1}]" if entries else "an entry of a list, and there is none"
            wrong = f"found no such entry, expected {have}"
            raise refusal([Problem(node.origin, dotted((*path, place)), wrong)])
        entries[place] = merged(entries[place], node, (*path, place))
    return Node(entries, base.origin)


def _whole(node: Node, path: NodePath) -> Node:
    """What is laid over nothing: entries of a list that is not there are refused."""
    if isinstance(node.value, Places):
        return _placed(Node(None, node.origin), node.value, path)
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            _whole(child, (*path, key))
    return node


def overlaid(root: Node, over: Node) -> Node:
    """The tree of overrides laid over that of a file; a file that is no map stays what it is, a mistake."""
    return merged(root, over) if isinstance(root.value, dict) and over.value else root


def read_layers(path: Path, name: str, asked: Problem | None = None) -> Tree:
    """A file merged over all that it extends; the key `extends` is gone from the tree.

    name: the file as messages call it. asked: the key of another file that names this one.
    Raises ConfigError when a file is missing or no YAML, for a cycle, and for more than ten levels.
    """
    return layered(open_yaml(path, name, asked), path, name)


def layered(tree: Tree, path: Path, name: str) -> Tree:
    """The same for a file that is read already."""
    layers: list[Node] = []
    problems: list[Problem] = []
    seen: list[Path] = []
    while True:
        layers.append(tree.root)
        problems += tree.problems
        seen.append(path.resolve())
        extended = _take_extends(tree.root, problems)
        if extended is None:
            break
        asked = Problem(extended.origin, _EXTENDS, f"found {quoted(str(extended.value))}")
        path, name = path.parent / str(extended.value), beside(name, str(extended.value))
        tree = open_yaml(path, name, asked, problems)
        if path.resolve() in seen:
            raise refusal([*problems, _wrong(asked, name, "builds upon itself")])
        if len(seen) > MAX_EXTENDS:
            raise refusal([*problems, _wrong(asked, name, f"expected at most {MAX_EXTENDS} levels")])
    return Tree(reduce(merged, reversed(layers)), problems)


def overlay(overrides: Sequence[str]) -> Tree:
    """Overrides `a.b.c=VALUE` as one tree to lay over a config; of two for the same key the later holds.

    Raises ConfigError when a VALUE is no YAML.
    """
    source = YamlSource(OVERRIDE, Path.cwd())
    origin = Origin(source, 0)
    children: dict[str, Node] = {}
    problems: list[Problem] = []
    for override in overrides:
        key, equals, text = override.partition("=")
        path = path_of(key)
        if not equals or not all(str(part) and str(part).isprintable() for part in path) or len(path) > MAX_DEPTH:
            example = "KEY=VALUE such as execution.slippage_bps=4"
            problems.append(Problem(origin, "", f"found {quoted(override)}, expected {example}"))
            continue
        tree = read_text(text, source, has_lines=False, prefix=path)
        problems += tree.problems
        put(children, path, tree.root)
    return Tree(Node(children, origin), problems)


class Keyed(dict[str, Node]):
    """A map on the way to a dotted key: what is not named in it stays."""


class Places(dict[str, Node]):
    """What to lay over entries of a list: "0" for the first."""


def put(children: dict[str, Node], path: NodePath, node: Node) -> None:
    """Set the node at `path`; maps on the way are made, and replace anything that is not a map."""
    for i, (part, following) in enumerate(pairwise(path)):
        kind = Places if isinstance(following, int) else Keyed
        below = children.get(str(part))
        if below is not None and isinstance(below.value, list) and kind is Places:
            over = Places()
            put(over, path[i + 1 :], node)
            children[str(part)] = _placed(below, over, path[: i + 1])
            return
        is_way = (
            below is not None and isinstance(below.value, dict) and isinstance(below.value, Places) is (kind is Places)
        )
        if below is None or not is_way:
            below = children[str(part)] = Node(kind(), node.origin)
        children = below.value  # type: ignore[assignment]  # a dict, by the two lines above
    children[str(path[-1])] = node


def beside(name: str, other: str) -> str:
    """How messages call a file that the file `name` calls `other`."""
    return os.path.normpath(os.path.join(os.path.dirname(name), other))


def _take_extends(root: Node, problems: Sequence[Problem]) -> Node | None:
    """Take the key `extends` out of a tree. Without the file beneath, everything else would look wrong: stop."""
    children = root.value if isinstance(root.value, dict) else {}
    extended = children.pop(_EXTENDS, None)
    if extended is not None and (not isinstance(extended.value, str) or extended.value == ""):
        wrong = Problem(extended.origin, _EXTENDS, f"found {found(extended)}, expected the path of a YAML file")
        raise refusal(problems if extended.is_flawed else [*problems, wrong])
    for key, node in islice(children.items(), MAX_PROBLEMS):
        if key not in _KEYS and nearest(key, (*_KEYS, _EXTENDS)) == _EXTENDS:
            raise refusal([*problems, Problem(node.origin, dotted((key,)), f"unknown key, did you mean {_EXTENDS}?")])
    return extended


def _changes(base: dict[str, Node], top: dict[str, Node], key: str) -> bool:
    return key in base and key in top and base[key].value != top[key].value


def open_yaml(path: Path, name: str, asked: Problem | None = None, problems: Sequence[Problem] = ()) -> Tree:
    """Read one file; that it cannot be read is a problem of the key that names it, told after `problems`."""
    try:
        if path.exists() and not path.is_file():
            wrong = f"{'is a folder' if path.is_dir() else 'is no regular file'}, expected a YAML file"
        elif not path.is_file():
            near = nearest(path.name, [each.name for each in path.parent.glob("*.yaml")])
            wrong = f"no such file{f', did you mean {printable(near)}?' if near else ''}"
        else:
            return read_file(path, name)
    except OSError as error:
        wrong = f"cannot be read ({error.strerror or type(error).__name__})"
    raise refusal([*problems, _wrong(asked, name, wrong)])


def _wrong(asked: Problem | None, name: str, wrong: str) -> Problem:
    if asked is None:
        return Problem(Origin(YamlSource(name, Path()), 0), "", wrong)
    return Problem(asked.origin, asked.key, f"{asked.text}, {wrong}")


def place_of(path: str | os.PathLike[str], key: str, overrides: Sequence[str] = ()) -> str:
    """`FILE:LINE` of a dotted key, or of the map nearest above it; `--set` when an override gave it."""
    tree = read_layers(Path(path), os.fspath(path))
    root = overlaid(tree.root, overlay(overrides).root)
    return str(descend(root, path_of(key))[1].origin)
