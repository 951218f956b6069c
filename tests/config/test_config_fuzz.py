"""Whatever is in a file, loading ends soon, in a config or in a ConfigError that a terminal can show."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from made_up_strategies import GOOD, SHORT, STRATEGIES

from backtest.config import config_from_text, dump_yaml, question, resolved, study_from_text
from backtest.errors import ConfigError

STUDY = """\
name: s
base: BASE
benchmark: {static_mix: 0.6}
variants:
  both: {}
  cuts: {strategy: {name: rate_cut}}
grid:
  strategy.params.lookback_sessions: {from: 5, to: 25, step: 5}
  strategy.params.threshold: [0, 0.1]
  execution.slippage_bps: {from: 1, to: 64, count: 7, scale: log}
sample: {count: 20, seed: 1}
"""

WORDS = """NO ON yes ~ null true .nan .inf -.inf nan 1e999 1e3 010 0x1F 12:30 2001-07-31 -1 0 1.5 '' "" "\\e[31m"
           "\\ud800" "\\UFFFFFFFF" &a *a !!int !x <<: ? - [ ] { } : # ' " \\ % @ ` , = name source csv yahoo folder
           growth QQQ extends: lookback_sessions step from to count 1_000 1e-400 -0.0 variants grid
           base é 😀"""
PIECES = [*WORDS.split(), "9" * 25, "9" * 5000, "a" * 300, "---\n", "...\n", "\t", "\n", "  ", "|\n  x", "%YAML 1.1\n"]
PIECES += ["\x00", "\x1b", "\x85", "\u2028", "\ufeff", "\ud800", "1: 2", "[]: 1", "{a: 1}: 2", "x: 1", "legs.growth"]


def mutated(rng: random.Random, text: str) -> str:
    """The text after one to four small accidents: cut, repeat, swap, indent, insert, replace a value."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        to = min(len(text), at + rng.choice((1, 1, 2, 5, 20)))
        lines = text.split("\n")
        row = rng.randrange(len(lines))
        match rng.randrange(8):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 2:
                text = text[:at] + rng.choice(PIECES) + text[to:]
            case 3:
                text = "\n".join([*lines[:row], rng.choice(lines), *lines[row:]])
            case 4:
                text = "\n".join([*lines[:row], *lines[row + 1 :]])
            case 5:
                text = "\n".join([*lines[:row], "  " * rng.randint(0, 2) + lines[row].strip(), *lines[row + 1 :]])
            case 6:
                text = "\n".join([*lines[:row], f"{lines[row].split(':')[0]}: {rng.choice(PIECES)}", *lines[row + 1 :]])
            case _:
                text = text[:at] + chr(rng.choice((rng.randrange(128), rng.randrange(0x2100)))) + text[at:]
    return text


def load(text: str, *, is_study: bool = False) -> bool:
    """Load a text and say whether it was right; fails on any other end, and on a config that reads back otherwise."""
    problems: Sequence[str] = ()
    try:
        if is_study:
            for config in study_from_text(text, strategies=STRATEGIES).grid_configs(0, 3):
                question(config)
        else:
            config = config_from_text(text, strategies=STRATEGIES)
            assert config_from_text(dump_yaml(resolved(config)), strategies=STRATEGIES) == config
        is_right = True
    except ConfigError as error:
        problems, is_right = error.problems, False
    assert is_right or problems
    assert all(line.isprintable() and ": " in line and len(line) < 1000 for line in problems)
    return is_right


def check_mutants(folder: Path, count: int, seed: int) -> None:
    base = folder / "base.yaml"
    base.write_text(SHORT, encoding="utf-8", newline="\n")
    study = STUDY.replace("BASE", str(base))
    assert load(GOOD)
    assert load(study, is_study=True)
    rng = random.Random(seed)
    for _ in range(count):
        is_study = rng.random() < 0.3
        load(mutated(rng, study if is_study else rng.choice((GOOD, SHORT))), is_study=is_study)


def test_mutated_files_end_in_a_config_or_a_config_error(tmp_path: Path) -> None:
    check_mutants(tmp_path, count=250, seed=1)


@pytest.mark.slow
def test_20_000_mutated_files_end_in_a_config_or_a_config_error(tmp_path: Path) -> None:
    check_mutants(tmp_path, count=20_000, seed=2)


@given(st.text(max_size=200))
@example("\x00")
@example('a: "\\x')
@example("? " * 40)
@example("!" * 50)
@example("key: &" + "a" * 3000)
@example("%TAG ! x\n--- !x 1")
@example("a: |99\n  x")
@example("{" * 15 + "}" * 14)
@settings(max_examples=80, deadline=None)
def test_any_text_ends_in_a_config_error(text: str) -> None:
    assert not load(text)
    assert not load(text, is_study=True)


KEYS = st.sampled_from(("name", "prices", "source", "start", "tbill", "annual", "growth", "small", "params", "QQQ"))
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates().map(str)
SHAPES = st.recursive(VALUES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4))
SECTIONS = st.sampled_from(["data", "legs", "strategy", "execution", "benchmarks", "name", "other"])


@given(st.dictionaries(SECTIONS, SHAPES, min_size=1))
@settings(max_examples=80, deadline=None)
def test_any_shape_of_data_ends_in_a_config_error(data: dict[str, object]) -> None:
    text = "\n".join(f"{key}: {flow(value)}" for key, value in data.items())
    assert not load(text)
    load(f"{SHORT}{text}")


def flow(value: object) -> str:
    """YAML's flow style without any care for what may need quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value)


BIG = {
    "unknown keys": SHORT + "".join(f"slipage{i}: 1\n" for i in range(9000)),
    "unknown parameters": SHORT.replace(
        "momentum}", f"momentum, params: {{{', '.join(f'l{i}: 1' for i in range(9000))}}}}}"
    ),
    "wrong benchmarks": f"{SHORT}benchmarks: [{', '.join(['{static_mix: 2}'] * 4500)}]\n",
    "wrong tickers": f"{SHORT}legs: {{growth: {{{', '.join(f't{i}: 2' for i in range(9000))}}}}}\n",
    "duplicates": SHORT + "a: 1\n" * 9000,
    "anchors": f"{SHORT}a: [{'&a 1,' * 18000}]\n",
    "long text": f"name: '{'a ' * 120_000}'\n",
    "long key": f"{'a' * 200_000}: 1\n",
}


@pytest.mark.parametrize("text", BIG.values(), ids=BIG)
def test_a_large_file_of_mistakes_ends_within_a_second(text: str) -> None:
    assert not load(text)


BIG_GRIDS = {
    "many axes": "".join(f"  a{i}: [1, 2, 3]\n" for i in range(2000)),
    "long axes": "".join(f"  execution.x{i}: {{from: 1, to: 4999, step: 1}}\n" for i in range(20)),
    "wrong values": f"  execution.slippage_bps: [{', '.join(str(-i) for i in range(1, 4900))}]\n",
    "repeated values": f"  execution.slippage_bps: [{', '.join(['1'] * 4900)}]\n",
}


@pytest.mark.parametrize("grid", BIG_GRIDS.values(), ids=BIG_GRIDS)
def test_a_large_grid_of_mistakes_ends_within_a_second(grid: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(SHORT, encoding="utf-8", newline="\n")
    assert not load(f"name: s\nbase: {tmp_path}/base.yaml\ngrid:\n{grid}", is_study=True)
