"""Common inputs: one market, one period, one declared benchmark; or the reason why variants cannot be compared.

Other data are refused, since nothing could be said of the difference. Other periods are cut to what all share. Other
costs, execution and legs are allowed and mentioned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtest.account.plan import same_close
from backtest.config import Config, Mix, TwoLegMix, resolved
from backtest.data import load_market
from backtest.data.period import with_late_starts
from backtest.errors import ConfigError, DataError
from backtest.market import Market, Needs
from backtest.study.question import MOST_VARIANTS, trial_hash
from backtest.text import count, grouped, listed

NAMED = 3
"""Names of variants that one caution tells; the rest is a number."""

Benchmark = str | TwoLegMix | Mix


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """What the variants share: their configs on the common period, the market, benchmarks (the declared one first)."""

    configs: Mapping[str, Config]
    market: Market
    benchmarks: tuple[Benchmark, ...]
    cautions: tuple[str, ...]

    @property
    def first(self) -> Config:
        """The first variant's config: benchmarks and frontier run on its terms and legs."""
        return next(iter(self.configs.values()))

    @property
    def start(self) -> pd.Timestamp:
        """First day of the common period."""
        return pd.Timestamp(self.first.data.start)


def common_inputs(
    variants: Mapping[str, Config], benchmark: Benchmark | None, *, market: Market | None, offline: bool
) -> StudyInputs:
    """The inputs on which all variants can be compared.

    market: use this one instead of loading. Raises ConfigError with a line per reason why they cannot be.
    """
    if not 1 <= len(variants) <= MOST_VARIANTS:
        raise ConfigError(f"compare: found {count(len(variants))} variants, expected 1 to {count(MOST_VARIANTS)}")
    benchmarks = _benchmarks(variants, benchmark)
    configs = _on_common_period(variants)
    _refuse_other_rates(configs)
    market = market or _common_market(configs, benchmarks, offline=offline)
    missing = [t for t in _tickers(configs, benchmarks) if t not in market.tickers]
    if missing:
        raise DataError(f"compare: the market has no {', '.join(missing)}")
    market = with_late_starts(market, _tickers(configs, benchmarks), next(iter(configs.values())).data.start)
    cautions = (
        *_periods(variants),
        *_executions(configs),
        *_legs(configs),
        *_doubles(configs),
        *_rate(market),
        *_same_close(configs),
    )
    return StudyInputs(configs, market, benchmarks, cautions)


def _benchmarks(variants: Mapping[str, Config], declared: Benchmark | None) -> tuple[Benchmark, ...]:
    """The declared benchmark, then all others that any variant names, each once."""
    named = [benchmark for config in variants.values() for benchmark in config.benchmarks]
    first = next(iter(variants.values()))
    if declared is None and not first.benchmarks:
        raise ConfigError("compare: benchmark: found none, expected a ticker such as QQQ, or {static_mix: 0.5}")
    chosen = first.benchmarks[0] if declared is None else declared
    return tuple(dict.fromkeys((chosen, *named)))


def _on_common_period(variants: Mapping[str, Config]) -> dict[str, Config]:
    start = max(config.data.start for config in variants.values())
    ends = [config.data.end for config in variants.values() if config.data.end is not None]
    end = min(ends, default=None)
    if end is not None and start >= end:
        raise ConfigError(f"compare: no common period: the last variant begins on {start}, the first ends on {end}")

    def moved(config: Config) -> Config:
        return config.model_copy(update={"data": config.data.model_copy(update={"start": start, "end": end})})

    return {name: moved(config) for name, config in variants.items()}


def _refuse_other_rates(configs: Mapping[str, Config]) -> None:
    (first, reference), *others = configs.items()
    problems = [
        f"{name}: data.tbill: found {_shown(config.data.tbill)}, expected {_shown(reference.data.tbill)} as in "
        f"{first}: figures over different T-bills cannot be compared"
        for name, config in others
        if config.data.tbill != reference.data.tbill
    ]
    if problems:
        raise ConfigError(*problems)


