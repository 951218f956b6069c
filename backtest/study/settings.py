"""Setting: all that variants of a sweep share but for what they decide, laid out for the compiled code.

A variant of the grid -> its SETTING (market, legs, terms, period, benchmark) + its parameters -> decision -> account.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from backtest.account.benchmarks import benchmark_plans, check_bought
from backtest.account.kernel import inputs_of, run_compiled
from backtest.account.plan import Plan, check_listed
from backtest.config import Config, Study, study_question
from backtest.config.fields import Benchmark
from backtest.data import content_hash, load_market
from backtest.data.assemble import traded_tickers
from backtest.data.period import with_late_starts
from backtest.decision import Decision, check_decision, target_weights
from backtest.errors import ConfigError, RunError
from backtest.market import Between, Floats, Legs, Market, Memo
from backtest.metrics import METRIC_KEYS, Calendar, calendar_and_tbill, metric_keys
from backtest.metrics.formulas import measured_against
from backtest.pipeline import is_rotation, legs_of, not_a_decision, plan_of
from backtest.result import average_shares, in_force
from backtest.store.provenance import code_hash

MOST_SETTINGS = 64
"""Kept at once, each about a megabyte."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A decision as stretches: from the market's row `rows[k]` on, `shares[k]` (legs,) as `weights[k]` (tickers,)."""

    rows: npt.NDArray[np.int64]
    shares: Floats
    weights: Floats

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        return self.rows.nbytes + self.shares.nbytes + self.weights.nbytes

    def along(self, values: Floats, sessions: int) -> Floats:
        """One of the arrays by session, from the market's first on."""
        return np.repeat(values, np.diff([*self.rows.tolist(), sessions]), axis=0)


@dataclass(frozen=True, eq=False)
class Setting:
    """What variants share: plan holds no targets; the last tuples are the arguments of `sweep_engine.run_many`.

    benchmark_of: what relative metrics are against, or None; benchmark: its equity (sessions,) on these terms.
    unknown: weights by ticker of what is held before a signal is known.
    baskets: (legs, tickers); none where legs share tickers, which are then parted as it was decided (`exposures`).
    """

    config: Config
    market: Market
    strategy: Any
    legs: Legs
    plan: Plan
    calendar: Calendar
    benchmark_of: Benchmark | None
    benchmark: Floats | None
    tbill: Floats
    unknown: Floats
    scheduled: npt.NDArray[np.int64]
    inputs: tuple[Any, ...]
    baskets: npt.NDArray[np.bool_]
    against: tuple[Any, ...]

    @property
    def begin(self) -> int:
        """Row of the market at which the test begins."""
        return len(self.market.close) - len(self.plan.opens)

    def decide(self, params: BaseModel) -> Decision:
        """What the variant with these parameters would hold after each close."""
        decision = self.strategy.decide(self.market, self.legs, params)
        if not isinstance(decision, Decision):
            raise RunError(not_a_decision(self.config.strategy.name, decision))
        return decision

    def simple(self, decision: Decision) -> Between | None:
        """The decision where it is one number a session, right or wrong, on the way between two portfolios."""
        path, sessions = decision.shares, len(self.market.close)
        if (
            self.legs.has_shared_tickers
            or self.plan.begins
            or not isinstance(path, Between)
            or decision.within is not None
        ):
            return None
        is_series = path.part.shape == (sessions,) and path.part.dtype == np.float64
        return path if is_series and all(len(each.values) == sessions for each in decision.evidence) else None

    def encoded(self, decision: Decision) -> Encoded:
        """The decision as stretches; raises RunError if it is invalid."""
        check_decision(decision, self.market, self.legs)
        shares, within = decision.shares, decision.within
        columns = [shares.part] if isinstance(shares, Between) else list(decision.by_leg.T)
        columns += [values for leg in (within or {}).values() for values in leg.values()]
        is_other = np.zeros(len(columns[0]), dtype=np.bool_)
        is_other[0] = True
        for values in columns:
            is_other[1:] |= values[1:] != values[:-1]
        rows = np.flatnonzero(is_other)
        there = Decision(
            Between(shares.part[rows], shares.low, shares.high)
            if isinstance(shares, Between)
            else decision.by_leg[rows],
            within=within and {leg: {t: each[rows] for t, each in of.items()} for leg, of in within.items()},
        )
        initial = self.config.strategy.initial
        weights = target_weights(there, self.legs, self.legs.tickers, initial)
        if self.plan.begins:
            check_listed(self.market, self.legs.tickers, rows, weights, self.begin)
        return Encoded(rows, there.held(self.legs, initial), weights)

    def exposures(self, encoded: Encoded) -> Floats:
        """Mean share of equity in each leg, (legs,), from the books: legs that share tickers no kernel parts."""
        sessions, begin = len(self.market.close), self.begin
        plan = replace(self.plan, targets=encoded.along(encoded.weights, sessions)[begin:].copy())
        there = Decision(encoded.along(encoded.shares, sessions))
        decided = in_force(there, self.legs, self.config.strategy.initial, plan)
        return average_shares(run_compiled(plan), self.legs, decided)


