"""From a page and its files to a folder of results, and the index brought up to date."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.config import Config, Study, dump_yaml, question, resolved
from backtest.market import Floats, Market
from backtest.pages.index import write_index
from backtest.store.folder import Content, Identity, Written, write
from backtest.store.provenance import Provenance, code_hash, library_hash, sha256_text
from backtest.store.sameness import BASE, STUDY, VARIANTS
from backtest.store.tables import day, json_text

SPARKLINE_POINTS = 60


def write_pages(
    root: Path, identity: Identity, files: Mapping[str, Content], about: Mapping[str, Any], provenance: Provenance
) -> Written:
    """Write `root/<name>-<hash8>/` whole or not at all, then `root/index.html`, which a rerun heals.

    Raises ResultDiffers when the folder holds another answer to the question, WriteError when it cannot be written.
    """
    written = write(root, identity, files, about, provenance)
    write_index(root)
    return written


def code_of(strategies: Mapping[str, type], names: Sequence[str]) -> str:
    """sha256 (hex) of the library and of the files of these strategies, which may be none."""
    return sha256_text("".join(code_hash(strategies[name]) for name in names) or library_hash())


def sources_of(market: Market) -> list[dict[str, Any]]:
    """Where each series came from."""
    return [asdict(source) for source in market.sources]


def period_of(sessions: pd.DatetimeIndex) -> dict[str, Any]:
    """First and last session, and their number."""
    return {"start": day(sessions[0]), "end": day(sessions[-1]), "sessions": len(sessions)}


def sparkline(equity: Floats) -> list[float]:
    """The curve at SPARKLINE_POINTS evenly spaced sessions, as multiples of the first, to 4 digits; none after ruin."""
    if not equity.min(initial=np.inf) > 0:
        return []
    rows = np.unique(np.linspace(0, len(equity) - 1, SPARKLINE_POINTS).round().astype(np.int64))
    return [max(round(float(value), 4), 0.0001) for value in equity[rows] / equity[0]]


def study_files(study: Study) -> dict[str, str]:
    """The question of a sweep or a walk as files that run again as they are: the study, and the base it changes."""
    content: dict[str, Any] = {"name": study.name, "base": BASE}
    if study.benchmark is not None:
        given = study.benchmark
        content["benchmark"] = given if isinstance(given, str) else given.model_dump(mode="json")
    content["variants"] = {name: resolved(config) for name, config in study.variants.items()}
    content["grid"] = {key: list(values) for key, values in study.grid.items()}
    for key, terms in (("sample", study.sample), ("walk_forward", study.walk_forward)):
        content[key] = terms.model_dump(mode="json", exclude_defaults=True) if terms else {}
    files = {STUDY: dump_yaml({key: value for key, value in content.items() if value})}
    return files | ({BASE: dump_yaml(resolved(study.base))} if study.base else {})


def variants_file(configs: Mapping[str, Config], benchmark: str) -> dict[str, str]:
    """The variants of a comparison with all their settings, and the name of what they are held against."""
    variants = {name: resolved(config) for name, config in configs.items()}
    return {VARIANTS: json_text({"benchmark": benchmark, "variants": variants})}


def asked_of(config: Config) -> dict[str, Any]:
    """The config's dotted keys and values without its name and places: what results of one name may differ in."""
    return dict(_flat("", {key: value for key, value in json.loads(question(config)).items() if key != "name"}))


def _flat(prefix: str, content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in content.items():
        pairs += _flat(f"{prefix}{key}.", value) if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return pairs
