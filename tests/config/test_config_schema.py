"""The JSON schema agrees with the loader: what it lets pass is right, what is wrong it stops."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_up_strategies import GOOD, SHORT, STRATEGIES, changed, problems_of

from backtest.config import config_schema
from backtest.config.nodes import YamlSource, plain
from backtest.config.reader import read_text
from strategies import REGISTRY

SCHEMA = config_schema(STRATEGIES)

TYPES = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
}


def is_valid(value: Any, schema: Any, whole: dict[str, Any]) -> bool:
    """The part of JSON schema 2020-12 that the config's schema uses, by the specification."""
    checks = []
    for word, asked in schema.items():
        match word:
            case "$ref":
                checks.append(is_valid(value, whole["$defs"][asked.removeprefix("#/$defs/")], whole))
            case "type":
                checks.append(TYPES[asked](value))
            case "const":
                checks.append(value == asked)
            case "enum":
                checks.append(value in asked)
            case "oneOf":
                checks.append(sum(is_valid(value, option, whole) for option in asked) == 1)
            case "anyOf":
                checks.append(any(is_valid(value, option, whole) for option in asked))
            case "not":
                checks.append(not is_valid(value, asked, whole))
            case "if":
                branch = "then" if is_valid(value, asked, whole) else "else"
                checks.append(is_valid(value, schema.get(branch, {}), whole))
            case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
                if type(value) in (int, float):
                    bound = {"minimum": value >= asked, "maximum": value <= asked}
                    bound |= {"exclusiveMinimum": value > asked, "exclusiveMaximum": value < asked}
                    checks.append(bound[word])
            case "pattern":
                checks.append(not isinstance(value, str) or bool(re.search(asked, value)))
            case "maxItems":
                checks.append(not isinstance(value, list) or len(value) <= asked)
            case "items":
                checks += [is_valid(each, asked, whole) for each in value] if isinstance(value, list) else []
            case "required":
                checks.append(not isinstance(value, dict) or all(key in value for key in asked))
            case "properties" if isinstance(value, dict):
                checks += [is_valid(value[key], below, whole) for key, below in asked.items() if key in value]
            case "propertyNames" if isinstance(value, dict):
                checks += [is_valid(key, asked, whole) for key in value]
            case "patternProperties" if isinstance(value, dict):
                matches = [
                    (each, below) for key, each in value.items() for p, below in asked.items() if re.search(p, key)
                ]
                checks += [is_valid(each, below, whole) for each, below in matches]
            case "additionalProperties" if isinstance(value, dict):
                known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
                extra = [
                    value[key] for key in value if key not in known and not any(re.search(p, key) for p in patterns)
                ]
                checks += [asked is not False and (asked is True or is_valid(each, asked, whole)) for each in extra]
            case _:
                assert word in KNOWN, word
    return all(checks)


KNOWN = {
    "$schema",
    "$defs",
    "title",
    "description",
    "default",
    "format",
    "errorMessage",
    "discriminator",
    "then",
    "examples",
}
KNOWN |= {"properties", "additionalProperties", "patternProperties", "propertyNames"}


def data_of(text: str) -> Any:
    return plain(read_text(text, YamlSource("f", Path())).root)


def passes(text: str) -> bool:
    return is_valid(data_of(text), SCHEMA, SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        SHORT,
        SHORT.replace("relative_momentum", "next_style"),
        SHORT.replace("sample", "csv, folder: x"),
        SHORT + "legs: {small: {SPY: 1}}\n",
        changed("{drift: 0.05}", "monthly"),
        "extends: base.yaml\n",
        "extends: base.yaml\nname: x\nstrategy: {params: {threshold: 0.5}}\n",
        "extends: base.yaml\nexecution: {slippage_bps: 3}\ndata: {end: null}\nstrategy: {name: crossover}\n",
    ],
)
def test_what_is_right_passes(text: str) -> None:
    assert passes(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: momentum", "name: ../x"),
        ("name: momentum\n", ""),
        ("  slippage_bps: 4\n", ""),
        ("slippage_bps: 4", "slippage_bps: 1001"),
        ("slippage_bps: 4", "slipage_bps: 4"),
        ("source: sample", "source: csv"),
        ("lookback_sessions: 63", "lookback_sessions: 0"),
        ("lookback_sessions: 63", "hold_sessions: 63"),
        ("decide: daily", "decide: wekly"),
        ("name: relative_momentum", "name: rate_cut"),
        ("name: relative_momentum", "name: zzz"),
        ("annual: 0.02", "annual: 2"),
        ("drift: 0.05", "drift: 1"),
        ("QQQ: 0.5", "QQQ: 2"),
        ("QQQ: 0.5", "qqq: 0.5"),
        ("static_mix: 0.5", "static_mix: 1.5"),
        ("accounting: total_return", "accounting: tape"),
        ("delay_sessions: 1", "delay_sessions: 22"),
    ],
)
def test_what_is_wrong_is_stopped_as_by_the_loader(old: str, new: str) -> None:
    text = changed(old, new)
    assert not passes(text)
    assert problems_of(text)


def test_the_strategy_is_one_of_the_registry() -> None:
    options = SCHEMA["properties"]["strategy"]["oneOf"]
    names = [option["properties"]["name"]["const"] for option in options if "const" in option["properties"]["name"]]
    assert names == sorted(STRATEGIES)
    described = options[names.index("rate_cut")]["properties"]["params"]["properties"]["hold_sessions"]
    assert (described["minimum"], described["default"]) == (1, 252)
    assert described["description"] == "sessions in small caps after a cut"


def test_every_field_is_described() -> None:
    definitions = [each for name, each in SCHEMA["$defs"].items() if "." not in name]
    fields = {**SCHEMA["properties"]}
    for definition in definitions:
        fields |= {f"{definition['title']}.{key}": field for key, field in definition["properties"].items()}
    without = [
        key
        for key, field in fields.items()
        if not field.get("description") and key.split(".")[-1] not in ("name", "source")
    ]
    assert without == []


def test_the_schema_is_json_and_says_its_dialect() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["properties"]["extends"]["type"] == "string"


def test_shipped_configs_pass_with_the_shipped_strategies() -> None:
    whole = config_schema(REGISTRY)
    configs = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
    data = {path.name: data_of(path.read_text(encoding="utf-8")) for path in configs}
    assert [name for name, each in data.items() if "strategy" in each and not is_valid(each, whole, whole)] == []
