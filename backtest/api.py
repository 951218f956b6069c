"""What a notebook uses: one signature for every question, configs as files or dicts, answers that show themselves.

The answers are the library's own (Result, Comparison, Sweep, WalkForward), with a short repr, a notebook display,
`.report(path)` for the page and `.save(folder)` for the result folder that the command would leave.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, time
from html import escape
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from backtest.account.benchmarks import benchmark_label
from backtest.audit.spot import run_audited
from backtest.config import Config, Study, config_from_text, study_from_text
from backtest.config import load_config as config_from_file
from backtest.config import load_study as study_from_file
from backtest.errors import ConfigError
from backtest.events.study import Events
from backtest.market import Market
from backtest.metrics import metrics_on
from backtest.registry import registry
from backtest.result import Result
from backtest.store.folder import Written
from backtest.store.provenance import Provenance
from backtest.study import compare as compare_study
from backtest.study import sweep as sweep_study
from backtest.study import walk_forward as walk_study
from backtest.study.comparison import Comparison
from backtest.study.question import joint_name, of_study
from backtest.study.sweep import Sweep
from backtest.study.walk_forward import WalkForward
from backtest.text import number, percent, plural, points

ConfigLike: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | Config
StudyLike: TypeAlias = str | os.PathLike[str] | Mapping[str, Any] | Study
Strategies: TypeAlias = Mapping[str, type]

FROM_MEMORY = "dict"
"""What messages call a config that is no file."""

T = TypeVar("T")


def load_config(config: ConfigLike, strategies: Strategies | None = None, *, overrides: Sequence[str] = ()) -> Config:
    """Validate what to test.

    Parameters
    ----------
    config : path, dict or Config
        A YAML file, or the same content as a dict. Relative folders are relative to the file, of a dict to the current
        folder. A Config is returned as it is.
    strategies : dict of str to type, optional
        The strategies that it may name; by default those of `strategies/`.
    overrides : sequence of str
        `a.b.c=VALUE`, laid over it as `--set` does.

    Returns
    -------
    Config
        Frozen, with every default filled in.

    Raises
    ------
    ConfigError
        One line for each mistake: place, key, what was found, what would be right.
    """
    known = registry() if strategies is None else strategies
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return config_from_text(_yaml(config), FROM_MEMORY, strategies=known, overrides=overrides)
    return config_from_file(_file(config), strategies=known, overrides=overrides)


def load_study(study: StudyLike, strategies: Strategies | None = None, *, overrides: Sequence[str] = ()) -> Study:
    """Validate a study of many configs: variants, a grid, or both.

    Parameters
    ----------
    study : path, dict or Study
        A YAML file, or the same content as a dict, whose `base` is relative to the current folder.
    strategies : dict of str to type, optional
        The strategies that it may name; by default those of `strategies/`.
    overrides : sequence of str
        `a.b.c=VALUE`, laid over its base as `--set` does.

    Returns
    -------
    Study

    Raises
    ------
    ConfigError
        One line for each mistake: place, key, what was found, what would be right.
    """
    known = registry() if strategies is None else strategies
    if isinstance(study, Study):
        return study
    if isinstance(study, Mapping):
        return study_from_text(_yaml(study), FROM_MEMORY, strategies=known, overrides=overrides)
    return study_from_file(_file(study), strategies=known, overrides=overrides)


def run(
    config: ConfigLike, strategies: Strategies | None = None, *, market: Market | None = None, offline: bool = False
) -> RunAnswer:
    """Backtest one config.

    Parameters
    ----------
    config : path, dict or Config
        What to test.
    strategies : dict of str to type, optional
        By default those of `strategies/`.
    market : Market, optional
        Use this one instead of loading the data that the config asks for.
    offline : bool
        Never touch the network.

    Returns
    -------
    Result
        Frames indexed by session: `equity`, `trades`, `decisions`; `metrics` as a dict of fractions.

    Raises
    ------
    ConfigError, DataError, NetworkError, RunError
        As the command line: wrong input, bad data, no answer from a source, an engine that refused.

    Notes
    -----
    A metric that is not defined is None, never NaN, and `undefined` has the reason. Nothing is written, and no trial is
    recorded: `save` does both.
    """
    known = registry() if strategies is None else strategies
    result = run_audited(load_config(config, known), known, market=market, offline=offline)
    return _as(RunAnswer, result, strategies=known)


def compare(
    configs: StudyLike | Iterable[ConfigLike] | Mapping[str, ConfigLike],
    strategies: Strategies | None = None,
    *,
    market: Market | None = None,
    offline: bool = False,
    ledger: Path | None = None,
) -> ComparisonAnswer:
    """Compare variants on common ground: which is better, and is it luck?

    Parameters
    ----------
    configs : study, list of configs, or dict of name to config
        A study (path, dict or Study), or configs in any form that `load_config` takes.
    strategies, market, offline
        As for `run`.
    ledger : path, optional
        Where the variants are recorded as trials, and whose trials count; by default the variants alone count.

    Returns
    -------
    Comparison
        `verdict`, `variants` with metrics and statistics, `equity` as an array (variants, sessions).

    Raises
    ------
    ConfigError, DataError, NetworkError, RunError
    """
    known = registry() if strategies is None else strategies
    asked = _question(configs, known)
    found = compare_study.compare(
        asked.variants, name=asked.name, strategies=known, benchmark=asked.benchmark, ledger=ledger, grid=asked.grid,
        walk_forward=asked.walk_forward, market=market, offline=offline,
    )  # fmt: skip
    return _as(ComparisonAnswer, found, strategies=known)


def sweep(
    study: StudyLike, strategies: Strategies | None = None, *, market: Market | None = None, offline: bool = False
) -> SweepAnswer:
    """Run every variant of a study's grid.

    Parameters
    ----------
    study : path, dict or Study
        What to test; it has a `grid`.
    strategies, market, offline
        As for `run`.

    Returns
    -------
    Sweep
        `frame`: a row per variant, swept keys and metrics as columns, NaN where a metric is undefined.

    Raises
    ------
    ConfigError, DataError, NetworkError, RunError
        As for `run`.

    Notes
    -----
    The first sweep on a machine compiles its loop, which takes half a minute.
    """
    known = registry() if strategies is None else strategies
    found = sweep_study.sweep(load_study(study, known), known, market=market, offline=offline)
    return _as(SweepAnswer, found, strategies=known)


def walk_forward(
    study: StudyLike, strategies: Strategies | None = None, *, market: Market | None = None, offline: bool = False
) -> WalkAnswer:
    """Choose among a study's grid by the past alone, hold the choice, choose again.

    Parameters
    ----------
    study : path, dict or Study
        What to test; it has a `grid` and `walk_forward`.
    strategies, market, offline
        As for `run`.

    Returns
    -------
    WalkForward
        `choices`, one a window, and the `equity` of having followed them, USD.

    Raises
    ------
    ConfigError, DataError, NetworkError, RunError
        As for `run`.
    """
    known = registry() if strategies is None else strategies
    found = walk_study.walk_forward(load_study(study, known), known, market=market, offline=offline)
    return _as(WalkAnswer, found, strategies=known)


def event_study(
    study: ConfigLike,
    strategies: Strategies | None = None,
    *,
    market: Market | None = None,
    offline: bool = False,
    ledger: Path | None = None,
) -> EventsAnswer:
    """Ask what one thing did against another around events.

    Parameters
    ----------
    study : path, dict or Config
        An event study (`events`, and a `base` relative to its file), or a config: then cuts, by its legs.
    strategies, market, offline
        As for `run`.
    ledger : path, optional
        Where the windows are recorded as trials, and whose trials count; by default these alone count.

    Returns
    -------
    Events
        `cells`, one for each list, pair and window; `frame` has their figures as a table.

    Raises
    ------
    ConfigError, DataError, NetworkError, RunError
        As for `run`.
    """
    from backtest.config.events import EventStudy, EventTerms, event_study_from_text, load_event_study
    from backtest.events.study import run_events

    known = registry() if strategies is None else strategies
    if isinstance(study, Config):
        asked = EventStudy(study.name, Path(FROM_MEMORY), study, EventTerms())
    elif isinstance(study, Mapping):
        asked = event_study_from_text(_yaml(study), FROM_MEMORY, strategies=known)
    else:
        asked = load_event_study(_file(study), strategies=known)
    found = run_events(asked, market=market, offline=offline, ledger=ledger)
    return _as(EventsAnswer, found)


def _yaml(content: Mapping[str, Any]) -> str:
    """A dict as YAML (JSON is YAML); what is no number there is text, and refused as a file's would be."""
    try:
        return json.dumps(content, default=_plain)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{FROM_MEMORY}: {error}") from None


