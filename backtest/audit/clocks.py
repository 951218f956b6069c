"""Clocks challenged: what the result becomes when every observation of a series is known one period later, or earlier.

The flow: a market -> each series it used, with another clock -> run -> CLOCKS -> report of the audit.
Cutting off and replacing the future takes each observation's clock as given, so that neither can find one that lies.
A result that lives on when a value is known shows it here; a value used before its period has ended is a find.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from backtest.config import Config
from backtest.data.clocks import LENGTH_DAYS, period_end
from backtest.market import Market, Needs
from backtest.pipeline import run
from backtest.series import PointInTime
from backtest.text import count, percent

Shift = Literal[1, -1]


@dataclass(frozen=True, slots=True)
class Challenge:
    """One series: what its clock is, and what the result would be with another.

    lag_days: calendar days from its date to the first session that may use a value: least, usual, most. early: values
    used before their period had ended, of `values`. figure: which metric the three results are of; None: undefined.
    """

    name: str
    clock: str
    period: str
    lag_days: tuple[int, int, int]
    values: int
    early: int
    figure: str
    result: float | None
    later: float | None
    earlier: float | None

    @property
    def lines(self) -> list[str]:
        """For the terminal: the clock, what another one would make of the result, and whether it looks ahead."""
        least, usual, most = self.lag_days
        days = f"{least}" if least == most else f"{least} to {most} (usually {usual})"
        said = [f"{self.name}: {self.clock}; a value is first used {days} calendar days after its date."]
        unit = {"target": "day", "week_ending": "week"}.get(self.period, self.period)
        of = " a year" if self.figure == "cagr" else ""
        shown = [percent(value) if value is not None else "none" for value in (self.result, self.later, self.earlier)]
        said.append(f"With {self.name} known one {unit} later {shown[1]}{of} instead of {shown[0]}; one {unit} earlier "
                    f"{shown[2]}.")  # fmt: skip
        if self.early:
            said.insert(0, f"{self.name} looks ahead: {count(self.early)} of its {count(self.values)} values are used "
                        f"before their {unit} has ended, whatever its clock says.")  # fmt: skip
        return said


def early_values(series: PointInTime) -> int:
    """How many observations may be used at a close before the last day of their period."""
    if series.period == "target" or not len(series.frame):
        return 0
    ends = period_end(series.frame["happened"].to_numpy(), series.period)
    return int((series.frame["session"].to_numpy().astype("datetime64[D]") < ends).sum())


def early_problems(market: Market) -> list[str]:
    """A sentence for each series that is used before its period has ended."""
    early = {name: early_values(one) for name, one in market.series.items()}
    return [f"{name}: {count(found)} of its {count(len(market.series[name].frame))} values are used before their "
            "period has ended; that is a look-ahead" for name, found in early.items() if found]  # fmt: skip


def challenge_clocks(
    config: Config, strategies: Mapping[str, type], market: Market, advance: Callable[[], None] = lambda: None
) -> tuple[Challenge, ...]:
    """A challenge for each series that the strategy reads; each takes two runs."""
    needed = getattr(config.strategy.params, "needs", Needs()).series
    used = {name: market.series[name] for name in needed if name in market.series and len(market.series[name].frame)}
    if not used:
        return ()
    figure, result = _figure(config, strategies, market, None)
    found = []
    for name, one in used.items():
        others = []
        for shift in (1, -1):
            other = dataclasses.replace(market, series={**market.series, name: shifted(one, shift)})
            others.append(_figure(config, strategies, other, figure)[1])
            advance()
        frame = one.frame
        lags = (frame["session"] - frame["happened"]).dt.days.to_numpy()
        lag_days = (int(lags.min()), int(np.median(lags)), int(lags.max()))
        told = one.clock or "its clock is not stated"
        found.append(
            Challenge(name, told, one.period, lag_days, len(frame), early_values(one), figure, result, *others)
        )
    return tuple(found)


def shifted(series: PointInTime, shift: Shift) -> PointInTime:
    """The same observations, each known when that of the next period (1), or of the one before (-1), first was.

    The first has none before and the last none after it: the one stays, the other goes.
    """
    frame = series.frame
    happened = frame["happened"].to_numpy()
    periods, place = np.unique(happened, return_inverse=True)
    columns = {}
    for clock in ("session", "known_at"):
        first = frame.groupby("happened")[clock].min().to_numpy()
        own = frame[clock].to_numpy()
        other = first[np.clip(place + shift, 0, len(periods) - 1)]
        columns[clock] = np.maximum(own, other) if shift > 0 else np.minimum(own, other)
    moved = frame.assign(**columns)
    if shift > 0:
        moved = moved[place < len(periods) - 1]
    moved = moved.sort_values(["session", "known_at", "happened"], kind="stable", ignore_index=True)
    holds_days = series.holds_days + (LENGTH_DAYS[series.period] if shift > 0 else 0)
    return dataclasses.replace(series, frame=moved, holds_days=holds_days)


def _figure(
    config: Config, strategies: Mapping[str, type], market: Market, figure: str | None
) -> tuple[str, float | None]:
    """The return a year, or the whole one of less than a year; None where no run is possible."""
    try:
        metrics = run(config, strategies, market=market).metrics
    except Exception:  # a user's code may raise anything, and what it is the audit tells elsewhere
        return figure or "cagr", None
    chosen = figure or ("cagr" if metrics.get("cagr") is not None else "total_return")
    value = metrics.get(chosen)
    return chosen, None if value is None or pd.isna(value) else float(value)
