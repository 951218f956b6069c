"""The config as typed, frozen models: what an experiment may say, each field with its meaning, range and default.

A default is written once, here. Single values are checked by their fields; what must agree between sections is a rule
(`broken_rules`), so that it can be told beside all other mistakes of a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    Discriminator,
    Field,
    FieldSerializationInfo,
    Tag,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from backtest.config.fields import (
    Benchmark,
    IsoDate,
    LegConfig,
    LegName,
    LegOrTicker,
    LegsConfig,
    Mix,
    Model,
    Name,
    Rebalance,
    TbillSource,
    TwoLegMix,
    expected,
    is_ticker,
    iso_date,
    leg_names,
    mistake,
    text_or_map,
)

MAX_COST_BPS: Final = 1000
MAX_DELAY_SESSIONS: Final = 21
MAX_BENCHMARKS: Final = 50

BROKEN_RULES: Final = "broken_rules"
"""The type of pydantic's error when a Config's parts do not agree."""

UNKNOWN_LEGS: Final = "unknown_legs"
"""The same when something is named that is no leg; its context has a list of paths and texts, `found`."""


class YahooPrices(Model):
    """Daily prices from Yahoo Finance."""

    source: Literal["yahoo"]


class CsvPrices(Model):
    """Daily prices from a folder with one <TICKER>.csv per ticker."""

    source: Literal["csv"]
    folder: Path = Field(description="folder of the price files, or one file of many tickers, relative to this file")
    adjusted: Literal["total_return", "splits_only", "tape"] | None = Field(
        None, description="what a close is in files without an adjusted one: with dividends, with splits, or as traded"
    )
    columns: Mapping[str, str] = Field(
        {}, description="headers that are not recognised: date, open, close ... -> theirs"
    )
    dates: Literal["day_first", "month_first"] | None = Field(None, description="of dates such as 03/04/2024")
    decimal: Literal["point", "comma"] | None = Field(None, description="of numbers such as 1,234")


class SamplePrices(Model):
    """Simulated prices that need no network; reports say so."""

    source: Literal["sample"]


class FrenchPrices(Model):
    """Monthly returns of Ken French's research portfolios since 1926, which stand for funds and are none."""

    source: Literal["french"]
    folder: Path | None = Field(
        None, description="folder of the library's files, relative to this file; without it they are downloaded"
    )


Prices = Annotated[
    YahooPrices | CsvPrices | FrenchPrices | SamplePrices,
    Field(
        discriminator="source",
        description="where prices come from",
        json_schema_extra=expected("{source: yahoo}, {source: csv, folder: ...}, {source: french} or {source: sample}"),
    ),
]


class CrossCheck(Model):
    """A second source to compare the prices with, ticker by ticker and day by day."""

    folder: Path = Field(description="folder with one <TICKER>.csv per ticker, relative to this file")
    tolerance: float = Field(0.001, gt=0, le=1, description="largest difference between two daily returns, a fraction")


class AfterPeriod(Model):
    """Known so many of the Federal Reserve's working days after the period that a date names has ended."""

    after_period: Literal["day", "week", "week_ending", "month", "quarter", "year"] = Field(
        description="what a date names; a week is dated by its first day, or (week_ending) by its last"
    )
    lag_business_days: int = Field(ge=0, le=750, description="working days from the end of the period")
    at: str = Field(
        "09:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        description='the hour then in New York, "16:15"',
        json_schema_extra=expected('an hour from "00:00" to "23:59" in quotes, such as "16:15"'),
    )

    @property
    def rule(self) -> tuple[str, int, int]:
        """The period, the lag in business days, and the minutes after midnight."""
        return self.after_period, self.lag_business_days, int(self.at[:2]) * 60 + int(self.at[3:])


Publication = Annotated[
    Annotated[Literal["same_close", "evening", "next_business_day", "target", "column", "vintages"], Tag("(text)")]
    | Annotated[AfterPeriod, Tag("(map)")],
    Discriminator(text_or_map),
    Field(
        json_schema_extra=expected(
            "same_close, evening, next_business_day, target, column, vintages, or {after_period: month, "
            "lag_business_days: 5}"
        )
    ),
]


class MacroSeries(Model):
    """When the values of a file of the macro folder become known, and how long each stands."""

    known: Publication | None = Field(
        None, description="when a value is known; without it, as the series of that name is published"
    )
    holds_days: int | None = Field(
        None,
        ge=1,
        le=1500,
        description="calendar days from its date for which a value stands; without it, until the next is due",
    )

    @property
    def rule(self) -> str | tuple[str, int, int] | None:
        """The rule as the data know it."""
        return self.known.rule if isinstance(self.known, AfterPeriod) else self.known


class MacroConfig(Model):
    """A folder of macro observations: rates, CPI releases, fed funds futures."""

    folder: Path | None = Field(
        None, description="folder of the files, relative to this file; without it, what goes with the prices"
    )
    series: Mapping[str, MacroSeries] = Field({}, description="rules for files that are not known here, by name")


