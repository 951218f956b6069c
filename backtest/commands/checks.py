"""`backtest check | list | audit`: is a config right, what can it say, and does its strategy look ahead?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backtest.commands.common import load_all, placed, progress, registry, tell
from backtest.config import Config, config_schema, is_study, load_config, load_study
from backtest.config.events import is_event_study, load_event_study
from backtest.config.schema import params_model
from backtest.errors import BacktestError, ConfigError, RunError
from backtest.text import listed, plural


def print_schema() -> None:
    """The JSON schema of a config on stdout."""
    print(json.dumps(config_schema(registry()), indent=2))


def check_configs(paths: Sequence[Path], overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print a line per file that is right; raise the first error with the problems of all files."""
    first: BacktestError | None = None
    problems: list[str] = []
    contents = []
    for path in paths:
        try:
            said = checked(path, overrides, offline=offline)
        except BacktestError as error:
            first = first or error
            problems += error.problems
            contents.append({"file": str(path), "ok": False, "problems": list(error.problems)})
            continue
        contents.append({"file": str(path), "ok": True, "about": said})
        if not as_json:
            print(f"{path}: {said}")
    if as_json:
        print(json.dumps(contents, indent=2))
    if first:
        raise type(first)(*problems)


def checked(path: Path, overrides: Sequence[str], *, offline: bool) -> str:
    """What a config or study is, when it is right; raises what running it would raise before the first trade."""
    if is_event_study(path):
        return _checked_events(path, overrides, offline=offline)
    if is_study(path):
        study = load_study(path, strategies=registry(), overrides=overrides)
        configs = [*study.variants.values(), *([study.grid_config(0)] if study.size else [])]
        for config in configs:
            decided(path, overrides, config, offline=offline)
        asked = plural(len(study.variants) + study.size, "variant")
        return f"right; a study of {asked}{'' if is_local(configs[0]) else _later(configs[0])}"
    (config,) = load_all([path], overrides)
    sessions = decided(path, overrides, config, offline=offline)
    return f"right; {sessions}" if sessions else f"the config is right{_later(config)}"


def _checked_events(path: Path, overrides: Sequence[str], *, offline: bool) -> str:
    """The same of an event study: its events are found and counted."""
    from backtest.events.study import lists_of, load_event_market, pairs_of

    study = load_event_study(path, strategies=registry(), overrides=overrides)
    pairs = pairs_of(study.config, study.terms)
    asked = f"an event study of {plural(len(pairs), 'pair')}"
    if not is_local(study.config):
        return f"the study is right, {asked}{_later(study.config)}"
    with placed(path, overrides):
        market = load_event_market(study.config, study.terms, pairs, offline=offline)
    found = lists_of(market, study.config, study.terms, pairs)
    return f"right; {asked}: {listed([f'{len(each)} {each.name}' for each in found])} in all"


def decided(path: Path, overrides: Sequence[str], config: Config, *, offline: bool) -> str:
    """The sessions of a config whose strategy decides on its data; empty where the data are not on this machine."""
    from backtest.audit.clocks import early_problems
    from backtest.data import load_market
    from backtest.pipeline import decide, plan_of

    if not is_local(config):
        return ""
    with placed(path, overrides):
        market = load_market(config, offline=offline)
        plan_of(config, market, decide(config, market, registry()[config.strategy.name]))
    if early := early_problems(market):
        raise RunError(*(f"{path}: {problem}" for problem in early))
    sessions = market.sessions
    clocks = "".join(f"; {name}: {one.clock.partition(' (')[0]}" for name, one in market.series.items() if one.clock)
    return f"{plural(len(sessions), market.row)}, {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}{clocks}"


def is_local(config: Config) -> bool:
    """Can its data be read without a network?"""
    prices = config.data.prices
    return prices.source == "sample" or getattr(prices, "folder", None) is not None


def _later(config: Config) -> str:
    return f"; {config.data.prices.source} data, and what the strategy makes of them, are checked when it is run"


def list_all(folder: Path, *, as_json: bool) -> None:
    """Print strategies and configs, for people or as JSON."""
    listing = {"strategies": [describe(*each) for each in registry().items()], "configs": configs_in(folder)}
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
    properties = params_model(strategy).model_json_schema().get("properties", {})
    parameters = [
        {
            "name": key,
            "default": spec.get("default"),
            "allowed": allowed(spec),
            "description": spec.get("description", ""),
        }
        for key, spec in properties.items()
    ]
    return {"name": name, "summary": (strategy.__doc__ or name).strip().splitlines()[0], "parameters": parameters}


BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def allowed(spec: dict[str, Any]) -> str:
    """Type and range of a parameter in a few words."""
    if "enum" in spec:
        return " | ".join(map(str, spec["enum"]))
    bounds = (f" {sign} {spec[bound]}" for bound, sign in BOUNDS.items() if bound in spec)
    return f"{spec.get('type', 'value')}{''.join(bounds)}"


def configs_in(folder: Path) -> list[dict[str, str]]:
    """The YAML files of the folder and what each is, or what is wrong with it."""
    found = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            if is_event_study(path):
                about = "an event study"
            elif is_study(path):
                about = "a study"
            else:
                config = load_config(path, strategies=registry())
                about = f"{config.strategy.name} on {config.data.prices.source} data from {config.data.start}"
        except ConfigError as error:
            about = f"not right: {error.problems[0]}"
        found.append({"file": str(path), "about": about})
    return found


def audit_configs(paths: Sequence[Path], overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print what was checked; raise RunError (exit code 5) with the first session that changed, per config."""
    from backtest.audit.audit import audit
    from backtest.data import load_market

    problems, contents = [], []
    for path, config in zip(paths, load_all(paths, overrides), strict=True):
        with placed(path, overrides):
            market = load_market(config, offline=offline)
        with progress(f"audit {config.name}") as advance:
            report = audit(config, registry(), market=market, progress=advance)
        lines = [f"{path}: {line}" for line in report.lines()]
        contents.append({"config": str(path), "ok": report.ok, "lines": list(report.lines())})
        if report.ok and not as_json:
            tell(market, *lines)
        problems += [] if report.ok else lines
    if as_json:
        print(json.dumps(contents, indent=2))
    if problems:
        raise RunError(*problems)