def _plain(value: Any) -> Any:
    """Numbers and arrays of numpy as Python's, days without their midnight, all else as text."""
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    is_day = isinstance(value, datetime) and value.time() == time()
    return f"{value.date()}" if is_day else str(value)


def _file(given: Any) -> Any:
    """Raises ConfigError for what is not the path of one."""
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(f"found {given!r:.80}, expected the path of a YAML file, or a dict")
    return given


def _question(configs: Any, known: Strategies) -> Any:
    is_named = isinstance(configs, Mapping) and not {"base", "variants", "grid"} & configs.keys()
    if isinstance(configs, str | os.PathLike | Study) or (isinstance(configs, Mapping) and not is_named):
        return of_study(load_study(configs, known))
    if isinstance(configs, Mapping):
        variants = {str(name): load_config(each, known) for name, each in configs.items()}
    else:
        loaded = [load_config(each, known) for each in configs]
        variants = {each.name: each for each in loaded}
        if len(variants) < len(loaded):
            raise ConfigError("compare: two configs have one name, expected a dict of names and configs")
    from backtest.study.question import Question

    return Question(joint_name(list(variants)), Path(FROM_MEMORY), variants)


class NotebookView:
    """What every answer can do beside holding its figures."""

    def _write(self, root: Path) -> Written:
        raise NotImplementedError

    def _lines(self) -> tuple[str, list[list[str]]]:
        """A headline and a table, its first row the heads."""
        raise NotImplementedError

    def save(self, folder: str | os.PathLike[str] = "results") -> Path:
        """Write the result folder that the command would leave, and return its path."""
        return self._write(Path(folder)).folder

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file (a folder gets it under its usual name) and return the file's path."""
        with tempfile.TemporaryDirectory() as root:
            (page,) = self._write(Path(root)).folder.glob("*.html")
            target = Path(path) / page.name if Path(path).is_dir() else Path(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(page, target)
        return target

    def __repr__(self) -> str:
        """One line."""
        return f"<{type(self).__name__.removesuffix('Answer')} {self._lines()[0]}>"

    def _repr_html_(self) -> str:
        """For notebooks: the headline and the short table."""
        headline, (heads, *rows) = self._lines()
        head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<p>{escape(headline)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True, eq=False, repr=False)
class RunAnswer(NotebookView, Result):
    """A Result that shows itself."""

    strategies: Strategies = field(default_factory=dict)

    def _write(self, root: Path) -> Written:
        from backtest.pages.run.files import write_result
        from backtest.study.search import search, shown_run

        strategy = self.strategies[self.config.strategy.name]
        return write_result(self, search(shown_run(self), None), strategy, root, Provenance())

    def _lines(self) -> tuple[str, list[list[str]]]:
        from backtest.pages.prose import headline

        columns = {"strategy": self.metrics}
        columns |= {benchmark_label(name): figures for name, figures in self.benchmark_metrics.items()}
        rows = [["", *columns]]
        for metric in metrics_on("terminal", self.legs.labelled, "final_equity_usd"):
            written = (metric.write(each[metric.key], self.market.periods_per_year) for each in columns.values())
            rows.append([metric.label, *written])
        return f"{self.config.name}: {headline(self)}", rows


@dataclass(frozen=True, eq=False, repr=False)
class ComparisonAnswer(NotebookView, Comparison):
    """A Comparison that shows itself."""

    strategies: Strategies = field(default_factory=dict)

    def _write(self, root: Path) -> Written:
        from backtest.pages.comparison.files import write_comparison

        return write_comparison(self, self.strategies, root, Provenance())

    def _lines(self) -> tuple[str, list[list[str]]]:
        rows = [["", "return a year", "active Sharpe", "worst drawdown"]]
        told = [(each.name, each.metrics) for each in self.variants]
        for name, figures in [*told, *((each.label, each.metrics) for each in self.benchmarks)]:
            active = number(figures["information_ratio"])
            rows.append([name, percent(figures["cagr"]), active, percent(figures["max_drawdown"])])
        return f"{self.name}: {self.verdict.headline}", rows


@dataclass(frozen=True, eq=False, repr=False)
class SweepAnswer(NotebookView, Sweep):
    """A Sweep that shows itself."""

    strategies: Strategies = field(default_factory=dict)

    def _write(self, root: Path) -> Written:
        from backtest.pages.sweep.files import write_sweep
        from backtest.study.findings import findings_of

        return write_sweep(self, findings_of(self, None), root, Provenance())

    def _lines(self) -> tuple[str, list[list[str]]]:
        metrics = metrics_on("search", self.settings.legs, self.headline)
        rows = [["best by " + metrics[0].head, *(metric.head for metric in metrics)]]
        for place in self.ranked[:10].tolist():
            rows.append([self.label(place), *(each.write(float(self.metric(each.key)[place])) for each in metrics)])
        return f"{self.name}: {plural(len(self.table), 'variant')}", rows


@dataclass(frozen=True, eq=False, repr=False)
class WalkAnswer(NotebookView, WalkForward):
    """A WalkForward that shows itself."""

    strategies: Strategies = field(default_factory=dict)

    def _write(self, root: Path) -> Written:
        from backtest.pages.walk.files import write_walk

        return write_walk(self, root, Provenance())

    def _lines(self) -> tuple[str, list[list[str]]]:
        from backtest.pages.walk.page import headline

        rows = [["", "return a year", "worst drawdown"]]
        rows += [[name, percent(each["cagr"]), percent(each["max_drawdown"])] for name, each in self.figures.items()]
        return f"{self.sweep.name}: {headline(self)}", rows


@dataclass(frozen=True, eq=False, repr=False)
class EventsAnswer(NotebookView, Events):
    """Events that show themselves."""

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each list, pair and window."""
        from backtest.events.as_json import windows_frame

        return windows_frame(self)

    def _write(self, root: Path) -> Written:
        from backtest.pages.events.files import write_events

        return write_events(self, root, Provenance())

    def _lines(self) -> tuple[str, list[list[str]]]:
        from backtest.events.verdict import headline

        rows = [["", "windows", "mean, points", "naive t", "apart", "placebo p"]]
        for cell in self.cells:
            name = f"{cell.pair.key}, {cell.events.name}, {cell.window_key}"
            t = [number(cell.t_naive), number(cell.t_apart), number(cell.placebo.p)]
            rows.append([name, str(len(cell.sample.values)), points(cell.sample.mean), *t])
        return f"{self.name}: {headline(self)}", rows


def _as(kind: type[T], found: Any, **more: Any) -> T:
    """The same answer with a display."""
    return kind(**{each.name: getattr(found, each.name) for each in fields(found)}, **more)
