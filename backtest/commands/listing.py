"""`backtest list`: the strategies with their parameters, and the configs at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backtest.config import is_study, load_config
from backtest.config.schema import params_model
from backtest.errors import ConfigError
from strategies import REGISTRY


def list_all(folder: Path, *, as_json: bool) -> None:
    """Print strategies and configs, for people or as JSON."""
    listing = {"strategies": [describe(name, REGISTRY[name]) for name in REGISTRY], "configs": configs_in(folder)}
    if as_json:
        print(json.dumps(listing, indent=2))
        return
    for strategy in listing["strategies"]:
        print(f"{strategy['name']}: {strategy['summary']}")
        width = max((len(p["name"]) for p in strategy["parameters"]), default=0)
        for p in strategy["parameters"]:
            print(f"    {p['name']:<{width}}  {p['default']!s:<8}  {p['allowed']}: {p['description']}")
    print(f"\nConfigs in {folder}/:")
    for config in listing["configs"]:
        print(f"    {config['file']}: {config['about']}")
    if not listing["configs"]:
        print("    none; run this in the project's folder")


def describe(name: str, strategy: Any) -> dict[str, Any]:
    """A strategy's summary and its parameters, from the model that checks them."""
    schema = params_model(strategy).model_json_schema()
    parameters = [
        {
            "name": key,
            "default": spec.get("default"),
            "allowed": allowed(spec),
            "description": spec.get("description", ""),
        }
        for key, spec in schema.get("properties", {}).items()
    ]
    return {"name": name, "summary": (strategy.__doc__ or name).strip().splitlines()[0], "parameters": parameters}


def allowed(spec: dict[str, Any]) -> str:
    """Type and range of a parameter in a few words."""
    if "enum" in spec:
        return " | ".join(map(str, spec["enum"]))
    low = f" >= {spec['minimum']}" if "minimum" in spec else ""
    low = f" > {spec['exclusiveMinimum']}" if "exclusiveMinimum" in spec else low
    high = f" <= {spec['maximum']}" if "maximum" in spec else ""
    high = f" < {spec['exclusiveMaximum']}" if "exclusiveMaximum" in spec else high
    return f"{spec.get('type', 'value')}{low}{high}"


def configs_in(folder: Path) -> list[dict[str, str]]:
    """The YAML files of the folder and what each is, or what is wrong with it."""
    found = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            if is_study(path):
                about = "a study"
            else:
                config = load_config(path, strategies=REGISTRY)
                about = f"{config.strategy.name} on {config.data.prices.source} data from {config.data.start}"
        except ConfigError as error:
            about = f"not right: {error.problems[0]}"
        found.append({"file": str(path), "about": about})
    return found
