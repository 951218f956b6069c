"""YAML -> typed, validated models; every mistake of a file is told at once, with file, line and key.

The way of a file: `reader` (text -> nodes with lines) -> `layers` (extends, --set) -> `load` (pydantic's `models`)
-> Config, or `explain` -> one ConfigError. `study` does the same for a study of many configs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from backtest.config.fields import AnnualRate, Drift, LegConfig, Mix, TwoLegMix
from backtest.config.load import config_from_text, load_config
from backtest.config.models import (
    DEFAULT_LEGS,
    Config,
    CrossCheck,
    CsvPrices,
    DataConfig,
    ExecutionConfig,
    MacroConfig,
    MacroSeries,
    NoParams,
    SamplePrices,
    StrategyConfig,
    YahooPrices,
)
from backtest.config.resolve import dump_yaml, question, resolved
from backtest.config.schema import config_schema

if TYPE_CHECKING:
    from backtest.config.study import Study, study_question
    from backtest.config.study_file import is_study, load_study, study_from_text

__all__ = [
    "DEFAULT_LEGS",
    "AnnualRate",
    "Config",
    "CrossCheck",
    "CsvPrices",
    "DataConfig",
    "Drift",
    "ExecutionConfig",
    "LegConfig",
    "MacroConfig",
    "MacroSeries",
    "Mix",
    "NoParams",
    "SamplePrices",
    "StrategyConfig",
    "Study",
    "TwoLegMix",
    "YahooPrices",
    "config_from_text",
    "config_schema",
    "dump_yaml",
    "is_study",
    "load_config",
    "load_study",
    "question",
    "resolved",
    "study_from_text",
    "study_question",
]

_LATER = {"Study": "study", "study_question": "study"}


def __getattr__(name: str) -> Any:
    """Studies are loaded on first use: a run of one config does not pay for them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER.get(name, 'study_file')}"), name)
