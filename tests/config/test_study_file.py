"""Studies: variants, lists of files and grids, each config of which is checked like any other."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from made_up_strategies import GOOD, SHORT, STRATEGIES, study_problems_of
from work import calls_of

from backtest.config import Study, TwoLegMix, is_study, load_config, load_study, question, study_question
from backtest.config.study import MAX_VARIANTS, StudyFile
from backtest.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with base.yaml (momentum), other.yaml (short) and crossing.yaml, whose parameters must agree."""
    (tmp_path / "base.yaml").write_text(GOOD, encoding="utf-8", newline="\n")
    (tmp_path / "other.yaml").write_text(SHORT, encoding="utf-8", newline="\n")
    crossing = SHORT.replace("{name: relative_momentum}", "{name: crossover, params: {fast_sessions: 5}}")
    (tmp_path / "crossing.yaml").write_text(crossing, encoding="utf-8", newline="\n")
    return tmp_path


def load(folder: Path, text: str, *overrides: str) -> Study:
    (folder / "s.yaml").write_text(text, encoding="utf-8", newline="\n")
    return load_study(folder / "s.yaml", strategies=STRATEGIES, overrides=overrides)


THREE = """\
name: three-ideas
base: base.yaml
benchmark: SPY
variants:
  cuts-only: {strategy: {name: rate_cut}}
  both: {}
  slow:
    strategy: {params: {lookback_sessions: 250}}
    execution: {rebalance: monthly}
configs: [other.yaml]
"""


def test_variants_are_the_base_with_their_overrides_in_the_files_order(folder: Path) -> None:
    study = load(folder, THREE)
    assert (study.name, study.benchmark, study.path) == ("three-ideas", "SPY", folder / "s.yaml")
    assert list(study.variants) == ["cuts-only", "both", "slow", "short"]
    assert study.variants["cuts-only"].strategy.params.model_dump() == {"hold_sessions": 252, "min_cut_bps": 25.0}
    assert study.variants["slow"].execution.rebalance == "monthly"
    assert study.variants["slow"].execution.slippage_bps == 4.0
    assert study.variants["both"] == study.base
    assert (study.size, dict(study.grid), list(study.grid_configs())) == (0, {}, [])


def test_the_benchmark_joins_those_of_every_config(folder: Path) -> None:
    study = load(folder, THREE)
    for config in (*study.variants.values(), study.base):
        assert config is not None
        assert config.benchmarks == ("QQQ", "IWM", TwoLegMix(static_mix=0.5), "SPY")
    study = load(folder, THREE, "benchmark={static_mix: 0.5}")
    assert study.benchmark == TwoLegMix(static_mix=0.5)
    assert study.variants["both"].benchmarks == ("QQQ", "IWM", TwoLegMix(static_mix=0.5))


def test_a_variant_asks_the_question_of_the_same_config_in_a_file(folder: Path) -> None:
    study = load(folder, THREE.replace("benchmark: SPY\n", ""))
    assert question(study.variants["both"]) == question(load_config(folder / "base.yaml", strategies=STRATEGIES))
    assert question(study.variants["short"]) == question(load_config(folder / "other.yaml", strategies=STRATEGIES))


def test_a_study_may_be_a_list_of_files_alone(folder: Path) -> None:
    study = load(folder, "name: s\nconfigs: [base.yaml, other.yaml]\n")
    assert list(study.variants) == ["momentum", "short"]
    assert study.base is None


def test_overrides_reach_every_config(folder: Path) -> None:
    study = load(folder, THREE + "grid: {execution.slippage_bps: [1, 2]}\n", "data.end=2010-12-31", "name=all")
    configs = [*study.variants.values(), study.base, *study.grid_configs()]
    assert {str(config.data.end) for config in configs if config} == {"2010-12-31"}
    assert study.name == "three-ideas"


GRID = """\
name: momentum-grid
base: base.yaml
grid:
  strategy.params.lookback_sessions: {from: 5, to: 250, step: 5}
  strategy.params.threshold: [0.0, 0.01, 0.02]
  execution.slippage_bps: {from: 1, to: 64, count: 7, scale: log}
"""