class DataConfig(Model):
    """What is known: prices, the period, the T-bill rate, macro observations."""

    prices: Prices
    start: IsoDate = Field(description="first day of the backtest; earlier history warms signals up")
    end: IsoDate | None = Field(None, description="last day of the backtest; without it, the last day of the data")
    tbill: TbillSource | None = Field(
        None, description="T-bill rate for idle cash and Sharpe ratios; without it both use 0"
    )
    closed: tuple[IsoDate, ...] = Field(
        (), description="days on which the exchange was closed, though the calendar library does not know it yet"
    )
    largest_daily_move: float = Field(
        0.2,
        gt=0,
        le=5,
        description="largest daily log return that is believed; a larger one is refused as an error of the data",
    )
    cross_check: CrossCheck | None = Field(None, description="a second source to compare the prices with")
    macro: MacroConfig | None = Field(
        None, description="folder of macro observations; without it, those that go with the prices"
    )


DEFAULT_LEGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "growth": {"IVW": 0.5, "QQQ": 0.5},
    "small": {"IWM": 0.5, "IWN": 0.5, "label": "small caps"},
}
DEFAULT_BENCHMARKS: Final = ("QQQ", "IWM", TwoLegMix(static_mix=0.5))
"""Of a config whose legs are called growth and small; any other is compared with each of its legs alone."""


class NoParams(Model):
    """The parameters of a strategy that has none."""


class StrategyConfig(Model):
    """Which rule decides, and its parameters; `params` becomes an object of the strategy's own `Params`."""

    name: str = Field(description="a name of the registry of strategies")
    initial: LegName = Field(
        LegName("growth"), description="a leg or cash, held before a signal is known; without it, the first leg"
    )
    params: BaseModel = Field(
        default_factory=NoParams, validate_default=True, description="the strategy's own parameters"
    )

    @field_serializer("params")
    def _written(self, params: BaseModel, info: FieldSerializationInfo) -> dict[str, Any]:
        """By its own model; `SerializeAsAny` reaches down to nodes that pydantic below 2.14 has not built yet."""
        return params.model_dump(mode=info.mode)

    @field_validator("params", mode="before")
    @classmethod
    def _typed(cls, value: object, info: ValidationInfo) -> object:
        """Turn a map into the strategy's `Params`, looked up in the context, a map of names and models."""
        if isinstance(value, BaseModel) and not isinstance(value, NoParams):
            return value
        if "name" not in info.data:
            return NoParams()  # the name is the mistake
        model = (info.context or {}).get(info.data["name"], NoParams)
        data = {} if isinstance(value, NoParams) else value
        outdated = getattr(model, "outdated", None)
        told = outdated(data) if outdated is not None and isinstance(data, dict) else None
        if told:
            raise mistake(told)
        # Through JSON, whose strict mode takes a list for a tuple and text for a date, and a bool for nothing else.
        return model.model_validate_json(json.dumps(data), strict=True, context=info.context)


class ExecutionConfig(Model):
    """How decisions become trades, and what they cost."""

    initial_cash_usd: float = Field(100_000.0, gt=0, le=1e12, description="starting cash in US dollars")
    commission_bps: float = Field(
        ge=0, le=MAX_COST_BPS, description="commission in basis points of traded value; has no default"
    )
    slippage_bps: float = Field(
        ge=0, le=MAX_COST_BPS, description="slippage in basis points of traded value; has no default"
    )
    shares: Literal["fractional", "whole"] = Field("fractional", description="whether parts of a share may be held")
    rebalance: Rebalance = Field("on_change", description="when to trade though the decision has not changed")
    fill: Literal["open", "close"] = Field("open", description="whether trades are made at the open or at the close")
    delay_sessions: int = Field(
        1,
        ge=0,
        le=MAX_DELAY_SESSIONS,
        description="sessions from the decision at a close to the fill; 0, the same close, is optimistic",
    )
    idle_cash: Literal["none", "tbill"] = Field("none", description="what cash earns overnight")
    accounting: Literal["total_return", "raw"] = Field(
        "total_return",
        description="prices that include dividends, or raw prices with cash dividends and splits of what is held",
    )


