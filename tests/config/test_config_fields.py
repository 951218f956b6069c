"""Each field of a config times each way to get it wrong: one line, at its line, naming its key."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from made_up_strategies import GOOD, SHORT, STRATEGIES, Crossover, RelativeMomentum, changed, line_of, problems_of
from pydantic import ValidationError

from backtest.config import (
    AnnualRate,
    Config,
    CsvPrices,
    DataConfig,
    Drift,
    ExecutionConfig,
    SamplePrices,
    StrategyConfig,
    TwoLegMix,
    config_from_text,
)


def either(text: str) -> tuple[str, ...]:
    """Values between bars; a bar alone is none."""
    return tuple(part.strip() for part in text.split("|"))


def section(name: str, following: str) -> str:
    """A top-level section of GOOD, without its last newline."""
    return GOOD[GOOD.index(f"\n{name}:") + 1 : GOOD.index(f"\n{following}:")]


NUMBER = either(".nan | .inf | -.inf | 1e999 | nan | '1' | true | null | [1] | {a: 1} | 010 | 1_000 | NO")
WHOLE = (*NUMBER, "1.0", "1e1", "0.5")
WORD = either(".nan | 1 | true | null | [a] | {a: b} | nonsense | ''")
BAD_NAMES = either(".nan | 1 | true | null | [a] | ../x | a/b | .x | '' | a b | CON | nul.txt | com1 | é")
DATE = either(
    ".nan | 20010731 | 1.5 | true | [2001-07-31] | 2001-7-31 | 2001-02-30 | 2001-07-31T00:00:00 | '1577836800'"
)
DATE += ("0001-01-01", "2500-01-01")
TICKER = either(
    "qqq | 1 | null | true | '../x' | 'A/B' | 'QQQ?x=1' | 'QQQ#' | QQQ | ^ | A234567890123456 | [QQQ] | '=C'"
)

# key: the piece of GOOD that sets it, and values that are wrong there
WRONG: dict[str, tuple[str, tuple[str, ...]]] = {
    "name": ("name: momentum", (*BAD_NAMES, "x" * 65, "'<script>'", "'=cmd'")),
    "data.prices": ("prices: {source: sample}", either("yahoo | null | 1 | [a]")),
    "data.prices.source": ("source: sample", WORD),
    "data.start": ("start: 2001-07-31", (*DATE, "null")),
    "data.end": ("end: 2025-12-31", (*DATE, "2001-07-31", "1999-01-01")),
    "data.tbill": ("tbill: {annual: 0.02}", either(".nan | 2 | irxx | true | [irx]")),
    "data.tbill.annual": ("annual: 0.02", (*NUMBER, "-0.051", "0.51", "2")),
    "legs": (
        section("legs", "strategy"),
        either("1 | null | [qqq] | [QQQ, QQQ] | QQQ | {} | {a: {QQQ: 1}, A: {IWM: 1}}"),
    ),
    "legs.growth": (
        "growth: {QQQ: 0.5, IVW: 0.5}",
        either(".nan | 1 | null | QQQ | [QQQ] | {} | {label: x} | {QQQ: 0.6, IVW: 0.5}"),
    ),
    "legs.growth.QQQ": ("QQQ: 0.5", (*NUMBER, "0", "-0.5", "1.5")),
    "strategy": (section("strategy", "execution"), either("1 | null | rate_cut | [a]")),
    "strategy.name": (
        "name: relative_momentum",
        either(".nan | 1 | true | null | [a] | '' | os.system | subprocess.Popen | builtins.eval | ../x.py"),
    ),
    "strategy.initial": ("initial: growth", WORD),
    "strategy.params.lookback_sessions": ("lookback_sessions: 63", (*WHOLE, "0", "-1", "5001")),
    "strategy.params.threshold": ("threshold: 0.0", (*NUMBER, "-0.1")),
    "strategy.params.decide": ("decide: daily", WORD),
    "strategy.params.with_hedge": ("with_hedge: false", either(".nan | 1 | 0 | null | ON | NO | yes | 'true' | True")),
    "execution.initial_cash_usd": ("initial_cash_usd: 100000", (*NUMBER, "0", "-1", "1e13")),
    "execution.commission_bps": ("commission_bps: 1", (*NUMBER, "-1", "1001")),
    "execution.slippage_bps": ("slippage_bps: 4", (*NUMBER, "-1", "1001")),
    "execution.shares": ("shares: fractional", WORD),
    "execution.rebalance": ("rebalance: {drift: 0.05}", either(".nan | 1 | true | null | [monthly] | yearly")),
    "execution.rebalance.drift": ("drift: 0.05", (*NUMBER, "0", "1", "-0.1", "5")),
    "execution.delay_sessions": ("delay_sessions: 1", (*WHOLE, "0", "-1", "22")),
    "execution.idle_cash": ("idle_cash: tbill", WORD),
    "execution.accounting": ("accounting: total_return", (*WORD, "tape")),
    "benchmarks": (
        "benchmarks: [QQQ, IWM, {static_mix: 0.5}]",
        (*either(".nan | 1 | null | QQQ | {static_mix: 0.5}"), f"[{', '.join(f'T{i}' for i in range(51))}]"),
    ),
    "benchmarks[1]": ("IWM, {", TICKER),
    "benchmarks[2].static_mix": ("static_mix: 0.5", (*NUMBER, "-0.1", "1.1")),
}


def with_value(piece: str, value: str) -> str:
    """GOOD with another value where `piece` sets one."""
    if piece.endswith(", {"):  # an item of a list
        return changed(piece, f"{value}, {{")
    if piece.startswith(("name: momentum", "legs:", "strategy:", "name: relative")):
        return changed(f"{piece}\n", f"{piece.partition(':')[0]}: {value}\n")
    return changed(piece, f"{piece.partition(':')[0]}: {value}")


@pytest.mark.parametrize(
    ("key", "piece", "value"), [(key, piece, value) for key, (piece, values) in WRONG.items() for value in values]
)
def test_a_wrong_value_is_one_line_at_its_key(key: str, piece: str, value: str) -> None:
    (line,) = problems_of(with_value(piece, value))
    assert line.startswith(f"c.yaml:{line_of(piece, GOOD)}: {key}: ")
    assert line.isprintable()


KEYS = [key for key in WRONG if "[" not in key and "QQQ" not in key]
REQUIRED = {"name", "data.prices", "data.prices.source", "data.start", "data.tbill.annual", "strategy", "strategy.name"}
REQUIRED |= {"execution.commission_bps", "execution.slippage_bps", "execution.rebalance.drift"}


def without(key: str) -> tuple[str, int]:
    """GOOD without a key, and the line of the map it stood in."""
    piece = WRONG[key][0]
    parent = key.rpartition(".")[0]
    at = {"": 1, "data": 2, "strategy": 10, "execution": 18}.get(parent, 0)
    if key in ("data.prices.source", "data.tbill.annual", "execution.rebalance.drift"):
        return changed(piece, ""), line_of(piece, GOOD)
    lines = changed(f"{piece}\n", "#gone\n").splitlines(keepends=True)
    text = "".join(line for line in lines if "#gone" not in line)
    return text, at


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_told_at_its_map_if_it_has_no_default(key: str) -> None:
    text, at = without(key)
    if key == "data.tbill":  # then cash cannot earn it
        (line,) = problems_of(text)
        assert line.startswith("c.yaml:24: execution.idle_cash: found tbill, expected none, or a rate in data.tbill")
    elif key == "legs.growth":  # then there is one leg, and who names the other one says so
        assert {each.split(": ")[1] for each in problems_of(text)} == {"strategy.initial", "benchmarks[2]"}
    elif key in REQUIRED:
        assert [each.split(", expected")[0] for each in problems_of(text)] == [f"c.yaml:{at}: {key}: missing"]
    else:
        assert problems_of(text) == ()


@pytest.mark.parametrize("key", KEYS)
def test_a_misspelt_key_is_one_line_with_the_right_one(key: str) -> None:
    piece = WRONG[key][0]
    name = piece.partition(":")[0]
    typo = name[:-1] + "_" + name[-1]
    text = changed(piece, typo + piece[len(name) :])
    parent = key.rpartition(".")[0]
    at = f"{parent}." if parent else ""
    (line,) = problems_of(text)
    if key == "legs.growth":  # any name may be that of a leg: who names it says that it is none
        assert line.endswith(f"strategy.initial: found growth, expected one of the legs ({typo}, small) or cash")
        return
    assert line == f"c.yaml:{line_of(piece, GOOD)}: {at}{typo}: unknown key, did you mean {name}?"


NAME_LINE = (
    "c.yaml:1: name: found '../x', expected a name such as rate-cut_2 "
    "(letters, digits and . _ -, at most 64, no name of a Windows device)"
)


def test_ten_mistakes_are_ten_lines() -> None:
    text = """\