def test_a_grid_is_the_product_of_its_axes_the_last_turning_fastest(folder: Path) -> None:
    study = load(folder, GRID)
    assert study.size == 50 * 3 * 7
    points = list(study.grid_points())
    assert len(points) == study.size
    assert [point["execution.slippage_bps"] for point in points[:8]] == [1, 2, 4, 8, 16, 32, 64, 1]
    assert points[7]["strategy.params.threshold"] == 0.01
    assert points[-1] == {
        "strategy.params.lookback_sessions": 250,
        "strategy.params.threshold": 0.02,
        "execution.slippage_bps": 64,
    }
    assert list(study.grid_points(3, 5)) == points[3:5]


def test_every_point_is_the_config_that_its_overrides_make(folder: Path) -> None:
    study = load(folder, GRID)
    for point, config in list(zip(study.grid_points(), study.grid_configs(), strict=True))[::37]:
        overrides = [f"{key}={value}" for key, value in point.items()]
        assert config == load_config(folder / "base.yaml", strategies=STRATEGIES, overrides=overrides)


@pytest.mark.parametrize(
    "axes",
    [
        "strategy.name: [rate_cut, relative_momentum]",
        "legs.growth: [{QQQ: 1}, {QQQ: 0.5, IVW: 0.5}]",
        "data.start: [2001-07-31, 2005-01-03]",
        "execution.rebalance: [on_change, monthly, {drift: 0.1}]",
        "strategy: [{name: rate_cut}, {name: relative_momentum, params: {threshold: 0.5}}]",
        "strategy.params: [{threshold: 0.5}, {threshold: 0.25}]",
    ],
)
def test_any_key_can_be_swept(folder: Path, axes: str) -> None:
    study = load(folder, f"name: s\nbase: base.yaml\ngrid:\n  {axes}\n")
    ((key, values),) = study.grid.items()
    configs = list(study.grid_configs())
    assert len({question(config) for config in configs}) == len(values) == study.size
    for value, config in zip(values, configs, strict=True):
        override = f"{key}={json.dumps(value)}"
        assert config == load_config(folder / "base.yaml", strategies=STRATEGIES, overrides=[override])


CROSSING = """\
name: s
base: crossing.yaml
grid:
  strategy.params.fast_sessions: [5, 20]
  strategy.params.slow_sessions: [10, 30]
"""


def test_values_that_do_not_go_together_are_told_when_they_meet(folder: Path) -> None:
    study = load(folder, CROSSING)
    fits = [study.grid_config(number).strategy.params.model_dump()["slow_sessions"] for number in (0, 1, 3)]
    assert fits == [10, 30, 30]
    with pytest.raises(ConfigError) as caught:
        study.grid_config(2)
    point = "grid: strategy.params.fast_sessions=20, strategy.params.slow_sessions=10"
    assert caught.value.problems[0].endswith(f"{point}: strategy.params: fast_sessions must be below slow_sessions")


def test_the_first_values_of_all_axes_must_go_together(folder: Path) -> None:
    told = study_problems_of(CROSSING.replace("[5, 20]", "[20, 5]"), folder)
    assert told == ("s.yaml:4: grid.strategy.params: fast_sessions must be below slow_sessions",)


def test_a_sample_is_a_part_of_the_grid_in_its_order(folder: Path) -> None:
    whole, part = load(folder, GRID), load(folder, GRID + "sample: {count: 40, seed: 7}\n")
    points, sample = list(whole.grid_points()), list(part.grid_points())
    assert part.size == len(sample) == len(list(part.grid_configs())) == 40
    positions = [points.index(point) for point in sample]
    assert positions == sorted(set(positions))
    assert sample == list(load(folder, GRID, "sample.count=40", "sample.seed=7").grid_points())
    assert sample != list(load(folder, GRID + "sample: {count: 40, seed: 8}\n").grid_points())


