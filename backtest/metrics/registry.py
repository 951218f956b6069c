"""The metrics in the order of every file: key, name, unit, direction, definition and why one can be undefined.

Pages, commands, sweeps, JSON and the reference read this table; a metric that is added here (and computed in
formulas.py) appears in each full table, and in the short ones that `on` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from backtest.market import Floats, Legs
from backtest.text import UNDEFINED, Number, count, number, percent, points, usd, usd_short

Unit: TypeAlias = Literal["fraction", "difference", "ratio", "sessions", "times", "count", "usd"]
Need: TypeAlias = Literal["a return", "two returns", "a year", "a whole year", "a whole month", "a benchmark", "books"]
Group: TypeAlias = Literal["absolute", "relative", "activity"]
Place: TypeAlias = Literal["first screen", "terminal", "search"]

NO_BENCHMARK = "no benchmark given"

MISSING: Mapping[Need, str] = {
    "a return": "there is no return",
    "two returns": "fewer than two returns",
    "a year": "shorter than one year",
    "a whole year": "no complete calendar year",
    "a whole month": "no complete calendar month",
    "a benchmark": NO_BENCHMARK,
    "books": "no books given",
}
"""What a metric needs -> the reason to give where it is missing."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; its values are numbers in `unit`, fractions and not percent.

    key: its name in files and code. label: on pages and in the terminal; brief: in a narrow column's head.
    direction: 1 where more is better, -1 where less is, 0 where neither.
    definition: one sentence; {first} is the first benchmark, {rate} what cash earned, {per_year} the sessions of
        a year.
    group: absolute (of the curve alone), relative (against the first benchmark) or activity (of the books).
    needs: what must be there for it to be defined, the first that lacks is the reason; undefined: the reason where
        all is there and it is undefined all the same.
    on: the short tables it stands in: the report's first screen, the terminal after a run, the tables of a sweep;
        the full table of a report, JSON and CSV have all.
    digits: decimals as printed, of percent where the unit is a fraction.
    """

    key: str
    label: str
    unit: Unit
    direction: Literal[-1, 0, 1]
    definition: str
    group: Group = "absolute"
    needs: tuple[Need, ...] = ()
    undefined: str = ""
    brief: str = ""
    on: tuple[Place, ...] = ()
    digits: int | None = None

    @property
    def is_whole(self) -> bool:
        """Is it counted?"""
        return self.unit in ("count", "sessions")

    @property
    def head(self) -> str:
        """For a narrow column."""
        return self.brief or self.label[0].lower() + self.label[1:]

    def write(self, value: Number, per_year: int = 252) -> str:
        """The value as printed: 46.2%, +1.3 pts, 0.64, 4.8 y, 4.1×, 1,204, $98,512; a dash where it is undefined.

        per_year: sessions in a year, by which a length in sessions is written in years.
        """
        if value is None:
            return UNDEFINED
        if self.unit == "sessions":
            return f"{number(value / per_year, 1 if value >= per_year else 2)} y"
        return _WRITERS[self.unit](value, _DIGITS[self.unit] if self.digits is None else self.digits)

    def write_short(self, value: Number, per_year: int = 252) -> str:
        """The same in a narrow column: $1.32m."""
        return usd_short(value) if self.unit == "usd" else self.write(value, per_year)

    def define(self, *, first: str = "the first benchmark", rate: str = "T-bills", per_year: int = 252) -> str:
        """The definition with the names of a run."""
        return self.definition.format(first=first, rate=rate, per_year=per_year)


_DIGITS: Mapping[Unit, int] = {"fraction": 1, "difference": 1, "ratio": 2, "times": 1, "count": 0, "usd": 0}
_WRITERS: Mapping[Unit, Callable[[float, int], str]] = {
    "fraction": percent,
    "difference": lambda value, digits: f"{points(value, digits)} pts",
    "ratio": number,
    "times": lambda value, digits: f"{number(value, digits)}×",
    "count": lambda value, _: count(value),
    "usd": lambda value, _: usd(value),
}


EXPOSURE = "exposure_"
"""Of the keys that there are one of for each leg; the legs and the cash are 1 together."""


def exposure_key(leg: str) -> str:
    """The key of a leg's average share."""
    return f"{EXPOSURE}{leg}"


def exposure(leg: str, label: str = "") -> Metric:
    """The metric of a leg's average share; label: what people call the leg."""
    as_text = (label or leg).replace("{", "{{").replace("}", "}}")  # a definition is a template
    return Metric(
        key=exposure_key(leg),
        label=f"Time in {label or leg}",
        unit="fraction",
        direction=0,
        definition=f"Mean share of the account in {as_text}, at the close.",
        group="activity",
        needs=("books",),
        brief=f"in {label or leg}",
        on=("terminal", "search"),
        digits=0,
    )


_EVERYWHERE: tuple[Place, ...] = ("first screen", "terminal", "search")
_AGAINST: tuple[Need, ...] = ("a benchmark", "two returns")
_BY_MONTH: tuple[Need, ...] = ("a benchmark", "a whole month")
_FLAT = "the benchmark's returns over T-bills do not vary"