def _common_market(configs: Mapping[str, Config], benchmarks: Sequence[Benchmark], *, offline: bool) -> Market:
    """The market of the first variant with everybody's tickers and series; those of other sources must be the same."""
    tickers, legs = _tickers(configs, benchmarks), next(iter(configs.values())).legs
    questions: dict[str, tuple[str, Config]] = {}
    for name, config in configs.items():
        asked = config.model_copy(update={"benchmarks": tickers, "legs": legs})
        questions.setdefault(config.data.prices.model_dump_json(), (name, asked))
    needs = [(config.legs, getattr(config.strategy.params, "needs", Needs())) for config in configs.values()]
    named = tuple(dict.fromkeys(name for own, each in needs for name in each.tickers if name not in own))
    series = tuple(dict.fromkeys(name for _, each in needs for name in each.series))
    (first, asked), *others = questions.values()
    market = load_market(asked, offline=offline, extra_tickers=named, extra_series=series)
    problems = []
    for name, other in others:
        different = _different_tickers(market, load_market(other, offline=offline))
        if different:
            problems.append(
                f"{name}: data.prices: other data for {', '.join(different)} than in {first}: variants are compared on "
                "the same prices only"
            )
    if problems:
        raise ConfigError(*problems)
    return market


def _different_tickers(one: Market, other: Market) -> list[str]:
    same = [one.open[t].equals(other.open[t]) and one.close[t].equals(other.close[t]) for t in one.tickers]
    return [ticker for ticker, is_same in zip(one.tickers, same, strict=True) if not is_same]


def _tickers(configs: Mapping[str, Config], benchmarks: Sequence[Benchmark]) -> tuple[str, ...]:
    legs = [ticker for config in configs.values() for ticker in config.tickers]
    return tuple(dict.fromkeys((*legs, *(b for b in benchmarks if isinstance(b, str)))))


def _periods(variants: Mapping[str, Config]) -> list[str]:
    """A caution where a variant's own period was cut."""
    told = []
    for word, values in (
        ("start", {name: str(config.data.start) for name, config in variants.items()}),
        ("end", {name: str(config.data.end or "the last session") for name, config in variants.items()}),
    ):
        if len(set(values.values())) > 1:
            told.append(f"Periods {word} differently ({grouped(values, NAMED)}); all were run on what they share.")
    return told


def _executions(configs: Mapping[str, Config]) -> list[str]:
    """One sentence for each key of the execution that is not the same everywhere."""
    first = next(iter(configs))
    sections: dict[str, dict[str, Any]] = {name: resolved(config)["execution"] for name, config in configs.items()}
    told = []
    for key in sections[first]:
        values = {name: _shown(section[key]) for name, section in sections.items()}
        if len(set(values.values())) > 1:
            told.append(
                f"Not the same execution.{key} everywhere ({grouped(values, NAMED)}); benchmarks and static mixes of "
                f"the frontier are run on the terms of {first}."
            )
    return told


def _legs(configs: Mapping[str, Config]) -> list[str]:
    values = {name: " against ".join("+".join(leg.weights) for leg in c.legs.values()) for name, c in configs.items()}
    return [f"Not the same legs everywhere ({grouped(values, NAMED)})."] if len(set(values.values())) > 1 else []


def _doubles(configs: Mapping[str, Config]) -> list[str]:
    asked: dict[str, list[str]] = {}
    for name, config in configs.items():
        asked.setdefault(trial_hash(config), []).append(name)
    return [f"{listed(names, NAMED)} ask the same question: one trial." for names in asked.values() if len(names) > 1]


def _same_close(configs: Mapping[str, Config]) -> list[str]:
    names = [name for name, config in configs.items() if config.execution.delay_sessions == 0]
    if not names:
        return []
    return [same_close() if len(names) == len(configs) else same_close(listed(names, NAMED), len(names))]


def _rate(market: Market) -> list[str]:
    return [] if market.tbill is not None else ["No T-bill rate was given: Sharpe ratios over T-bills take it as zero."]


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {each}" for key, each in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)