def test_a_large_grid_is_neither_held_nor_slow(folder: Path) -> None:
    text = """\
name: s
base: base.yaml
grid:
  strategy.params.lookback_sessions: {from: 1, to: 1000, step: 1}
  strategy.params.threshold: {from: 0, to: 0.999, step: 0.001}
  execution.slippage_bps: [1, 2, 3]
"""
    studies: list[Study] = []
    assert calls_of(lambda: studies.append(load(folder, text))) < 2_000_000  # 3,000,000 points
    (study,) = studies
    assert study.size == 3_000_000
    first = calls_of(lambda: list(study.grid_configs(0, 100)))
    late = calls_of(lambda: list(study.grid_configs(1_000_000, 1_000_100)))
    assert late < 1.2 * first


def test_the_work_of_loading_grows_with_the_variants_alone(folder: Path) -> None:
    variants = [
        f"  v{i}: {{strategy: {{params: {{threshold: 0.{i}}}}}, execution: {{rebalance: {{drift: 0.0{i + 1}}}}}}}\n"
        for i in range(50)
    ]

    def work(count: int) -> int:
        text = "name: s\nbase: base.yaml\nvariants:\n" + "".join(variants[:count])
        return calls_of(lambda: load(folder, text))

    work(1)
    one, ten, fifty = work(1), work(10), work(50)
    assert (fifty - ten) / 40 < 1.2 * (ten - one) / 9


def test_a_study_can_be_sent_to_another_process(folder: Path) -> None:
    study = load(folder, GRID)
    again = pickle.loads(pickle.dumps(study))
    assert list(again.grid_configs(5, 8)) == list(study.grid_configs(5, 8))


def test_the_question_of_a_study_has_no_locations(folder: Path) -> None:
    study = load(folder, THREE + "grid: {execution.slippage_bps: [1, 2]}\nsample: {count: 1}\n")
    asked = study_question(study)
    assert str(folder) not in asked
    assert json.loads(asked)["grid"] == {"execution.slippage_bps": [1, 2]}
    assert asked != study_question(load(folder, THREE))


NO_RATE = "found tbill, expected none, or a rate in data.tbill (irx, fred ...)"

A_TICKER = "a ticker such as QQQ, ^IRX or BRK-B (capital letters and digits)"

WRONG = """\
name: a/b
base: base.yaml
benchmark: qqq
varants:
  bo/th: {}
  cuts: {strategy: {name: rate_cut, params: {hold_session: 3}}, data: {tbill: null}}
  odd: 3
  third:
    execution: {rebalance: {drift: 2}}
    extends: base.yaml
configs: [base.yaml, base.yaml, bsae.yaml, 4]
grid:
  strategy.params.lookback_sessions: {from: 5, to: 250, stepp: 5}
  execution.slippage_bps: {from: 0, to: 64, count: 7, scale: log}
sample: {count: 0, sed: 1}
"""


def test_all_mistakes_of_a_study_are_told_at_once(folder: Path) -> None:
    told = study_problems_of(WRONG, folder)
    assert [line.split(", expected a name such")[0] for line in told] == [
        "s.yaml:1: name: found 'a/b'",
        f"s.yaml:3: benchmark: found 'qqq', expected {A_TICKER}, did you mean QQQ?",
        "s.yaml:4: varants: unknown key, did you mean variants?",
        "s.yaml:5: variants.'bo/th': found 'bo/th'",
        "s.yaml:6: variants.cuts.strategy.params.hold_session: unknown key, did you mean hold_sessions?",
        f"s.yaml:6: variants.cuts.execution.idle_cash: {NO_RATE}",
        "s.yaml:7: variants.odd: found 3, expected a map",
        "s.yaml:9: variants.third.execution.rebalance.drift: found 2, expected a number above 0 and below 1",
        "s.yaml:10: variants.third.extends: cannot stand here",
        "s.yaml:11: configs[3]: found 4, expected text (in quotes it is text)",
        "s.yaml:11: configs[1]: found a second variant named momentum, expected another name in 'base.yaml'",
        "s.yaml:13: grid.strategy.params.lookback_sessions.stepp: unknown key, did you mean step?",
        "s.yaml:14: grid.execution.slippage_bps: found a log scale from 0, expected from above 0",
        "s.yaml:15: sample.sed: unknown key, did you mean seed?",
        "s.yaml:15: sample.count: found 0, expected a whole number from 1 to 10000000",
        "s.yaml:11: configs[2]: found 'bsae.yaml', no such file, did you mean base.yaml?",
    ]


