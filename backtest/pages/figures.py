"""Figures: the metrics as the page prints them, each with its name, its digits and what it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backtest.account.benchmarks import benchmark_label
from backtest.metrics.table import RELATIVE_KEYS
from backtest.result import Result
from backtest.text import UNDEFINED, Number, number, percent, points, usd, usd_short

KEY_FIGURES = (
    "final_equity_usd",
    "cagr",
    "volatility",
    "sharpe",
    "max_drawdown",
    "max_drawdown_sessions",
    "best_year",
    "worst_year",
)
"""What stands on the first screen."""


@dataclass(frozen=True, slots=True)
class Figure:
    """How one metric is printed; short: in the narrow table of key figures, where that differs."""

    key: str
    name: str
    print: Callable[[Number], str]
    meaning: str
    short: Callable[[Number], str] | None = None


@dataclass(frozen=True, slots=True)
class FigureRow:
    """A printed line: one value for the strategy and each benchmark; why: the reason of the strategy's dash."""

    name: str
    values: Sequence[str]
    meaning: str
    why: str


def whole_percent(value: Number) -> str:
    """13%."""
    return percent(value, 0)


def fine_percent(value: Number) -> str:
    """-3.19%."""
    return percent(value, 2)


def years_of(per_year: int) -> Callable[[Number], str]:
    """Sessions as years: 4.8 y, 0.12 y."""
    return lambda value: UNDEFINED if value is None else f"{number(value / per_year, 1 if value >= per_year else 2)} y"


def count(value: Number) -> str:
    """1,204."""
    return number(value, 0)


def signed_points(value: Number) -> str:
    """+0.5 pts."""
    text = points(value)
    return text if text == UNDEFINED else f"{text} pts"


def times(value: Number) -> str:
    """4.1×."""
    text = number(value, 1)
    return text if text == UNDEFINED else f"{text}×"


def figures(per_year: int, rate: str) -> tuple[Figure, ...]:
    """Every metric in the page's order. per_year: sessions in a year. rate: what cash would have earned."""
    water = f"Longest time from a peak until it was regained, in years of {per_year} sessions."
    return (
        Figure("final_equity_usd", "Final value", usd, "What the starting cash became, costs paid.", usd_short),
        Figure("cagr", "Return a year", percent, "Compound growth rate over calendar years."),
        Figure("total_return", "Total return", whole_percent, "From the first session to the last."),
        Figure("volatility", "Volatility", percent, "Standard deviation of daily returns, a year."),
        Figure("sharpe", "Sharpe ratio", number, f"Mean daily return above {rate} per unit of its deviation, a year."),
        Figure("sortino", "Sortino ratio", number, f"As Sharpe, but only falls below {rate} count as risk."),
        Figure("max_drawdown", "Worst fall", percent, "Deepest loss from an earlier peak, on closing values."),
        Figure("max_drawdown_sessions", "Under water", years_of(per_year), water),
        Figure("calmar", "Calmar ratio", number, "Return a year divided by the worst fall."),
        Figure("ulcer_index", "Ulcer index", percent, "Root mean square of all drawdowns: depth and length together."),
        Figure("cvar_95", "Worst 5% of days", fine_percent, "Mean return of the worst one in twenty sessions (CVaR)."),
        Figure("best_year", "Best year", percent, "Best complete calendar year."),
        Figure("worst_year", "Worst year", percent, "Worst complete calendar year."),
        Figure("hit_rate", "Days up", percent, "Share of sessions with a gain among those that moved."),
        Figure("beta", "Beta", number, "Move with {first}: 1.00 is one for one."),
        Figure("alpha", "Alpha a year", signed_points, "Return a year that beta to {first} does not explain."),
        Figure("tracking_error", "Tracking error", percent, "Deviation of the daily difference to {first}, a year."),
        Figure("information_ratio", "Information ratio", number, "Mean difference to {first} per tracking error."),
        Figure("up_capture", "Up capture", whole_percent, "Part of {first}’s rising months that was earned."),
        Figure("down_capture", "Down capture", whole_percent, "Part of {first}’s falling months that was suffered."),
        Figure("exposure_small", "Time in small", percent, "Mean share of the invested capital in the small leg."),
        Figure("turnover_annual", "Turnover a year", times, "Times the whole account was exchanged, one-sided."),
        Figure("rebalances", "Rebalances", count, "Sessions with a trade, the first purchase included."),
        Figure("trades", "Trades", count, "Fills: one for each ticker bought or sold."),
        Figure("costs_usd", "Costs", usd, "Commission and slippage paid."),
    )


def figure_rows(result: Result, *, in_key: bool, most: int | None = None) -> list[FigureRow]:
    """The short table (in_key) or the full one, with at most so many benchmarks."""
    names = list(result.benchmarks)
    first = benchmark_label(names[0]) if names else ""
    columns = [result.metrics, *(result.benchmark_metrics[name] for name in names[:most])]
    rate = "zero" if result.market.tbill is None else "T-bills"
    rows = []
    for figure in figures(result.market.periods_per_year, rate):
        if (in_key and figure.key not in KEY_FIGURES) or (not names and figure.key in RELATIVE_KEYS):
            continue
        printed = (figure.short if in_key else None) or figure.print
        values = [printed(column.get(figure.key)) for column in columns]
        meaning = figure.meaning.replace("{first}", first)
        rows.append(FigureRow(figure.name, values, meaning, result.undefined.get(figure.key, "")))
    return rows


def names_of_figures() -> Mapping[str, str]:
    """The page's name of each metric."""
    return {figure.key: figure.name for figure in figures(1, "")}