name: ../x
data:
  prices: {source: yaho}
  start: 2020-01-01
  end: 2019-01-01
legs:
  growth: {QQQ: 0.6, IVW: 0.5}
strategy:
  name: relative_momentun
  params: {lookbak_sessions: 63, threshold: .nan}
execution:
  slipage_bps: 4
  commission_bps: 1
  commission_bps: 1
benchmarks: [QQQ, IWM]
"""
    assert problems_of(text) == (
        NAME_LINE,
        "c.yaml:3: data.prices.source: found 'yaho', expected yahoo, csv, french or sample, did you mean yahoo?",
        "c.yaml:5: data.end: found 2019-01-01, expected a date after data.start (2020-01-01)",
        "c.yaml:7: legs.growth: the weights sum to 1.1, expected at most 1",
        "c.yaml:9: strategy.name: unknown strategy 'relative_momentun', did you mean relative_momentum?",
        "c.yaml:10: strategy.params.threshold: found .nan, expected a finite number",
        "c.yaml:10: strategy.params.lookbak_sessions: unknown key, did you mean lookback_sessions?",
        "c.yaml:12: execution.slipage_bps: unknown key, did you mean slippage_bps?",
        "c.yaml:14: execution.commission_bps: duplicate key, first in line 13",
    )


def test_what_disagrees_between_parts_is_told_beside_all_else() -> None:
    text = """\
