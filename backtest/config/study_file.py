"""From a path to a Study: a study's YAML is read by the same door and with the same care as a config's.

Its mistakes are told in the same way, a variant's at their line of the study, those of the files it names beside them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from backtest.config.grid import Grid, axes_of, sampled
from backtest.config.layers import OVERRIDE, beside, merged, open_yaml, overlaid, overlay, read_layers
from backtest.config.load import STUDY_KEYS, Checker, is_study_map, validated
from backtest.config.models import Config
from backtest.config.nodes import Node, Origin, Problem, YamlSource, child, descend, dotted, path_of, quoted, refusal
from backtest.config.reader import Tree, read_text
from backtest.config.study import MAX_SWEPT, MAX_VARIANTS, Study, StudyFile, with_benchmark
from backtest.errors import ConfigError

_OWN_OVERRIDES: Final = ("benchmark", "sample", "walk_forward")
"""What `--set` changes in the study itself; everything else it changes in the study's configs."""


def load_study(path: str | os.PathLike[str], *, strategies: Mapping[str, type], overrides: Sequence[str] = ()) -> Study:
    """The study that a YAML file describes.

    overrides: `a.b.c=VALUE`, laid over every config of the study; `benchmark=...` and `sample.count=...` are the
    study's own. Raises ConfigError with one line for each mistake, of the files it names too.
    """
    tree = open_yaml(Path(path), os.fspath(path))
    return _Reading(tree, Path(path), os.fspath(path), strategies, overrides).study()


def study_from_text(
    text: str, filename: str = "study.yaml", *, strategies: Mapping[str, type], overrides: Sequence[str] = ()
) -> Study:
    """The same from memory; `filename` is what messages call it, and relative paths are relative to its folder."""
    path = Path(filename)
    return _Reading(read_text(text, YamlSource(filename, path.parent)), path, filename, strategies, overrides).study()


def is_study(path: str | os.PathLike[str]) -> bool:
    """Whether a file has the keys of a study; False for one that cannot be read, which loading it as a config tells."""
    try:
        root = open_yaml(Path(path), os.fspath(path)).root
    except ConfigError:
        return False
    return isinstance(root.value, dict) and is_study_map(root.value)