class Settings:
    """Makes settings and markets, and keeps those used last. One per process and sweep."""

    def __init__(
        self, study: Study, strategies: Mapping[str, type], market: Market | None = None, *, offline: bool = False
    ) -> None:
        self.study, self.strategies, self.given, self.offline = study, strategies, market, offline
        self.markets: dict[tuple[str, ...], Market] = {}
        self.decisions = Memo()
        self.shared_axes = [key for key in study.grid if not key.startswith(("strategy.", "legs."))]
        self.loads = True
        self._settings: dict[tuple[int, object], Setting] = {}

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: all markets as they were loaded here, so that it never loads its own."""
        return {**self.__dict__, "loads": False, "_settings": {}}

    @cached_property
    def legs(self) -> Mapping[str, str]:
        """The legs of all variants, each once, name -> what people call it: of which a table has exposures."""
        names: dict[str, str] = {}
        for number in range(self.study.size):
            if names and not any(key.startswith("legs") for key in self.study.grid):
                break  # the first that is right speaks for all
            try:
                own = legs_of(self.study.grid_parts(number)[0]).labelled
            except ConfigError:
                continue  # told when the variant is run
            names |= {name: label for name, label in own.items() if name not in names}
        return names

    @cached_property
    def metric_keys(self) -> tuple[str, ...]:
        """Columns of a table of variants."""
        return metric_keys(self.legs)

    def columns(self, legs: Legs) -> list[int]:
        """Where the columns of a variant in these legs stand in a table of all."""
        return [self.metric_keys.index(key) for key in metric_keys(legs.names)]

    def of(self, template: Config, params: BaseModel) -> Setting:
        """The setting of a variant; its parameters matter for what they need to be known beside the prices."""
        key = (id(template), params.needs if _has_needs(type(params)) else None)  # type: ignore[attr-defined]
        found = self._settings.get(key)
        if found is None or found.config is not template:
            if len(self._settings) >= MOST_SETTINGS:
                del self._settings[next(iter(self._settings))]
            found = self._settings[key] = self._made(template, params)
        return found

    def market_of(self, config: Config) -> Market:
        """The market of a config; one for all starts, costs and parameters."""
        if self.given is not None:
            kept = ("given", *traded_tickers(config))
            if kept not in self.markets:  # one object for all variants: its memo is shared
                self.markets[kept] = with_late_starts(self.given, traded_tickers(config), self._earliest(config))
            return self.markets[kept]
        data = config.data.model_copy(update={"start": self._earliest(config)})
        needs = str(getattr(config.strategy.params, "needs", ""))
        key = (data.model_dump_json(), config.execution.accounting, *traded_tickers(config), needs)
        if key not in self.markets:
            if not self.loads:
                raise RunError(f"{config.name}: its market was not among those sent")
            self.markets[key] = load_market(config.model_copy(update={"data": data}), offline=self.offline)
        return self.markets[key]

    def fingerprint(self) -> str:
        """sha256 of everything the rows of this sweep depend on: question, code and all data by content."""
        # A parameter may name a series; raw accounts ask more of the data.
        reads = ("data.", "legs", "strategy.name", "strategy.params.", "benchmarks", "execution.accounting")
        others = [key for key in self.study.grid if key.startswith(reads) and key != "data.start"]
        others = [key for key in others if not all(isinstance(v, int | float) for v in self.study.grid[key])]
        markets: dict[int, Market] = {}
        names: dict[str, None] = {}
        for number in range(self.study.size):
            if markets and not others:
                break  # the first that is right speaks for all
            try:
                template, params = self.study.grid_parts(number)
            except ConfigError:
                continue  # values that do not go together: told when the variant is run
            market = self.market_of(with_first(with_params(template, params), self.study.benchmark))
            markets[id(market)] = market
            names[template.strategy.name] = None
        swept = (str(name) for name in self.study.grid.get("strategy.name", ()))
        code = [code_hash(self.strategies[name]) for name in dict.fromkeys((*names, *swept))]
        parts = [study_question(self.study), *code, *(content_hash(market) for market in markets.values())]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _earliest(self, config: Config) -> datetime.date:
        swept = [datetime.date.fromisoformat(str(value)) for value in self.study.grid.get("data.start", ())]
        return min([config.data.start, *swept])

    def _made(self, template: Config, params: BaseModel) -> Setting:
        strategy = self.strategies[template.strategy.name]
        if not is_rotation(strategy):
            raise RunError(f"{template.strategy.name} trades in its own next: it can be run and compared, not swept")
        config = with_first(with_params(template, params), self.study.benchmark)
        market = self.market_of(config)
        return setting_of(template, config, market, strategy)


@cache
def _has_needs(params: type) -> bool:
    """Does a model of parameters have `needs`? Kept, because pydantic is slow to say no."""
    return hasattr(params, "needs")


def with_params(config: Config, params: BaseModel) -> Config:
    """The config with these parameters of its strategy."""
    return config.model_copy(update={"strategy": config.strategy.model_copy(update={"params": params})})


def with_first(config: Config, benchmark: Benchmark | None) -> Config:
    """The config with the study's benchmark as its first: the one that relative metrics are against."""
    if benchmark is None:
        return config
    others = [each for each in config.benchmarks if each != benchmark]
    return config.model_copy(update={"benchmarks": (benchmark, *others)})


