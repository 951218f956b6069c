"""Every shipped config and study gives the figures that stand beside this file; a diff shows what moved one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from golden.renew import Question, ask, questions
from real_data import find_real_data

NEAR = 1e-8
"""Relative: far above what processors differ by, far below what any change of meaning moves."""

FAST = (
    "sample/run-quickstart",
    "sample/compare-quickstart",
    "sample/sweep-momentum_grid",
    "real/run-rate_cut_momentum",
    "real/events-cuts",
)
ALL = list(questions())


def _marked(question: Question) -> Any:
    return pytest.param(question, id=question.name, marks=() if question.name in FAST else pytest.mark.slow)


@pytest.mark.parametrize("question", [_marked(question) for question in ALL])
def test_a_shipped_question_gives_the_figures_it_gave(question: Question) -> None:
    data = find_real_data()
    if question.world == "real" and data is None:
        pytest.skip("no real data: set BACKTEST_DATA or put shared/data beside the checkout")
    expected = json.loads(question.file.read_text(encoding="utf-8"))
    found = ask(question, data)
    moved = [
        f"{key}: {expected.get(key, 'not there')} -> {found.get(key, 'not there')}"
        for key in sorted(expected.keys() | found.keys())
        if key not in found or key not in expected or not _same(expected[key], found[key])
    ]
    shown = "\n".join(moved[:30])
    assert not moved, f"{len(moved)} figures moved (tests/golden/renew.py {question.name} writes them again):\n{shown}"


def test_each_file_of_figures_belongs_to_a_question() -> None:
    files = set((Path(__file__).parent / "figures").rglob("*.json"))
    assert files == {question.file for question in ALL}


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=NEAR, abs_tol=1e-10)
    return bool(one == other)