class _Reading:
    """One study being read; collects the mistakes of its own file and of those it names."""

    def __init__(
        self, tree: Tree, path: Path, name: str, strategies: Mapping[str, type], overrides: Sequence[str]
    ) -> None:
        own = [each for each in overrides if each.partition("=")[0].split(".")[0].strip() in _OWN_OVERRIDES]
        over, over_configs = overlay(own), overlay([each for each in overrides if each not in own])
        self.root, self.over = overlaid(tree.root, over.root), over_configs.root
        self.asked = {path_of(each.partition("=")[0]) for each in overrides}
        self.path, self.name = path, name
        self.checker = Checker(strategies)
        self.problems: list[Problem] = [*tree.problems, *over.problems, *over_configs.problems]
        self.unreadable: list[str] = []

    def study(self) -> Study:
        if isinstance(self.root.value, dict) and "strategy" in self.root.value and not is_study_map(self.root.value):
            wrong = "this is a config, expected a study (with variants, configs or grid)"
            raise refusal([Problem(self.root.value["strategy"].origin, "", wrong)])
        if isinstance(self.root.value, dict) and "events" in self.root.value:
            wrong = f"this is an event study, ask it with: backtest events {self.path.name}"
            raise refusal([Problem(self.root.value["events"].origin, "", wrong)])
        file, wrong_keys, self.root = validated(StudyFile, self.root, StudyFile.model_json_schema)
        self.problems += [*wrong_keys, *_missing_parts(self.root)]
        base_root, base = self._base()
        variants = {**self._variants(base_root), **self._configs()}
        grid = self._grid(file, base_root) if file and base_root and base else None
        self.problems += self._overridden(grid) + self._too_large(grid)
        if self.problems or self.unreadable or file is None:
            raise ConfigError(*refusal(self.problems).problems, *dict.fromkeys(self.unreadable))
        return Study(
            name=file.name,
            path=self.path,
            benchmark=file.benchmark,
            variants={name: with_benchmark(config, file.benchmark) for name, config in variants.items()},
            grid={axis.key: axis.plain for axis in grid.axes} if grid else {},
            base=with_benchmark(base, file.benchmark) if base else None,
            sample=file.sample,
            walk_forward=file.walk_forward,
            _points=grid,
        )

    def _too_large(self, grid: Grid | None) -> list[Problem]:
        """A grid that no machine walks through."""
        if grid is None or grid.size <= MAX_SWEPT:
            return []
        wrong = (
            f"found {grid.size:,} points, expected at most {MAX_SWEPT:,}: fewer values, or a random part of them, "
            "sample: {count: 100000, seed: 1}"
        )
        return [Problem(grid.axes[0].node.origin, "grid", wrong)]

    def _overridden(self, grid: Grid | None) -> list[Problem]:
        """Overrides of what the grid sweeps: they would be without effect."""
        axes = [axis for axis in grid.axes if axis.path in self.asked] if grid else []
        wrong = "swept by the grid, expected another key"
        return [Problem(Origin(YamlSource(OVERRIDE, Path.cwd()), 0), axis.key, wrong) for axis in axes]

    def _base(self) -> tuple[Node | None, Config | None]:
        """The base's tree as its files have it, and its Config under the overrides."""
        node = child(self.root, "base")
        tree = self._layers(node, "base") if node else None
        if tree is None:
            return None, None
        base, wrong = self.checker.check(overlaid(tree.root, self.over))
        self.problems += wrong
        return tree.root, base

    def _variants(self, base: Node | None) -> dict[str, Config]:
        """A Config for each variant; what is wrong with the base is not said again."""
        node = child(self.root, "variants")
        if base is None or node is None or not isinstance(node.value, dict):
            return {}
        variants = {}
        known = {(problem.origin, problem.text) for problem in self.problems}
        for name, top in islice(node.value.items(), MAX_VARIANTS):
            if top.value is not None and not isinstance(top.value, dict):
                continue
            tree = merged(base, replace(top, value=top.value or {}))
            config, wrong = self.checker.check(overlaid(tree, self.over))
            fresh = [problem for problem in wrong if (problem.origin, problem.text) not in known]
            self.problems += [_told_at(problem, dotted(("variants", name)), top) for problem in fresh]
            if config:
                variants[name] = config
        return variants

    def _configs(self) -> dict[str, Config]:
        """The Configs of the listed files, by their names."""
        node = child(self.root, "configs")
        taken = child(self.root, "variants")
        names = dict.fromkeys(taken.value) if taken and isinstance(taken.value, dict) else {}
        configs: dict[str, Config] = {}
        for i, item in enumerate(node.value[:MAX_VARIANTS] if node and isinstance(node.value, list) else []):
            tree = self._layers(item, f"configs[{i}]")
            config, wrong = self.checker.check(overlaid(tree.root, self.over)) if tree else (None, [])
            self.problems += wrong
            if config and (config.name in configs or config.name in names):
                text = f"found a second variant named {config.name}, expected another name in {quoted(str(item.value))}"
                self.problems.append(Problem(item.origin, f"configs[{i}]", text))
            elif config:
                configs[config.name] = config
        return configs

    def _layers(self, node: Node, key: str) -> Tree | None:
        """The file that a node names, with all it extends."""
        if not isinstance(node.value, str) or node.is_flawed:
            return None
        asked = Problem(node.origin, key, f"found {quoted(node.value)}")
        try:
            tree = read_layers(node.origin.source.folder / node.value, beside(self.name, node.value), asked)
        except ConfigError as error:
            self.unreadable += error.problems
            return None
        self.problems += tree.problems
        return tree

    def _grid(self, file: StudyFile, base: Node) -> Grid | None:
        """The grid, each of its values checked."""
        axes, wrong = axes_of(child(self.root, "grid"), file.grid)
        if not axes or wrong:
            self.problems += wrong
            return None
        grid = Grid(axes, overlaid(base, self.over), self.checker)
        self.problems += grid.problems()
        if file.sample is None:
            return grid
        if file.sample.count > grid.size:
            at, node = descend(self.root, ("sample", "count"))
            text = f"found {file.sample.count}, expected at most the {grid.size} points of the grid"
            self.problems.append(Problem(node.origin, dotted(at), text))
            return grid
        return replace(grid, chosen=sampled(file.sample.count, grid.size, file.sample.seed))


def _missing_parts(root: Node) -> list[Problem]:
    """What a study needs beside what it has."""
    has = {key: below for key in (*STUDY_KEYS, "sample") if (below := child(root, key)) and below.value}
    if not isinstance(root.value, dict):
        return []
    if not has.keys() & {"variants", "configs", "grid"}:
        return [Problem(root.origin, "", "found no variants, configs or grid, expected at least one of them")]
    problems = []
    for key in ("variants", "grid"):
        if key in has and "base" not in root.value:
            problems.append(Problem(has[key].origin, key, "found no base beside it, expected the config it changes"))
    if "base" in has and not has.keys() & {"variants", "grid"}:
        problems.append(Problem(has["base"].origin, "base", "found no variants and no grid, expected one of them"))
    if "sample" in has and "grid" not in has:
        problems.append(Problem(has["sample"].origin, "sample", "found no grid, expected one to take a sample of"))
    return problems


def _told_at(problem: Problem, variant: str, top: Node) -> Problem:
    """A problem of a variant: at its own line where that is in the study, else where the variant begins."""
    here = problem.origin.source in (top.origin.source, YamlSource(OVERRIDE, problem.origin.source.folder))
    return Problem(problem.origin if here else top.origin, f"{variant}.{problem.key}", problem.text)