METRICS: tuple[Metric, ...] = (
    Metric("total_return", "Total return", "fraction", 1, "From the first session to the last.", digits=0),
    Metric("cagr", "Return a year", "fraction", 1, "Compounded over calendar years.", needs=("a year",),
           on=_EVERYWHERE),
    Metric("volatility", "Volatility", "fraction", -1, "Standard deviation of daily returns, a year.",
           needs=("two returns",), on=_EVERYWHERE),
    Metric("sharpe", "Sharpe ratio", "ratio", 1, "Mean daily return above {rate} per unit of its deviation, a year.",
           needs=("two returns",), undefined="returns over T-bills do not vary", brief="Sharpe", on=_EVERYWHERE),
    Metric("sortino", "Sortino ratio", "ratio", 1, "As Sharpe, but only falls below {rate} count as risk.",
           needs=("a return",), undefined="no return below T-bills", brief="Sortino"),
    Metric("max_drawdown", "Worst drawdown", "fraction", 1, "Deepest loss from an earlier peak, on closing values.",
           on=_EVERYWHERE),
    Metric("longest_drawdown_sessions", "Longest drawdown", "sessions", -1,
           "Longest time from a peak until it was regained, in years of {per_year} sessions.", on=("first screen",)),
    Metric("calmar", "Calmar ratio", "ratio", 1, "Return a year divided by the worst drawdown.", needs=("a year",),
           undefined="no drawdown", brief="Calmar"),
    Metric("ulcer_index", "Ulcer index", "fraction", -1,
           "Root mean square of all drawdowns: depth and length together.", needs=("a return",)),
    Metric("cvar_95", "Worst 5% of days", "fraction", 1, "Mean return of the worst one in twenty sessions (CVaR).",
           needs=("a return",), digits=2),
    Metric("best_year", "Best year", "fraction", 1, "Best complete calendar year.", needs=("a whole year",),
           on=("first screen",)),
    Metric("worst_year", "Worst year", "fraction", 1, "Worst complete calendar year.", needs=("a whole year",),
           on=("first screen",)),
    Metric("beta", "Beta", "ratio", 0, "Move with {first}: 1.00 is one for one.", "relative", _AGAINST, _FLAT),
    Metric("alpha", "Alpha a year", "difference", 1, "Return a year that beta to {first} does not explain.",
           "relative", _AGAINST, _FLAT),
    Metric("tracking_error", "Tracking error", "fraction", -1,
           "Deviation of the daily difference to {first}, a year.", "relative", _AGAINST),
    Metric("information_ratio", "Active Sharpe ratio", "ratio", 1,
           "Mean daily difference to {first} per unit of its deviation, a year (information ratio).", "relative",
           _AGAINST, "active returns do not vary", brief="active Sharpe", on=("search",)),
    Metric("up_capture", "Up capture", "fraction", 1, "Part of {first}’s rising months that was earned.", "relative",
           _BY_MONTH, "no rising benchmark month", digits=0),
    Metric("down_capture", "Down capture", "fraction", -1, "Part of {first}’s falling months that was suffered.",
           "relative", _BY_MONTH, "no falling benchmark month", digits=0),
    Metric("turnover_annual", "Turnover a year", "times", -1, "Times the whole account was exchanged, one-sided.",
           "activity", ("books", "a return"), on=("search",)),
    Metric("rebalances", "Rebalances", "count", 0, "Sessions with a trade, the first purchase included.", "activity",
           ("books",), on=("terminal", "search")),
    Metric("trades", "Trades", "count", 0, "Fills: one for each ticker bought or sold.", "activity", ("books",)),
    Metric("hit_rate", "Days up", "fraction", 1, "Share of sessions with a gain among those that moved.",
           needs=("a return",), undefined="no return differs from zero"),
    Metric("costs_usd", "Costs", "usd", -1, "Commission and slippage paid.", "activity", ("books",)),
    Metric("final_equity_usd", "Final value", "usd", 1, "What the starting cash became, costs paid.",
           on=("first screen", "terminal")),
)  # fmt: skip

"""All but the exposures by leg, which stand before the costs."""

_BY_KEY = {metric.key: metric for metric in METRICS}

EXPOSURES_AT = METRICS.index(_BY_KEY["costs_usd"])
"""Place of the first exposure."""

METRIC_KEYS = tuple(metric.key for metric in METRICS)
RELATIVE_KEYS = tuple(metric.key for metric in METRICS if metric.group == "relative")
ACTIVITY_KEYS = tuple(metric.key for metric in METRICS if metric.group == "activity")
COUNTED_KEYS = tuple(metric.key for metric in METRICS if metric.is_whole)


def metric_keys(legs: Iterable[str] = ()) -> tuple[str, ...]:
    """The keys of a table of accounts in these legs, in the order of every file."""
    return (*METRIC_KEYS[:EXPOSURES_AT], *map(exposure_key, legs), *METRIC_KEYS[EXPOSURES_AT:])


def exposures_in(figures: Mapping[str, Number], legs: Legs) -> Floats:
    """The exposures of an account in these legs, (legs,)."""
    return np.array([figures[exposure_key(name)] for name in legs.names], dtype=np.float64)


def metrics_of(legs: Mapping[str, str]) -> tuple[Metric, ...]:
    """The metrics of accounts in these legs, in the order of every file; legs: name -> what people call it."""
    exposures = (exposure(name, label) for name, label in legs.items())
    return (*METRICS[:EXPOSURES_AT], *exposures, *METRICS[EXPOSURES_AT:])


def metrics_on(place: Place, legs: Mapping[str, str], first: str = "") -> tuple[Metric, ...]:
    """The metrics of a short table in their order; first: a key to begin with."""
    return tuple(sorted((each for each in metrics_of(legs) if place in each.on), key=lambda each: each.key != first))


def metric_of(key: str) -> Metric:
    """The metric of a key; KeyError for one that there is not."""
    return exposure(key.removeprefix(EXPOSURE)) if key.startswith(EXPOSURE) else _BY_KEY[key]
