"""The part `events` of a study: which lists, which pairs, which windows; and the file that has it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from backtest.config.fields import IsoDate, Model, Name, expected, is_ticker, mistake, unexpected
from backtest.config.layers import beside, layered, open_yaml, overlaid, overlay, read_layers
from backtest.config.load import Checker, config_from_tree, validated
from backtest.config.models import Config
from backtest.config.nodes import Node, Problem, YamlSource, child, quoted, refusal
from backtest.config.reader import Tree, read_text
from backtest.errors import ConfigError

ListName = Literal[
    "cuts",
    "first_cuts",
    "last_cuts",
    "intermeeting_cuts",
    "hikes",
    "meetings",
    "meetings_with_move",
    "meetings_without_move",
    "cool_cpi",
    "implied_cut",
    "surges",
]

LONGEST_WINDOW: Final = 2520
_A_WINDOW: Final = f"sessions after day 0 such as 63, or [-1, 0] from close to close, within {LONGEST_WINDOW}"


def window_of(value: object) -> tuple[int, int]:
    """A window (a, b]: from the close of session a after day 0 to that of session b."""
    ends = (0, value) if isinstance(value, int) else tuple(value) if isinstance(value, list | tuple) else ()
    if len(ends) != 2 or not all(type(end) is int for end in ends):
        raise unexpected(_A_WINDOW)
    begin, end = ends
    if not -LONGEST_WINDOW <= begin < end <= LONGEST_WINDOW:
        raise unexpected(_A_WINDOW)
    return int(begin), int(end)


Window = Annotated[tuple[int, int], BeforeValidator(window_of), Field(json_schema_extra=expected(_A_WINDOW))]


def split_pair(text: str, known: Sequence[str] = ()) -> tuple[str, str | None]:
    """`IWM-QQQ` -> IWM and QQQ; `SPY` alone -> SPY and nothing. A - of a name's own is no separator where it is known.

    Raises ValueError where it can be read in two ways, or a side is missing.
    """
    if text in known or "-" not in text:
        return text, None
    cuts = [(text[:place], text[place + 1 :]) for place, letter in enumerate(text) if letter == "-"]
    named = [each for each in cuts if each[0] in known and each[1] in known]
    ways = named or ([each for each in cuts if all(side in known or is_ticker(side) for side in each)] or cuts)
    if len(ways) > 1 or not all(ways[0]):
        raise ValueError(f"found {text[:40]!r}, expected two legs or tickers with one - between them")
    return ways[0]


def _pair(value: object) -> object:
    """`[BRK-B, SPY]` is a pair too."""
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(each, str) and each for each in value):
        return value[0] + "/" + value[1]
    if not isinstance(value, str) or not value.strip("-"):
        raise unexpected(_A_PAIR)
    return value


_A_PAIR: Final = "a pair such as IWM-QQQ or [small, growth], or one name, of legs, sets or tickers"
PairName = Annotated[str, BeforeValidator(_pair), Field(json_schema_extra=expected(_A_PAIR))]


class SurgeTerms(Model):
    """What a surge is: a lead of one over the other."""

    of: str | None = Field(None, description="leg or ticker; without it, the first of the first pair")
    over: str | None = Field(None, description="leg or ticker; without it, the second of the first pair")
    sessions: int = Field(5, ge=1, le=252, description="over how many sessions")
    gain: float = Field(0.05, gt=0, le=1, description="how much, as a fraction")


class EventTerms(Model):
    """What an event study asks."""

    lists: tuple[ListName, ...] = Field((), description="event lists; without any, cuts and first cuts")
    dates: Mapping[Name, tuple[IsoDate, ...]] = Field({}, description="lists of your own: name -> days")
    pairs: tuple[PairName, ...] = Field((), max_length=50, description="such as IWM-QQQ, of legs or tickers")
    sets: Mapping[Name, tuple[str, ...]] = Field(
        {}, description="name -> legs or tickers, each held against the mean of all of them"
    )
    windows: tuple[Window, ...] = Field((), max_length=30, description="sessions after day 0, or [from, to]")
    before_sessions: int | None = Field(None, ge=0, le=252, description="of a path before day 0: 60, or 12 months")
    after_sessions: int | None = Field(None, ge=1, le=1260, description="of a path after day 0: 252, or 24 months")
    min_cut_bps: int = Field(25, ge=1, le=500, description="the smallest cut that counts, in basis points")
    gap_days: int = Field(365, ge=1, le=3650, description="days without a cut after which the next is a first one")
    certain: float = Field(0.95, gt=0, lt=1, description="probability at which a cut is as good as certain")
    meeting: int = Field(1, ge=1, le=8, description="a cut by which scheduled meeting, 1: the next one")
    surge: SurgeTerms = Field(default_factory=SurgeTerms, description="what a surge is")

    @model_validator(mode="after")
    def _agree(self) -> EventTerms:
        """Raise for names that stand for two things."""
        both = [name for name in self.dates if name in ListName.__args__]  # type: ignore[attr-defined]
        if both:
            raise mistake(f"dates: {both[0]} is a list of the engine's, expected another name")
        small = [name for name, members in self.sets.items() if len(set(members)) < 2]
        if small:
            raise mistake(f"sets: {small[0]} has fewer than two members")
        return self


class EventsFile(Model):
    """What the YAML of an event study may say."""

    name: Name = Field(description="names the study and its folder of results")
    base: str = Field(description="the config that gives data, legs and terms, relative to this file")
    events: EventTerms = Field(description="lists, pairs and windows")


@dataclass(frozen=True)
class EventStudy:
    """What to study: name, the file asked, the config that gives data and legs, and the terms."""

    name: str
    path: Path
    config: Config
    terms: EventTerms


def is_event_study(path: Path) -> bool:
    """Whether a file has the key `events`; False for one that cannot be read."""
    try:
        return child(open_yaml(path, str(path)).root, "events") is not None
    except ConfigError:
        return False


def load_event_study(
    path: str | os.PathLike[str], *, strategies: Mapping[str, type], overrides: Sequence[str] = ()
) -> EventStudy:
    """The event study that a YAML file describes; of a config, the usual questions.

    overrides: `events.windows=[21]` changes the study, anything else its config. Raises ConfigError with one line for
    each mistake, of the base too.
    """
    name = os.fspath(path)
    return _study(open_yaml(Path(path), name), Path(path), name, strategies, overrides)


def event_study_from_text(
    text: str, filename: str = "events.yaml", *, strategies: Mapping[str, type], overrides: Sequence[str] = ()
) -> EventStudy:
    """The same from memory; `filename` is what messages call it, and relative paths are relative to its folder."""
    path = Path(filename)
    return _study(read_text(text, YamlSource(filename, path.parent)), path, filename, strategies, overrides)


def _study(tree: Tree, path: Path, name: str, strategies: Mapping[str, type], overrides: Sequence[str]) -> EventStudy:
    asked = child(tree.root, "events") if isinstance(tree.root.value, dict) else None
    own = [each for each in overrides if each.partition("=")[0].split(".")[0].strip() == "events"]
    others = [each for each in overrides if each not in own]
    keys = tree.root.value if isinstance(tree.root.value, dict) else {}
    if asked is None and ("strategy" in keys or "base" not in keys):
        config = config_from_tree(layered(tree, path, name), strategies, others)
        return EventStudy(config.name, path, config, _terms_of(own))
    over, over_config = overlay(own), overlay(others)
    file, problems, root = validated(EventsFile, overlaid(tree.root, over.root), EventsFile.model_json_schema)
    problems = [*tree.problems, *over.problems, *over_config.problems, *problems]
    base, unreadable = _base(root, name, strategies, over_config.root, problems)
    if problems or unreadable or file is None or base is None:
        raise ConfigError(*(refusal(problems).problems if problems else ()), *unreadable)
    return EventStudy(file.name, path, base, file.events)


def _terms_of(overrides: Sequence[str]) -> EventTerms:
    """The terms that `--set events.x=...` give, over the defaults."""
    if not overrides:
        return EventTerms()
    over = overlay(overrides)
    below = child(over.root, "events") or Node({}, over.root.origin)
    terms, problems, _ = validated(EventTerms, below, EventTerms.model_json_schema)
    if problems or over.problems or terms is None:
        raise refusal([*over.problems, *problems])
    return terms


def _base(
    root: Node, name: str, strategies: Mapping[str, type], over: Node, problems: list[Problem]
) -> tuple[Config | None, list[str]]:
    """The config that the file names; its mistakes are added to `problems`, an unreadable file is told apart."""
    node = child(root, "base")
    if node is None or not isinstance(node.value, str) or node.is_flawed:
        return None, []
    wrong = Problem(node.origin, "base", f"found {quoted(node.value)}")
    try:
        tree = read_layers(node.origin.source.folder / node.value, beside(name, node.value), wrong)
    except ConfigError as error:
        return None, list(error.problems)
    config, found = Checker(strategies).check(overlaid(tree.root, over))
    problems += [*tree.problems, *found]
    return config, []


def changed(study: EventStudy, **asked: Any) -> EventStudy:
    """The study with terms of the command line; those that are None stay. Raises ConfigError for what cannot be one."""
    given = {key: value for key, value in asked.items() if value is not None}
    if not given:
        return study
    from pydantic import ValidationError

    try:
        terms = EventTerms.model_validate(study.terms.model_dump() | given, strict=True)
    except ValidationError as error:
        option = {"lists": "--event", "pairs": "--pair", "windows": "--windows", "dates": "--dates"}
        lines = []
        for each in error.errors(include_url=False):
            told = f"expected {each['msg'].removeprefix('Input should be ').replace(chr(39), '')}"
            lines.append(f"{option.get(str(each['loc'][0]), '')}: found {each['input']!r}, {told}")
        raise ConfigError(*lines) from None
    return EventStudy(study.name, study.path, study.config, terms)
