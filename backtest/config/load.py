"""From a path to a Config: read, merge, validate; all mistakes of all files at once.

A mistake must not hide another, so checking goes on as well as it can: a misspelt key is taken for the one it was
probably meant to be, an unknown strategy for the nearest-named one, and both are reported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from backtest.config.explain import explain
from backtest.config.layers import layered, overlaid, overlay, read_layers
from backtest.config.models import Config, broken_rules
from backtest.config.nodes import (
    Node,
    NodePath,
    Problem,
    YamlSource,
    child,
    descend,
    did_you_mean,
    dotted,
    found,
    nearest,
    plain,
    quoted,
    refusal,
    replaced,
)
from backtest.config.reader import Tree, read_text
from backtest.config.schema import Schema, config_schema, params_model

STUDY_KEYS: Final = ("base", "variants", "configs", "grid")

M = TypeVar("M", bound=BaseModel)


def load_config(
    path: str | os.PathLike[str], *, strategies: Mapping[str, type], overrides: Sequence[str] = ()
) -> Config:
    """The experiment that a YAML file describes.

    strategies: the registry, name -> class; a class attribute `Params` (a pydantic model) types its parameters.
    overrides: `a.b.c=VALUE`, laid over the file; a relative path in one is relative to the current folder.
    Raises ConfigError with one line for each mistake.
    """
    return config_from_tree(read_layers(Path(path), os.fspath(path)), strategies, overrides)


def config_from_text(
    text: str, filename: str = "config.yaml", *, strategies: Mapping[str, type], overrides: Sequence[str] = ()
) -> Config:
    """The same from memory; `filename` is what messages call it, and relative paths are relative to its folder."""
    path = Path(filename)
    tree = layered(read_text(text, YamlSource(filename, path.parent)), path, filename)
    return config_from_tree(tree, strategies, overrides)


def config_from_tree(tree: Tree, strategies: Mapping[str, type], overrides: Sequence[str]) -> Config:
    """Lay overrides over a tree and validate it; raises ConfigError with all mistakes."""
    over = overlay(overrides)
    config, problems = Checker(strategies).check(overlaid(tree.root, over.root))
    problems = [*tree.problems, *over.problems, *problems]
    if problems or config is None:
        raise refusal(problems)
    return config


class Checker:
    """Turns trees into Configs; knows the registry of strategies."""

    def __init__(self, strategies: Mapping[str, type]) -> None:
        self.strategies = strategies
        self.params: dict[str, type[BaseModel]] = {name: params_model(strategies[name]) for name in strategies}

    @property
    def schema(self) -> Schema:
        """The JSON schema, made when the first mistake of a registry is explained."""
        return _schema(tuple(self.strategies.items()))

    def check(self, root: Node) -> tuple[Config | None, list[Problem]]:
        """The Config of a tree, or the mistakes in it."""
        if isinstance(root.value, dict) and is_study_map(root.value):
            key = next(key for key in STUDY_KEYS if key in root.value)
            wrong = "this is a study (for compare, sweep or walk-forward), expected a config"
            return None, [Problem(root.value[key].origin, key, wrong)]
        root, folder_problems = _with_located_folders(root)
        root, name_problems = self._with_known_strategy(root)
        config, problems, root = validated(Config, root, lambda: self.schema, context=self.params)
        rules = broken_rules(plain(root)) if config is None else ()
        problems += [Problem(descend(root, path)[1].origin, dotted(path), text) for path, text in rules]
        return config, [*folder_problems, *name_problems, *problems]

    def _with_known_strategy(self, root: Node) -> tuple[Node, list[Problem]]:
        """The tree with the nearest-named strategy in place of an unknown one, so that its parameters are checked.

        With none near, without a name: the parameters of an unnamed strategy pass as they are.
        """
        path = ("strategy", "name")
        reached, node = descend(root, path)
        if reached == path and node.is_flawed:
            return replaced(root, path, replace(node, value=None)), []
        if reached != path or not isinstance(node.value, str) or node.value in self.params:
            return root, []
        names = sorted(self.params)
        wrong = f"unknown strategy {quoted(node.value)}{did_you_mean(node.value, names)}"
        known = replaced(root, path, replace(node, value=nearest(node.value, names), is_flawed=True))
        return known, [Problem(node.origin, dotted(path), wrong)]


@lru_cache(maxsize=4)
def _schema(strategies: tuple[tuple[str, type], ...]) -> Schema:
    return config_schema(dict(strategies))


def validated(
    model: type[M], root: Node, schema: Callable[[], Schema], *, context: Mapping[str, type[BaseModel]] | None = None
) -> tuple[M | None, list[Problem], Node]:
    """The model's object of a tree, or None; all mistakes; the tree with misspelt keys put right."""
    problems: list[Problem] = []
    if not isinstance(root.value, dict):
        wrong = f"found {found(root)}, expected a map with {', '.join(model.model_fields)}"
        return None, [] if root.is_flawed else [Problem(root.origin, "", wrong)], root
    while True:
        try:
            value = model.model_validate_json(json.dumps(plain(root)), strict=True, context=context)
            return value, problems, root
        except ValidationError as error:
            told = explain(error, root, schema())
        if not told.misspelt:
            break
        for path, (problem, meant) in told.misspelt.items():
            problems.append(problem)
            root = _renamed(root, path, meant)
    return None, [*problems, *told.problems], root


def is_study_map(children: Mapping[str, object]) -> bool:
    """Whether these are the keys of a study, not of a config."""
    return "strategy" not in children and any(key in children for key in STUDY_KEYS)


def _with_located_folders(root: Node) -> tuple[Node, list[Problem]]:
    """The tree with the folders of the data made absolute, each from the file in which it stands."""
    told: list[Problem] = []
    source = child(descend(root, ("data", "prices"))[1], "source")
    has_folder = source is not None and source.value in ("csv", "french")
    for section in ("prices", "macro", "cross_check") if has_folder else ("macro", "cross_check"):
        root, problems = _with_located(root, ("data", section, "folder"))
        told += problems
    return root, told


def _with_located(root: Node, path: NodePath) -> tuple[Node, list[Problem]]:
    reached, node = descend(root, path)
    if reached != path or node.is_flawed or not isinstance(node.value, str):
        return root, []
    folder = os.path.abspath(node.origin.source.folder / os.path.expanduser(node.value))
    is_there = os.path.isdir(folder) or (path[1] == "prices" and os.path.isfile(folder))  # one file of many tickers
    wrong = "no such folder" if not is_there else "" if folder.isprintable() else "expected printable text"
    told = Problem(node.origin, dotted(path), f"found {quoted(node.value)}, {wrong} ({quoted(folder)})")
    return replaced(root, path, replace(node, value=folder)), [told] if wrong else []


def _renamed(root: Node, path: NodePath, key: str) -> Node:
    """The tree with another key at the end of `path`."""
    _, parent = descend(root, path[:-1])
    children = parent.value if isinstance(parent.value, dict) else {}
    renamed = {key if each == path[-1] else each: node for each, node in children.items()}
    return replaced(root, path[:-1], replace(parent, value=renamed))