COST = "expected a number from 0 to 1000"
DECIDE = "expected daily, weekly or monthly, did you mean weekly?"
KEY = "strategy.params.lookback"
RANGES = "{from: 5, to: 250, step: 5} or {from: 1, to: 64, count: 7, scale: log}"
MANY = "data.x: {from: 1, to: 3000, step: 1}\n  execution.slippage_bps: {from: 0, to: 300, step: 0.1}"


@pytest.mark.parametrize(
    ("grid", "line"),
    [
        (
            "strategy.params.lookbak: [1]",
            "4: grid.strategy.params.lookbak: unknown key, did you mean lookback_sessions?",
        ),
        ("exection.slippage_bps: [1, 2]", "4: grid.exection: unknown key, did you mean execution?"),
        ("strategy.params.decide: [daily, wekly]", f"4: grid.strategy.params.decide: found 'wekly', {DECIDE}"),
        ("execution.slippage_bps: [-3, 2]", f"4: grid.execution.slippage_bps: found -3, {COST}"),
        ("execution.slippage_bps: [1, -2]", f"4: grid.execution.slippage_bps: found -2, {COST}"),
        (
            "execution.slippage_bps: {from: 999, to: 1005, step: 1}",
            f"4: grid.execution.slippage_bps: found 1001, {COST}",
        ),
        ("execution.slippage_bps: [1, 1.0]", "4: grid.execution.slippage_bps: found 1.0 twice, expected it once"),
        (
            "execution.slippage_bps: [1, .nan]",
            "4: grid.execution.slippage_bps[1]: found .nan, expected a finite number",
        ),
        ("execution..shares: [1]", f"4: grid.execution..shares: expected a dotted key such as {KEY}_sessions"),
        (f"strategy.params: [{{}}]\n  {KEY}: [1]", f"5: grid.{KEY}: swept already by strategy.params"),
        (f"{KEY}: 3", f"4: grid.{KEY}: found 3, expected a list such as [1, 2], {RANGES}"),
        (f"{KEY}: {{from: 0, to: 1, step: x}}", f"4: grid.{KEY}.step: found 'x', expected a number"),
        ("data.prices.folder: [x]", "4: grid.data.prices.folder: unknown key, expected source"),
        (MANY, "3: grid: found 6,001 values in all lists and ranges, expected at most 5,000"),
    ],
)
def test_a_wrong_grid_is_told_at_its_line(folder: Path, grid: str, line: str) -> None:
    assert study_problems_of(f"name: s\nbase: base.yaml\ngrid:\n  {grid}\n", folder) == (f"s.yaml:{line}",)


def test_every_wrong_value_of_a_list_is_told(folder: Path) -> None:
    grid = "grid:\n  execution.slippage_bps:\n  - 1\n  - -2\n  - x\n"
    assert study_problems_of(f"name: s\nbase: base.yaml\n{grid}", folder) == (
        f"s.yaml:6: grid.execution.slippage_bps: found -2, {COST}",
        f"s.yaml:7: grid.execution.slippage_bps: found 'x', {COST}",
    )