name: a b
data: {prices: {source: sample}, start: 2020-01-01, end: 2020-01-01, tbil: null}
legs: {growth: {QQQ: 0.5, ivw: 0.6}, small: {QQQ: 1}}
strategy: {name: rate_cut}
execution: {commission_bps: x, slippage_bps: 4, idle_cash: tbill}
benchmarks: [QQQ, {static_mix: 0.5}, QQQ, {static_mix: 5e-1}, q]
"""
    told = {line.split(": ")[1] for line in problems_of(text)}
    assert told == {
        "name", "data.end", "data.tbil", "legs.growth", "execution.commission_bps",
        "execution.idle_cash", "benchmarks[2]", "benchmarks[3]", "benchmarks[4]",
    }  # fmt: skip


def test_legs_that_are_given_replace_the_usual_ones_and_name_what_they_are_called() -> None:
    config = config_from_text(SHORT + "legs: [SPY, IWD]\n", strategies=STRATEGIES)
    assert {name: dict(leg.weights) for name, leg in config.legs.items()} == {"SPY": {"SPY": 1.0}, "IWD": {"IWD": 1.0}}
    assert (config.strategy.initial, config.benchmarks) == ("SPY", ("SPY", "IWD"))


def test_a_ticker_may_stand_in_several_legs_and_a_leg_may_keep_cash() -> None:
    text = SHORT + "legs: {all: {SPY: 1}, part: {SPY: 0.5, IEF: 0.3, label: sixty forty}}\n"
    config = config_from_text(text, strategies=STRATEGIES)
    assert dict(config.legs["part"].weights) == {"IEF": 0.3, "SPY": 0.5}
    assert (config.legs["part"].label, config.tickers) == ("sixty forty", ("SPY", "IEF"))


def test_two_legs_are_not_called_alike() -> None:
    for legs in ("{a: {SPY: 1, label: x}, b: {IEF: 1, label: x}}", "{a: {SPY: 1, label: b}, b: {IEF: 1}}"):
        (line,) = problems_of(SHORT + f"legs: {legs}\n")
        assert "both called" in line


@pytest.mark.parametrize("label", ["''", '"two\\nlines"', "' '", "7", "x" * 81])
def test_a_label_is_one_line_of_words(label: str) -> None:
    (line,) = problems_of(GOOD.replace("growth: {QQQ: 0.5,", f"growth: {{label: {label}, QQQ: 0.5,"))
    assert "legs.growth.label: found" in line


@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        (
            "lookback_sessions: 63",
            "010",
            "found '010', expected a whole number from 1 to 5000 (a leading 0 makes it text)",
        ),
        ("lookback_sessions: 63", "'63'", "found '63', expected a whole number from 1 to 5000 (in quotes it is text)"),
        ("lookback_sessions: 63", "9" * 19, "(more than 18 digits make it text)"),
        ("with_hedge: false", "ON", "found 'ON', expected true or false"),
        ("name: momentum", "123", "no name of a Windows device) (in quotes it is text)"),
        ("annual: 0.02", "2", "found 2, expected a fraction from -0.05 to 0.5 (0.02 is 2%, 2 would be 200%)"),
        ("accounting: total_return", "tape", "expected total_return or raw"),
        ("decide: daily", "wekly", "found 'wekly', expected daily, weekly or monthly, did you mean weekly?"),
        ("drift: 0.05", "5", "found 5, expected a number above 0 and below 1"),
        ("QQQ: 0.5", "0", "found 0, expected a number above 0 and at most 1"),
        ("threshold: 0.0", "-1", "found -1, expected a number of at least 0"),
        ("rebalance: {drift: 0.05}", "{drift: 0.05, dritf: 1}", "unknown key, did you mean drift?"),
        ("prices: {source: sample}", "{source: yahoo, folder: x}", "unknown key, expected source"),
        ("name: relative_momentum", "zzz", "'zzz', expected crossover, next_style, rate_cut or relative_momentum"),
    ],
)
def test_a_line_says_what_was_found_and_what_would_be_right(old: str, new: str, end: str) -> None:
    (line,) = problems_of(with_value(old, new))
    assert line.endswith(end)


def test_a_value_is_quoted_back_shortened_and_escaped() -> None:
    (line,) = problems_of(changed("decide: daily", 'decide: "a\\nb\\n' + "x" * 500 + '"'))
    assert "found 'a\\nb\\nxxx" in line
    assert "xxx...'" in line
    assert len(line) < 200


def test_a_misspelt_section_is_checked_as_the_one_it_was_meant_to_be() -> None:
    lines = problems_of(changed("execution:", "exection:").replace("delay_sessions: 1", "delay_sessions: 0"))
    assert lines == (
        "c.yaml:18: exection: unknown key, did you mean execution?",
        "c.yaml:24: execution.delay_sessions: found 0 with fills at the open, expected 1 or more, or fill: close",
    )


def test_parameters_of_a_strategy_that_is_like_no_other_are_not_judged() -> None:
    assert len(problems_of(SHORT.replace("relative_momentum", "zzz, params: {anything: [1]}"))) == 1


def test_parameters_are_typed_by_the_strategy() -> None:
    params_text = "{fast_sessions: 5, weights: [1, 0.5], since: 2020-01-01}"
    text = SHORT.replace("relative_momentum", f"crossover, params: {params_text}")
    params = config_from_text(text, strategies=STRATEGIES).strategy.params
    assert params == Crossover.Params(fast_sessions=5, weights=(1.0, 0.5), since=date(2020, 1, 1))
    defaults = config_from_text(SHORT, strategies=STRATEGIES).strategy.params
    assert isinstance(defaults, RelativeMomentum.Params)


@pytest.mark.parametrize(
    ("params", "end"),
    [
        ("{}", "fast_sessions: missing, expected a whole number of at least 1 (the short average; has no default)"),
        ("{fast_sessions: 60}", "strategy.params: fast_sessions must be below slow_sessions"),
        ("{fast_sessions: 5, slow_sessions: 7}", "strategy.params.slow_sessions: found 7, expected an even number"),
        ("{fast_sessions: 5, weights: [1, x]}", "strategy.params.weights[1]: found 'x', expected a number"),
        ("{fast_sessions: 5, since: 2020-13-01}", "since: found '2020-13-01', expected a date such as 2001-07-31"),
        ("3", "strategy.params: found 3, expected a map with fast_sessions"),
    ],
)
def test_a_strategys_own_rules_are_told_in_its_words(params: str, end: str) -> None:
    (line,) = problems_of(SHORT.replace("relative_momentum", f"crossover, params: {params}"))
    assert line.endswith(end)


def test_a_strategy_without_params_takes_none() -> None:
    assert problems_of(SHORT.replace("relative_momentum", "next_style")) == ()
    (line,) = problems_of(SHORT.replace("relative_momentum", "next_style, params: {a: 1}"))
    assert line == "c.yaml:3: strategy.params.a: unknown key"


def test_defaults_are_those_of_the_design() -> None:
    config = config_from_text(SHORT, strategies=STRATEGIES)
    assert {name: leg.weights for name, leg in config.legs.items()} == {
        "growth": {"IVW": 0.5, "QQQ": 0.5},
        "small": {"IWM": 0.5, "IWN": 0.5},
    }
    assert config.benchmarks == ("QQQ", "IWM", TwoLegMix(static_mix=0.5))
    assert config.strategy.initial == "growth"
    assert config.execution == ExecutionConfig(commission_bps=1.0, slippage_bps=4.0)
    assert (config.execution.initial_cash_usd, config.execution.shares) == (100_000.0, "fractional")
    assert (config.execution.rebalance, config.execution.delay_sessions) == ("on_change", 1)
    assert (config.execution.idle_cash, config.execution.accounting) == ("none", "total_return")
    assert (config.data.end, config.data.tbill) == (None, None)


def test_values_arrive_typed() -> None:
    config = config_from_text(GOOD, strategies=STRATEGIES)
    assert config.data == DataConfig(
        prices=SamplePrices(source="sample"),
        start=date(2001, 7, 31),
        end=date(2025, 12, 31),
        tbill=AnnualRate(annual=0.02),
    )
    assert config.execution.rebalance == Drift(drift=0.05)
    assert isinstance(config.execution.initial_cash_usd, float)


def test_a_leg_is_normalised_and_in_the_order_of_its_tickers() -> None:
    text = SHORT + "legs: {growth: {VUG: 0.3333333333, QQQ: 0.3333333333, IVW: 0.3333333333}}\n"
    growth = config_from_text(text, strategies=STRATEGIES).legs["growth"].weights
    assert list(growth) == ["IVW", "QQQ", "VUG"]
    assert sum(growth.values()) == 1.0
    less = config_from_text(text.replace("0.3333333333", "0.33333333"), strategies=STRATEGIES).legs["growth"].weights
    assert less["IVW"] == 0.33333333, "1e-8 off is no rounding: the rest is cash"


def test_benchmarks_may_be_none() -> None:
    assert config_from_text(SHORT + "benchmarks: []\n", strategies=STRATEGIES).benchmarks == ()


def test_the_folder_of_the_prices_is_relative_to_the_file_and_must_exist(tmp_path: Path) -> None:
    (tmp_path / "prices").mkdir()
    text = SHORT.replace("{source: sample}", "{source: csv, folder: prices}")
    config = config_from_text(text, str(tmp_path / "c.yaml"), strategies=STRATEGIES)
    assert config.data.prices == CsvPrices(source="csv", folder=tmp_path / "prices")
    (line,) = problems_of(text.replace("folder: prices", "folder: nowhere"))
    assert line.startswith("c.yaml:2: data.prices.folder: found 'nowhere', no such folder ('/")


def test_a_config_is_frozen_and_strict_in_python_too() -> None:
    config = config_from_text(GOOD, strategies=STRATEGIES)
    with pytest.raises(ValidationError):
        config.name = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        ExecutionConfig(commission_bps="1", slippage_bps=4.0)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="tbill"):
        Config(
            name="a",
            data=DataConfig(prices=SamplePrices(source="sample"), start=date(2020, 1, 1)),
            strategy=StrategyConfig(name="x"),
            execution=ExecutionConfig(commission_bps=1.0, slippage_bps=1.0, idle_cash="tbill"),
        )


A_CONFIG = "expected a map with name, data, legs, strategy, execution, benchmarks"
A_STUDY = "this is a study (for compare, sweep or walk-forward)"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", f"c.yaml:1: found nothing, {A_CONFIG}"),
        ("# only this", f"c.yaml:1: found nothing, {A_CONFIG}"),
        ("- a", f"c.yaml:1: found a list, {A_CONFIG}"),
        ("name: a\nbase: x.yaml\nvariants: {}", f"c.yaml:2: base: {A_STUDY}, expected a config"),
    ],
)
def test_a_file_that_is_no_config_is_one_line(text: str, line: str) -> None:
    assert problems_of(text) == (line,)


def test_a_file_with_countless_mistakes_is_told_in_a_hundred_lines() -> None:
    lines = problems_of(SHORT + "".join(f"key{i}: 1\n" for i in range(500)))
    assert len(lines) == 101
    assert lines[-1] == "c.yaml: and 400 more mistakes"


def test_what_is_missing_names_what_is_needed_and_not_what_has_a_default() -> None:
    (line,) = problems_of(SHORT.partition("execution:")[0])
    assert "execution: missing, expected a map with commission_bps and slippage_bps (" in line


@pytest.mark.parametrize("word", ["mi", "zebra", "cost"])
def test_no_far_off_name_is_offered(word: str) -> None:
    (line,) = problems_of(SHORT.replace("execution: {", f"execution: {{{word}: 1, "))
    assert f"execution.{word}: unknown key, expected " in line
    assert "did you mean" not in line