def ranked_by(table: Floats, key: str) -> Floats:
    """A metric as variants are ranked by it, (variants,), of a table whose first columns are those of METRIC_KEYS.

    NaN where undefined. A variant that never differs from its benchmark has a ratio of 0 over it.
    """
    values = table[:, METRIC_KEYS.index(key)]
    if key != "information_ratio":
        return np.asarray(values)
    return np.where(np.isnan(values) & (table[:, METRIC_KEYS.index("tracking_error")] == 0.0), 0.0, values)


def setting_of(template: Config, config: Config, market: Market, strategy: Any) -> Setting:
    """The setting of a config on its market."""
    legs = legs_of(config)
    plan = plan_of(config, market, Decision(np.zeros((len(market.sessions), len(legs.names)))))
    calendar, tbill = calendar_and_tbill(market, plan.sessions)
    plans = benchmark_plans(config, market, legs, plan.terms)
    held = run_compiled(next(iter(plans.values()))) if plans else None
    if held is not None:
        check_bought(next(iter(plans)), held)
    benchmark = held.equity if held is not None else None
    prices, (_, _, scheduled), (lag, first, delay), *rest = inputs_of(plan)
    begin = len(market.sessions) - len(plan.sessions)  # decisions stand on the market's rows
    return Setting(
        config=template,
        market=market,
        strategy=strategy,
        legs=legs,
        plan=plan,
        calendar=calendar,
        benchmark_of=config.benchmarks[0] if config.benchmarks else None,
        benchmark=benchmark,
        tbill=tbill,
        unknown=legs.weights(legs.tickers, legs.alone(config.strategy.initial)[None])[0],
        scheduled=scheduled + begin,
        inputs=(prices, (lag - begin, first, delay), *rest),
        baskets=legs.matrix(legs.tickers)[: 0 if legs.has_shared_tickers else None] > 0.0,
        against=measured_against(calendar, tbill[1:], benchmark),
    )
