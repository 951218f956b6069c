"""Strategies that do nothing but have parameters, a config that is right, and ways to make it wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from backtest.config import config_from_text, study_from_text
from backtest.errors import ConfigError


class Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RateCut:
    class Params(Parameters):
        hold_sessions: int = Field(252, ge=1, description="sessions in small caps after a cut")
        min_cut_bps: float = Field(25, gt=0, description="smallest cut that counts")


class RelativeMomentum:
    class Params(Parameters):
        lookback_sessions: int = Field(126, ge=1, le=5000, description="how far back returns are compared")
        threshold: float = Field(0.0, ge=0, description="lead needed to switch, as a fraction")
        decide: Literal["daily", "weekly", "monthly"] = Field("daily", description="when to decide")
        with_hedge: bool = Field(False, description="whether to hedge")


class Crossover:
    class Params(Parameters):
        fast_sessions: int = Field(ge=1, description="the short average; has no default")
        slow_sessions: int = Field(50, ge=1, description="the long average")
        weights: tuple[float, ...] = Field((1.0,), description="a list")
        since: date | None = Field(None, description="a date")
        labels: dict[str, int] = Field({}, description="a map")

        @field_validator("slow_sessions")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("expected an even number")
            return value

        @model_validator(mode="after")
        def _ordered(self) -> Crossover.Params:
            if self.fast_sessions >= self.slow_sessions:
                raise ValueError("fast_sessions must be below slow_sessions")
            return self


class NextStyle:
    """A plain strategy without Params."""


STRATEGIES: dict[str, type] = {
    "rate_cut": RateCut,
    "relative_momentum": RelativeMomentum,
    "crossover": Crossover,
    "next_style": NextStyle,
}

GOOD = """\
name: momentum
data:
  prices: {source: sample}
  start: 2001-07-31
  end: 2025-12-31
  tbill: {annual: 0.02}
legs:
  growth: {QQQ: 0.5, IVW: 0.5}
  small: {IWM: 0.5, IWN: 0.5}
strategy:
  name: relative_momentum
  initial: growth
  params:
    lookback_sessions: 63
    threshold: 0.0
    decide: daily
    with_hedge: false
execution:
  initial_cash_usd: 100000
  commission_bps: 1
  slippage_bps: 4
  shares: fractional
  rebalance: {drift: 0.05}
  delay_sessions: 1
  idle_cash: tbill
  accounting: total_return
benchmarks: [QQQ, IWM, {static_mix: 0.5}]
"""

SHORT = """\
name: short
data: {prices: {source: sample}, start: 2001-07-31}
strategy: {name: relative_momentum}
execution: {commission_bps: 1, slippage_bps: 4}
"""


def changed(old: str, new: str, text: str = GOOD) -> str:
    """The config with one piece replaced, which must be there once."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def line_of(piece: str, text: str) -> int:
    """The line, from 1, in which a piece stands."""
    return text[: text.index(piece)].count("\n") + 1


def problems_of(text: str, overrides: Sequence[str] = ()) -> tuple[str, ...]:
    """The lines of the ConfigError that a config raises, none if it is right."""
    try:
        config_from_text(text, "c.yaml", strategies=STRATEGIES, overrides=overrides)
    except ConfigError as error:
        return tuple(error.problems)
    return ()


def study_problems_of(text: str, folder: Path, overrides: Sequence[str] = ()) -> tuple[str, ...]:
    """The same for a study that lies in a folder, the folder's name cut off."""
    try:
        study_from_text(text, str(folder / "s.yaml"), strategies=STRATEGIES, overrides=overrides)
    except ConfigError as error:
        return tuple(line.removeprefix(f"{folder}/") for line in error.problems)
    return ()