ONE = "name: s\nconfigs: [other.yaml]\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("name: s\n", "s.yaml:1: found no variants, configs or grid, expected at least one of them"),
        ("name: s\nvariants: {}\n", "s.yaml:1: found no variants, configs or grid, expected at least one of them"),
        ("name: s\nvariants: {a: {}}\n", "s.yaml:2: variants: found no base beside it, expected the config it changes"),
        ("name: s\ngrid: {a: [1]}\n", "s.yaml:2: grid: found no base beside it, expected the config it changes"),
        (f"{ONE}base: base.yaml\n", "s.yaml:3: base: found no variants and no grid, expected one of them"),
        (f"{ONE}sample: {{count: 1}}\n", "s.yaml:3: sample: found no grid, expected one to take a sample of"),
        (
            "name: s\nbase: base.yaml\ngrid: {execution.slippage_bps: [1, 2]}\nsample: {count: 3}\n",
            "s.yaml:4: sample.count: found 3, expected at most the 2 points of the grid",
        ),
        (
            "name: s\nbase: basis.yaml\nvariants: {a: {}}\n",
            "s.yaml:2: base: found 'basis.yaml', no such file, did you mean base.yaml?",
        ),
        (
            "name: s\nbase: base.yaml\nvariants: {a: {}, a: {}}\n",
            "s.yaml:3: variants.a: duplicate key, first in line 3",
        ),
        (GOOD, "s.yaml:10: this is a config, expected a study (with variants, configs or grid)"),
        ("- a\n", f"s.yaml:1: found a list, expected a map with {', '.join(StudyFile.model_fields)}"),
        ("", f"s.yaml:1: found nothing, expected a map with {', '.join(StudyFile.model_fields)}"),
    ],
)
def test_a_file_that_is_no_study_is_one_line(folder: Path, text: str, line: str) -> None:
    assert study_problems_of(text, folder) == (line,)


def test_what_is_wrong_with_the_base_is_said_once_and_there(folder: Path) -> None:
    (folder / "base.yaml").write_text(GOOD.replace("drift: 0.05", "drift: 5"), encoding="utf-8", newline="\n")
    assert study_problems_of(THREE, folder) == (
        "base.yaml:23: execution.rebalance.drift: found 5, expected a number above 0 and below 1",
    )


def test_a_mistake_that_a_variant_makes_of_its_base_is_told_in_the_study(folder: Path) -> None:
    text = "name: s\nbase: base.yaml\nvariants:\n  fine:\n  no-rate:\n    data:\n      tbill: null\n"
    (line,) = study_problems_of(text, folder)
    assert line.startswith("s.yaml:5: variants.no-rate.execution.idle_cash: found tbill")


def test_a_wrong_override_is_told_as_such(folder: Path) -> None:
    told = study_problems_of(GRID, folder, ["execution.shares=3", "sample.count=x"])
    assert told == (
        "--set: sample.count: found 'x', expected a whole number from 1 to 10000000",
        "--set: execution.shares: found 3, expected fractional or whole",
    )


def test_too_many_variants_are_refused_quickly(folder: Path) -> None:
    text = "name: s\nbase: base.yaml\nvariants:\n" + "".join(f"  v{i}: {{}}\n" for i in range(MAX_VARIANTS + 1))
    told: list[str] = []
    assert calls_of(lambda: told.extend(study_problems_of(text, folder))) < 1_000 * MAX_VARIANTS
    (line,) = told
    assert "should have at most 500 items" in line


def test_a_study_is_told_from_a_config_cheaply(folder: Path) -> None:
    (folder / "s.yaml").write_text(THREE, encoding="utf-8", newline="\n")
    (folder / "broken.yaml").write_text("variants: [", encoding="utf-8", newline="\n")
    told = {name: is_study(folder / f"{name}.yaml") for name in ("s", "base", "other", "broken", "nowhere")}
    assert told == {"s": True, "base": False, "other": False, "broken": False, "nowhere": False}


def test_a_grid_that_no_machine_walks_through_is_refused_with_what_would_help(folder: Path) -> None:
    text = """\
name: s
base: base.yaml
grid:
  strategy.params.lookback_sessions: {from: 1, to: 2000, step: 1}
  strategy.params.threshold: {from: 0, to: 0.9, count: 1000}
  execution.slippage_bps: {from: 0, to: 100, count: 1000}
"""
    (told,) = study_problems_of(text, folder)
    assert told.startswith("s.yaml:")
    assert "grid: found 2,000,000,000 points, expected at most 10,000,000" in told
    assert load(folder, text + "sample: {count: 100, seed: 1}\n").size == 100
