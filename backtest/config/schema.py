"""The JSON schema of a config (draft 2020-12): for editors, and for `explain`, to which it says what is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from backtest.config.models import Config, NoParams
from backtest.config.wording import Schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def config_schema(strategies: Mapping[str, type]) -> Schema:
    """The schema of a config file.

    `strategy` is one of the registry's names with the schema of its parameters. A file that `extends` another may
    leave out anything, so that what is required is asked only of a file that does not.
    """
    schema: Schema = {"$schema": DIALECT, **Config.model_json_schema()}
    definitions = schema["$defs"]
    for unused in ("NoParams", "BaseModel"):
        definitions.pop(unused, None)
    strategy = definitions.pop("StrategyConfig")
    choices = [_strategy(strategy, name, params_model(strategies[name]), definitions) for name in sorted(strategies)]
    without_name: Schema = {**strategy, "not": {"required": ["name"]}, "properties": {**strategy["properties"]}}
    without_name["properties"]["params"] = {"type": "object"}
    schema["properties"]["strategy"] = {
        "description": schema["properties"]["strategy"]["description"],
        "oneOf": [*choices, {key: value for key, value in without_name.items() if key != "required"}],
    }
    whole = {
        "required": schema.pop("required"),
        "properties": {
            "data": {"required": definitions["DataConfig"].pop("required")},
            "strategy": {"required": strategy["required"]},
            "execution": {"required": definitions["ExecutionConfig"].pop("required")},
        },
    }
    schema["properties"]["extends"] = {"type": "string", "description": "a config file this one builds upon"}
    return {**schema, "if": {"not": {"required": ["extends"]}}, "then": whole}


def params_model(strategy: type) -> type[BaseModel]:
    """The model of a strategy's parameters: its `Params`, or that of no parameters."""
    model = getattr(strategy, "Params", NoParams)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else NoParams


def _strategy(whole: Schema, name: str, model: type[BaseModel], definitions: Schema) -> Schema:
    """The schema of the `strategy` section when it names `name`; the model's own definitions join the others."""
    params = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    for definition, content in params.pop("$defs", {}).items():
        definitions[f"{name}.{definition}"] = content
    params.pop("required", None)
    properties = {**whole["properties"], "name": {"const": name, "type": "string"}, "params": params}
    return {**whole, "title": name, "properties": properties, "required": ["name"]}
