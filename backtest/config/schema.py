"""The JSON schema of a config (draft 2020-12), for editors, and what it asks for in words, for messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from backtest.config.fields import EXPECTED
from backtest.config.models import Config, NoParams
from backtest.config.nodes import Node, NodePath, child, one_of
from backtest.text import listed

Schema: TypeAlias = dict[str, Any]

_SIMPLE: Final = {"boolean": "true or false", "string": "text", "array": "a list", "null": "nothing"}
_FORMATS: Final = {"date": "a date such as 2001-07-31", "path": "a path"}
_MOST_KEYS: Final = 12


def schemas_at(schema: Schema, path: NodePath, root: Node) -> list[Schema]:
    """The schemas of what stands at `path` of a tree; several where a union has not been decided by the data."""
    here, node = [schema], root
    for part in path:
        options = _fitting([leaf for option in here for leaf in _leaves(option, schema)], node)
        here = [below for option in options if (below := _below(option, part)) is not None]
        node = child(node, part) or Node(None, node.origin)
    return here


def known_keys(schema: Schema, path: NodePath, root: Node) -> list[str]:
    """The keys that a map at `path` may have."""
    node = root
    for part in path:
        node = child(node, part) or Node(None, node.origin)
    leaves = [leaf for option in schemas_at(schema, path, root) for leaf in _leaves(option, schema)]
    return list(dict.fromkeys(key for leaf in _fitting(leaves, node) for key in leaf.get("properties", {})))


def choices(schemas: Sequence[Schema], whole: Schema) -> list[str]:
    """The words among which a value may be chosen."""
    leaves = [leaf for schema in schemas for leaf in _leaves(schema, whole)]
    return [str(choice) for leaf in leaves for choice in _enumerated(leaf)]


def phrase(schemas: Sequence[Schema], whole: Schema) -> str:
    """What would be right, in words; `whole` holds the definitions that the schemas refer to."""
    for schema in schemas:
        if EXPECTED in schema:
            return str(schema[EXPECTED])
    words = []
    for schema in schemas:
        for leaf in _leaves(schema, whole):
            words += [str(choice) for choice in _enumerated(leaf)] or [_phrase(leaf)]
    useful = [word for word in words if word != _SIMPLE["null"]] or words
    return one_of(useful) if useful else "something else"


def _leaves(schema: Schema, whole: Schema) -> Iterator[Schema]:
    """The branches of a schema, references followed."""
    if EXPECTED in schema and not {"properties", "anyOf", "oneOf", "$ref"} & schema.keys():
        yield schema
    elif "$ref" in schema:
        yield from _leaves(whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole)
    elif union := schema.get("anyOf") or schema.get("oneOf"):
        for option in union:
            yield from _leaves(option, whole)
    else:
        yield schema


def _enumerated(leaf: Schema) -> list[Any]:
    return [leaf["const"]] if "const" in leaf else list(leaf.get("enum", []))


def _fitting(options: list[Schema], node: Node) -> list[Schema]:
    """The options that a map's own constants choose ({source: csv}); all where they choose none."""
    if not isinstance(node.value, dict):
        return options
    children = node.value
    chosen = []
    for option in options:
        constants = {key: below["const"] for key, below in option.get("properties", {}).items() if "const" in below}
        if constants and all(key in children and children[key].value == const for key, const in constants.items()):
            chosen.append(option)
    return chosen or options


def _below(schema: Schema, part: str | int) -> Schema | None:
    if isinstance(part, int):
        items = schema.get("items")
    else:
        items = schema.get("properties", {}).get(part) or schema.get("additionalProperties")
        items = items or next(iter(schema.get("patternProperties", {}).values()), None)
    return items if isinstance(items, dict) else None


def _phrase(leaf: Schema) -> str:
    kind = leaf.get("type")
    if EXPECTED in leaf:
        return str(leaf[EXPECTED])
    if kind in ("integer", "number"):
        return f"a {'whole ' if kind == 'integer' else ''}number{_range(leaf)}"
    if kind == "string" and leaf.get("format") in _FORMATS:
        return _FORMATS[leaf["format"]]
    if kind == "object":
        properties = leaf.get("properties", {})
        needed = [key for key, spec in properties.items() if "default" not in spec]
        keys = (needed or list(properties))[:_MOST_KEYS]
        return f"a map with {listed(keys)}" if keys else "a map"
    return _SIMPLE.get(str(kind), "something else")


def _range(leaf: Schema) -> str:
    """The bounds of a number: ` from 0 to 1000`, ` above 0 and at most 1`, ` of at least 1`."""
    least, most = leaf.get("minimum"), leaf.get("maximum")
    above, below = leaf.get("exclusiveMinimum"), leaf.get("exclusiveMaximum")
    if least is not None and most is not None:
        return f" from {least:.12g} to {most:.12g}"
    lower = f"above {above:.12g}" if above is not None else "" if least is None else f"at least {least:.12g}"
    upper = f"below {below:.12g}" if below is not None else "" if most is None else f"at most {most:.12g}"
    if lower and upper:
        return f" {lower} and {upper}"
    bounds = lower or upper
    return f" of {bounds}" if bounds.startswith("at") else f" {bounds}" if bounds else ""


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
