"""extends and --set: what replaces what, and that every mistake is told where its key stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from made_up_strategies import GOOD, SHORT, STRATEGIES, problems_of

from backtest.config import Config, config_from_text, load_config, question, resolved
from backtest.config.layers import place_of
from backtest.errors import ConfigError


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8", newline="\n")


def load(path: Path, *overrides: str) -> Config:
    return load_config(path, strategies=STRATEGIES, overrides=overrides)


def lines(path: Path, *overrides: str) -> list[str]:
    """The problems of a file, its folder cut off."""
    with pytest.raises(ConfigError) as caught:
        load(path, *overrides)
    return [line.replace(f"{path.parent}/", "") for line in caught.value.problems]


def test_maps_merge_key_by_key_over_several_levels(tmp_path: Path) -> None:
    write(
        tmp_path,
        grand=GOOD,
        base="extends: grand.yaml\nexecution: {slippage_bps: 9}\nname: b\n",
        child="extends: base.yaml\nstrategy: {params: {threshold: 0.02}}\nname: c\n",
    )
    config, grand = load(tmp_path / "child.yaml"), load(tmp_path / "grand.yaml")
    assert (config.name, config.execution.slippage_bps, config.execution.commission_bps) == ("c", 9.0, 1.0)
    assert config.strategy.params.model_dump() == {**grand.strategy.params.model_dump(), "threshold": 0.02}
    assert config.data == grand.data


@pytest.mark.parametrize(
    ("over", "key", "value"),
    [
        ("legs: {growth: {SPY: 1}, bonds: {IEF: 1}}", "legs", {"growth": {"SPY": 1.0}, "bonds": {"IEF": 1.0}}),
        ("benchmarks: [SPY]", "benchmarks", ["SPY"]),
        ("data: {prices: {source: yahoo}}", "prices", {"source": "yahoo"}),
        ("data: {tbill: irx}", "tbill", "irx"),
        ("data: {end: null}", "end", None),
        ("execution: {rebalance: monthly}", "rebalance", "monthly"),
        ("execution: {rebalance: {drift: 0.2}}", "rebalance", {"drift": 0.2}),
        ("strategy: {name: rate_cut}", "params", {"hold_sessions": 252, "min_cut_bps": 25.0}),
        ("strategy: {name: rate_cut, params: {hold_sessions: 5}}", "params", {"hold_sessions": 5, "min_cut_bps": 25.0}),
        (
            "strategy: {name: relative_momentum, params: {threshold: 0.5}}",
            "params",
            {"lookback_sessions": 63, "threshold": 0.5, "decide": "daily", "with_hedge": False},
        ),
    ],
)
def test_what_makes_sense_as_a_whole_only_is_replaced_whole(tmp_path: Path, over: str, key: str, value: object) -> None:
    write(tmp_path, base=GOOD, child=f"extends: base.yaml\n{over}\n")
    data = resolved(load(tmp_path / "child.yaml"))
    flat = {**data, **data["data"], **data["legs"], **data["strategy"], **data["execution"]}
    assert flat[key] == value


def test_a_csv_source_replaces_yahoo_and_its_folder_can_be_changed_alone(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "q").mkdir()
    csv = SHORT.replace("{source: sample}", "{source: csv, folder: p}")
    write(tmp_path, base=csv, child="extends: base.yaml\ndata: {prices: {folder: q}}\n")
    assert resolved(load(tmp_path / "child.yaml"))["data"]["prices"]["folder"] == str(tmp_path / "q")
    assert load(tmp_path / "base.yaml", "data.prices.source=yahoo").data.prices.source == "yahoo"


def test_a_relative_path_is_relative_to_the_file_in_which_it_stands(tmp_path: Path) -> None:
    (tmp_path / "lib" / "prices").mkdir(parents=True)
    write(tmp_path / "lib", base=SHORT.replace("{source: sample}", "{source: csv, folder: prices}"))
    write(tmp_path, child="extends: lib/base.yaml\n")
    assert resolved(load(tmp_path / "child.yaml"))["data"]["prices"]["folder"] == str(tmp_path / "lib" / "prices")


def test_a_relative_path_of_an_override_is_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    write(tmp_path / "there", c=SHORT)
    monkeypatch.chdir(tmp_path)
    config = load(tmp_path / "there" / "c.yaml", "data.prices={source: csv, folder: here}")
    assert resolved(config)["data"]["prices"]["folder"] == str(tmp_path / "here")


def test_a_mistake_is_told_in_the_file_where_its_key_stands(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=SHORT.replace("slippage_bps: 4", "slippage_bps: -4"),
        child="extends: base.yaml\n\nstrategy:\n  params:\n    threshold: -1\n    lookbak_sessions: 3\n",
    )
    assert lines(tmp_path / "child.yaml", "execution.delay_sessions=-1", "execution.shars=whole") == [
        "child.yaml:5: strategy.params.threshold: found -1, expected a number of at least 0",
        "child.yaml:6: strategy.params.lookbak_sessions: unknown key, did you mean lookback_sessions?",
        "base.yaml:4: execution.slippage_bps: found -4, expected a number from 0 to 1000",
        "--set: execution.shars: unknown key, did you mean shares?",
        "--set: execution.delay_sessions: found -1, expected a whole number from 0 to 21",
    ]


def test_yaml_faults_of_all_layers_are_told_together(tmp_path: Path) -> None:
    write(tmp_path, base=SHORT + "name: twice\n", child="extends: base.yaml\nlegs: &a {growth: {QQQ: 1}}\n")
    assert lines(tmp_path / "child.yaml", "data.tbill={annual: .nan}") == [
        "child.yaml:2: legs: found the anchor '&a', expected plain data",
        "base.yaml:5: name: duplicate key, first in line 1",
        "--set: data.tbill.annual: found .nan, expected a finite number",
    ]


@pytest.mark.parametrize(
    ("extends", "line"),
    [
        ("nowhere.yaml", "child.yaml:2: extends: found 'nowhere.yaml', no such file"),
        ("bases.yaml", "child.yaml:2: extends: found 'bases.yaml', no such file, did you mean base.yaml?"),
        (".", "child.yaml:2: extends: found '.', is a folder, expected a YAML file"),
        ("child.yaml", "child.yaml:2: extends: found 'child.yaml', builds upon itself"),
        ("3", "child.yaml:2: extends: found 3, expected the path of a YAML file"),
        ("''", "child.yaml:2: extends: found '', expected the path of a YAML file"),
        ("[a]", "child.yaml:2: extends: found a list, expected the path of a YAML file"),
        ("null", "child.yaml:2: extends: found null, expected the path of a YAML file"),
        ("&a base.yaml", "child.yaml:2: extends: found the anchor '&a', expected plain data"),
    ],
)
def test_an_extends_that_cannot_be_followed_is_one_line(tmp_path: Path, extends: str, line: str) -> None:
    write(tmp_path, base=SHORT, child=f"name: c\nextends: {extends}\n")
    assert lines(tmp_path / "child.yaml") == [line]


def test_a_misspelt_extends_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, base=SHORT, child="extend: base.yaml\n")
    assert lines(tmp_path / "child.yaml") == ["child.yaml:1: extend: unknown key, did you mean extends?"]


def test_extends_stands_at_the_top_of_a_file_only() -> None:
    assert problems_of(SHORT, ["extends=base.yaml"]) == ("--set: extends: cannot stand here",)


def test_a_circle_and_more_than_ten_levels_are_refused(tmp_path: Path) -> None:
    write(tmp_path, a="extends: b.yaml", b="extends: ./c.yaml", c="extends: a.yaml")
    assert lines(tmp_path / "a.yaml") == ["c.yaml:1: extends: found 'a.yaml', builds upon itself"]
    write(tmp_path, f0=SHORT, **{f"f{i}": f"extends: f{i - 1}.yaml" for i in range(1, 12)})
    assert load(tmp_path / "f10.yaml").name == "short"
    assert lines(tmp_path / "f11.yaml") == ["f1.yaml:1: extends: found 'f0.yaml', expected at most 10 levels"]


def test_a_file_in_another_folder_is_named_as_the_user_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write(tmp_path / "b", base=SHORT.replace("name: short", "name: 3"))
    write(tmp_path / "a", child="extends: ../b/base.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load(Path("a/child.yaml"))
    assert caught.value.problems[0].startswith(f"b{os.sep}base.yaml:1: name: found 3")


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("execution", "--set: found 'execution', expected KEY=VALUE such as execution.slippage_bps=4"),
        ("=3", "--set: found '=3', expected KEY=VALUE such as execution.slippage_bps=4"),
        ("a..b=3", "--set: found 'a..b=3', expected KEY=VALUE such as execution.slippage_bps=4"),
        ("a.\x1b[31m=3", "--set: found 'a.\\x1b[31m=3', expected KEY=VALUE such as execution.slippage_bps=4"),
        ("." * 30 + "=1", f"--set: found '{'.' * 30}=1', expected KEY=VALUE such as execution.slippage_bps=4"),
        ("name=[1", "--set: name: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("execution.slippage_bps=1\t", "--set: execution.slippage_bps: found a tab, expected spaces"),
        ("execution.slippage_bps=.inf", "--set: execution.slippage_bps: found .inf, expected a finite number"),
        ("execution.slippage_bps=NO", "--set: execution.slippage_bps: found 'NO', expected a number from 0 to 1000"),
        ("execution.slippage_bps=", "--set: execution.slippage_bps: found nothing, expected a number from 0 to 1000"),
        ("execution.slippage_bps.x=1", "--set: execution.slippage_bps: found a map, expected a number from 0 to 1000"),
        ("exection.slippage_bps=1", "--set: exection: unknown key, did you mean execution?"),
        ("strategy.name=rate_cuts", "--set: strategy.name: unknown strategy 'rate_cuts', did you mean rate_cut?"),
    ],
)
def test_a_wrong_override_is_one_line(override: str, line: str) -> None:
    assert problems_of(SHORT, [override])[-1:] == (line,)


def test_overrides_set_scalars_maps_and_lists() -> None:
    overrides = (
        "execution.rebalance.drift=0.2",
        "legs.growth={SPY: 0.25, QQQ: 0.75}",
        "benchmarks=[SPY, {static_mix: 1}]",
        "data.end=2020-01-01",
        "strategy.params.with_hedge=true",
        "name = b",
    )
    config = config_from_text(SHORT, strategies=STRATEGIES, overrides=overrides)
    data = resolved(config)
    assert data["execution"]["rebalance"] == {"drift": 0.2}
    assert data["legs"]["growth"] == {"QQQ": 0.75, "SPY": 0.25}
    assert data["benchmarks"] == ["SPY", {"static_mix": 1.0}]
    assert (data["data"]["end"], data["strategy"]["params"]["with_hedge"], data["name"]) == ("2020-01-01", True, "b")


def test_the_order_of_overrides_does_not_matter_but_the_later_of_two_holds() -> None:
    name, param = "strategy.name=rate_cut", "strategy.params.hold_sessions=7"
    one = config_from_text(GOOD, strategies=STRATEGIES, overrides=[name, param])
    two = config_from_text(GOOD, strategies=STRATEGIES, overrides=[param, name])
    assert question(one) == question(two)
    assert one.strategy.params.model_dump() == {"hold_sessions": 7, "min_cut_bps": 25.0}
    twice = config_from_text(GOOD, strategies=STRATEGIES, overrides=["name=a", "name=b"])
    assert twice.name == "b"


def test_an_override_does_not_move_what_is_missing_in_the_file() -> None:
    text = SHORT.replace("commission_bps: 1, ", "")
    assert problems_of(text, ["execution.shares=whole"])[0].startswith("c.yaml:4: execution.commission_bps: missing")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    write(tmp_path, momentum=SHORT)
    assert lines(tmp_path / "momentun.yaml") == ["momentun.yaml: no such file, did you mean momentum.yaml?"]
    assert lines(tmp_path / "x.yaml") == ["x.yaml: no such file"]
    with pytest.raises(ConfigError, match="is a folder, expected a YAML file"):
        load(tmp_path)
    for odd in ("a\x00b", "x" * 5000, "a\nb\x1b[31m"):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path / odd)
        assert all(line.isprintable() for line in caught.value.problems)


@pytest.mark.posix
def test_a_file_that_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert lines(tmp_path / "pipe.yaml") == ["pipe.yaml: is no regular file, expected a YAML file"]
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    assert lines(tmp_path / "loop.yaml")[0].startswith("loop.yaml: no such file")


def test_the_place_of_a_key_is_found_for_mistakes_that_only_the_data_show(tmp_path: Path) -> None:
    write(tmp_path, base=GOOD, child="extends: base.yaml\ndata:\n  start: 2002-01-01\n")
    path = tmp_path / "child.yaml"
    assert place_of(path, "data.start") == f"{path}:3"
    assert place_of(path, "data.end") == f"{tmp_path / 'base.yaml'}:5"
    assert place_of(path, "data.start", ["data.start=2003-01-02"]) == "--set"
    assert place_of(path, "execution.nothing") == f"{tmp_path / 'base.yaml'}:18"
