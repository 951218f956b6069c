"""What users and authors of strategies import says in numpydoc sections what goes in and what comes out."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import backtest
from backtest import decision, market, signals
from backtest.account.strategy import RotationStrategy, StrategyParams

CLASSES = [market.Between, market.Needs, decision.Decision, decision.Evidence, decision.Branch]
METHODS = [
    market.Between.array,
    *(getattr(market.Legs, name) for name in ("label", "alone", "between", "matrix", "weights")),
    *(getattr(market.Market, name) for name in ("until", "observed", "rows_of")),
    decision.Evidence.say,
    decision.Decision.held,
    decision.Decision.why,
    RotationStrategy.decide,
    RotationStrategy.rule,
]
ANSWERED = [
    *CLASSES,
    *METHODS,
    RotationStrategy,
    StrategyParams,
    *(getattr(backtest, name) for name in backtest.__all__),
    *(
        getattr(signals, name)
        for name in signals.__all__
        if inspect.isroutine(getattr(signals, name)) or inspect.isclass(getattr(signals, name))
    ),
]
AS_FOR = re.compile(r"As for `(\w+)`")


def sections(thing: Any) -> dict[str, list[str]]:
    """Heading -> its lines."""
    found: dict[str, list[str]] = {}
    lines = (inspect.getdoc(thing) or "").split("\n")
    heading = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if below and set(below) == {"-"} and len(below) == len(line):
            heading = line
            found[heading] = []
        elif heading and not (line and set(line) == {"-"}):
            found[heading].append(line)
    return found


def named(lines: list[str]) -> set[str]:
    """The parameters that the unindented lines of a section name."""
    heads = [line.partition(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


@pytest.mark.parametrize("thing", ANSWERED, ids=lambda thing: thing.__qualname__)
def test_a_public_name_has_its_sections(thing: Any) -> None:
    told = sections(thing)
    if inspect.isclass(thing):
        assert {"Parameters", "Attributes", "Notes"} & told.keys()
        return
    parameters = [name for name in inspect.signature(thing).parameters if name != "self"]
    assert set(parameters) == named(told.get("Parameters", []))
    assert told["Returns"]


@pytest.mark.parametrize("thing", [market.Needs, decision.Decision, decision.Evidence, decision.Branch, market.Between])
def test_a_record_describes_each_of_its_fields(thing: Any) -> None:
    told = sections(thing)
    assert set(inspect.signature(thing).parameters) == named(told.get("Parameters", []) + told.get("Attributes", []))