class Config(Model):
    """One experiment, validated and frozen, with every default filled in.

    Notes
    -----
    Made by `load_config`, from a file or a dict; `backtest check` says all mistakes of a file at once, and the JSON
    schema of an editor describes each key.
    """

    name: Name = Field(description="names the experiment and its folder of results")
    data: DataConfig = Field(description="prices, period and T-bill rate")
    legs: LegsConfig = Field(
        default_factory=lambda: {name: LegConfig.model_validate(leg) for name, leg in DEFAULT_LEGS.items()},
        description="baskets by name: tickers and their weights, which sum to at most 1 in each",
    )
    strategy: StrategyConfig = Field(description="the rule that decides, and its parameters")
    execution: ExecutionConfig = Field(description="how decisions become trades, and what they cost")
    benchmarks: tuple[Benchmark, ...] = Field(
        DEFAULT_BENCHMARKS,
        description="what the strategy is compared with; relative figures are against the first",
        max_length=MAX_BENCHMARKS,
        json_schema_extra=expected("a list such as [QQQ, IWM, {mix: {growth: 0.5, small: 0.5}}]"),
    )

    @model_validator(mode="after")
    def _defaults_follow_the_legs(self) -> Config:
        if "initial" not in self.strategy.model_fields_set:
            first = self.strategy.model_copy(update={"initial": LegName(next(iter(self.legs)))})
            object.__setattr__(self, "strategy", first)
        has_funds = set(self.legs) == set(DEFAULT_LEGS) and self.data.prices.source != "french"
        if "benchmarks" not in self.model_fields_set and not has_funds:
            object.__setattr__(self, "benchmarks", tuple(_alone(name, leg) for name, leg in self.legs.items()))
        return self

    @property
    def tickers(self) -> tuple[str, ...]:
        """Every ticker of the legs, once."""
        return tuple(dict.fromkeys(ticker for leg in self.legs.values() for ticker in leg.weights))

    @model_validator(mode="after")
    def _legs_are_there(self) -> Config:
        wrong = list(_unknown_legs(self))
        if wrong:
            raise PydanticCustomError(UNKNOWN_LEGS, "{text}", {"text": "; ".join(t for _, t in wrong), "found": wrong})
        return self

    @model_validator(mode="after")
    def _rules_hold(self) -> Config:
        broken = list(broken_rules(self))
        if broken:
            raise PydanticCustomError(BROKEN_RULES, "{text}", {"text": "; ".join(text for _, text in broken)})
        return self


def broken_rules(config: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What does not agree between the parts of a config: the path to blame and what is wrong with it.

    config: a Config, or the plain data of one, which may have any other mistakes beside.
    """
    start, end = iso_date(_at(config, "data", "start")), iso_date(_at(config, "data", "end"))
    if start and end and start >= end:
        yield ("data", "end"), f"found {end}, expected a date after data.start ({start})"
    has_data, idle_cash = _at(config, "data") is not None, _at(config, "execution", "idle_cash")
    if idle_cash == "tbill" and has_data and _at(config, "data", "tbill") is None:
        yield ("execution", "idle_cash"), "found tbill, expected none, or a rate in data.tbill (irx, fred ...)"
    if _at(config, "execution", "delay_sessions") == 0 and _at(config, "execution", "fill") in (None, "open"):
        yield (
            ("execution", "delay_sessions"),
            "found 0 with fills at the open, expected 1 or more, or fill: close",
        )
    yield from _broken_by_months(config)
    benchmarks = _at(config, "benchmarks")
    if isinstance(benchmarks, list | tuple):
        for i, benchmark in enumerate(benchmarks[:MAX_BENCHMARKS]):
            if benchmark in benchmarks[:i]:
                yield ("benchmarks", i), "stands in the list already"


def _broken_by_months(config: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What does not go with returns by month, or goes with nothing else."""
    is_french, tbill = _at(config, "data", "prices", "source") == "french", _at(config, "data", "tbill")
    if is_french and tbill in ("irx", "fred"):
        right = "french (its RF) or {annual: 0.02}: a market of months has no rate by day"
        yield ("data", "tbill"), f"found {tbill}, expected {right}"
    if not is_french and tbill == "french":
        yield ("data", "tbill"), "found french, expected irx, fred or {annual: 0.02}: french goes with its own prices"
    if is_french and _at(config, "execution", "accounting") == "raw":
        yield ("execution", "accounting"), "found raw, expected total_return: returns of months have no dividends apart"


def _alone(name: str, leg: LegConfig) -> Benchmark:
    """A leg held alone: a ticker where it is just that."""
    (ticker, weight), *others = leg.weights.items()
    return ticker if weight == 1.0 and not others else Mix(mix={LegOrTicker(name): 1.0})


def _unknown_legs(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Names in the strategy and the benchmarks that are no leg (nor a ticker, where one may stand)."""
    there = ", ".join(config.legs)
    strategy = config.strategy
    named: list[tuple[tuple[str | int, ...], str]] = [(("strategy", "initial"), strategy.initial)]
    named += [(("strategy", "params", *path), name) for path, name in leg_names(strategy.params)]
    named += [(("benchmarks", *path), name) for path, name in leg_names(config.benchmarks)]
    for path, name in named:
        if name in config.legs:
            continue
        if isinstance(name, LegOrTicker):
            if not is_ticker(name):
                yield path, f"found {name}, expected a ticker or one of the legs ({there})"
        elif name != "cash":
            is_default = path[:2] == ("strategy", "params") and path[2] not in strategy.params.model_fields_set
            told = "must be given: " if is_default else ""
            yield path, f"{told}found {name}, expected one of the legs ({there}) or cash"
    for i, benchmark in enumerate(config.benchmarks):
        if isinstance(benchmark, TwoLegMix) and len(config.legs) != 2:
            yield ("benchmarks", i), f"static_mix is for two legs, found {len(config.legs)}: write {{mix: ...}}"


def _at(config: object, *keys: str) -> Any:
    """The value under `keys` of a model or of plain data, None where there is none."""
    for key in keys:
        config = config.get(key) if isinstance(config, dict) else getattr(config, key, None)
    return config
