"""Plan: a decision turned into what an engine needs, on the sessions of the test and nothing else.

The flow: config -> market -> decision -> PLAN -> fills -> result -> metrics -> report.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.config import Config
from backtest.errors import ConfigError
from backtest.market import Floats, Market, first_rows, overnight_interest
from backtest.signals.periods import PERIODS, last_of_period
from backtest.units import BPS

NO_BAND = float("inf")
Rebalance = str | int | float
"""`on_change`, a period (`daily` to `annual`), a number of sessions, or (below 1) the band of a drift rule."""

Fill = Literal["open", "close"]

REBALANCES = ("on_change", *PERIODS)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms trades are made: the execution part of a config, in an engine's units.

    cost_rate: commission and slippage together, as a fraction of traded value.
    rebalance: `on_change` trades when the target changes; a period also at its last session's decision, a whole number
        also every so many sessions of the exchange; a fraction also when a weight at the close is off its target by
        more than that.
    fill: traded at the open or at the close of the session `delay_sessions` after the close decided at; 0 is that close
        itself. A drift waits as long, and none is looked for while one is due.
    is_raw: an account of prices on the tape, paid its dividends in cash, its holdings split; else of total return.
    """

    cash: float = 100_000.0
    cost_rate: float = 0.0
    whole_shares: bool = False
    rebalance: Rebalance = "on_change"
    delay_sessions: int = 1
    fill: Fill = "open"
    earns_tbill: bool = False
    is_raw: bool = False

    def __post_init__(self) -> None:
        """A config is checked before; this is for what a strategy is given by hand, which backtrader takes unseen."""
        rule, delay, fill = self.rebalance, self.delay_sessions, self.fill
        is_known = rule in REBALANCES if isinstance(rule, str) else rule >= 1 if type(rule) is int else 0.0 < rule < 1.0
        if not is_known:
            raise ConfigError(
                f"rebalance: found {rule!r}, expected {', '.join(REBALANCES)}, a number of sessions, "
                "or a band such as 0.05"
            )
        if fill not in ("open", "close"):
            raise ConfigError(f"fill: found {fill!r}, expected open or close")
        least = 1 if fill == "open" else 0
        if not isinstance(delay, int) or delay < least:
            raise ConfigError(f"delay_sessions: found {delay!r}, expected a whole number from {least} on")

    @classmethod
    def of(cls, config: Config) -> Terms:
        """The execution part of a config in an engine's units: one cost rate, a band instead of a mapping."""
        execution = config.execution
        rule: Any = execution.rebalance
        return cls(
            cash=execution.initial_cash_usd,
            cost_rate=(execution.commission_bps + execution.slippage_bps) * BPS,
            whole_shares=execution.shares == "whole",
            rebalance=rule if isinstance(rule, str) else getattr(rule, "every_sessions", None) or rule.drift,
            delay_sessions=execution.delay_sessions,
            fill=execution.fill,
            earns_tbill=execution.idle_cash == "tbill",
            is_raw=execution.accounting == "raw",
        )


def same_close(who: str = "", number: int = 2) -> str:
    """What to say of fills at the close that decided on them. who: the `number` variants that make them, or empty."""
    each = (f"{who} trades", "its") if number == 1 else (f"{who} trade", "their")
    subject, whose = each if who else ("Trades are made", "the")
    return f"{subject} at the very close that decides them, which nobody can do: {whose} figures are optimistic."


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the books depend on; rows are the sessions of the test, columns the tickers in the order of the books.

    opens, closes: total-return prices, or those on the tape, shape (sessions, tickers); `opens` is what is traded at,
        which for fills at the close are the closes.
    targets: weights decided at each row's close. is_scheduled: rows at whose close the books are due to be brought back
        to target even if it did not change. What is decided at row t falls due after row t + `lag`, and trades at the
        next.
    overnight: interest per dollar of cash from the close before to the row's open; zeros when cash earns nothing.
    ratios, dividends: of a raw account only, shape (sessions, tickers): before the row's trades every share becomes
        `ratios` shares (1 without a split), then each pays `dividends` USD. None: total return.
    begins: the row of each ticker's first price, () when all have one in the first row. Before it the prices are that
        first one, so that arithmetic has a number; `check_listed` sees to it that nothing is held at it.
    """

    sessions: pd.DatetimeIndex
    tickers: tuple[str, ...]
    opens: Floats
    closes: Floats
    targets: Floats
    is_scheduled: npt.NDArray[np.bool_]
    overnight: Floats
    terms: Terms
    ratios: Floats | None = None
    dividends: Floats | None = None
    begins: tuple[int, ...] = ()

    @property
    def band(self) -> float:
        """How far a weight may be off its target at a close; infinite without a drift rule."""
        rule = self.terms.rebalance
        return rule if isinstance(rule, float) else NO_BAND

    @property
    def lag(self) -> int:
        """Rows from a decision to the one after whose close it is due; the row of the first fill is one later."""
        return self.terms.delay_sessions - 1

    def trigger(self, row: int) -> str:
        """Why trades were due at `row`: `first`, `decision`, `calendar` or `drift`.

        `order` where the plan asked for nothing: a `next`-style strategy's own.
        """
        decided = row - self.terms.delay_sessions
        if decided == 0:
            return "first"
        if decided > 0 and (self.targets[decided] != self.targets[decided - 1]).any():
            return "decision"
        if decided > 0 and self.is_scheduled[decided]:
            return "calendar"
        return "drift" if self.band < NO_BAND else "order"


def make_plan(market: Market, tickers: tuple[str, ...], weights: Floats, start: pd.Timestamp, terms: Terms) -> Plan:
    """The plan of a test from the first session >= start to the market's last.

    weights: targets on all of the market's sessions, shape (market sessions, tickers). Decisions before `start` only
    warm signals up: the first one acted upon is that of the first session.
    Raises ConfigError when a ticker is to be held before its first price.
    """
    begin = int(market.sessions.searchsorted(start))
    sessions = market.sessions[begin:]
    rule: Any = terms.rebalance
    scheduled = np.zeros(len(sessions), dtype=np.bool_)
    if rule != "on_change" and not isinstance(rule, float):
        scheduled = last_of_period(market, rule)[begin:].copy()
    overnight = np.zeros(len(sessions))
    if terms.earns_tbill:
        overnight = overnight_interest(market)[begin:]
        overnight[:1] = 0.0
    columns = list(tickers)
    opens, closes = (market.raw_open, market.raw_close) if terms.is_raw else (market.open, market.close)
    opens = closes if terms.fill == "close" else opens
    late = np.maximum(first_rows(market, tickers) - begin, 0)
    if late.any():
        check_listed(market, tickers, np.arange(len(market.sessions)), weights, begin)
        opens, closes = (frame.iloc[begin:][columns].bfill().fillna(1.0) for frame in (opens, closes))
    ratios = dividends = None
    if terms.is_raw:
        splits = _table(market.splits[columns])[begin:]
        ratios, dividends = np.where(splits > 0.0, splits, 1.0), _table(market.dividends[columns])[begin:]
    return Plan(
        sessions=sessions,
        tickers=tickers,
        opens=_table(opens[columns])[-len(sessions) :],
        closes=_table(closes[columns])[-len(sessions) :],
        targets=np.array(weights[begin:], dtype=np.float64, order="C"),
        is_scheduled=scheduled,
        overnight=overnight,
        terms=terms,
        ratios=ratios,
        dividends=dividends,
        begins=tuple(late.tolist()) if late.any() else (),
    )


def check_listed(
    market: Market, tickers: tuple[str, ...], rows: npt.NDArray[np.int64], weights: Floats, begin: int
) -> None:
    """Raise ConfigError when a ticker is to be held after a close of the test before its first one.

    From the market's row `rows[k]` on `weights[k]` is held, (tickers,). begin: the test's first row.
    """
    ends = np.append(rows[1:], len(market.sessions))
    for column, first in enumerate(first_rows(market, tickers).tolist()):
        wrong = (weights[:, column] > 0.0) & (rows < first) & (ends > begin)
        if not wrong.any():
            continue
        day = market.sessions[max(int(rows[np.argmax(wrong)]), begin)]
        begun = f"{market.sessions[first]:%Y-%m-%d}" if first < len(market.sessions) else "later"
        raise ConfigError(
            f"data.start: found {market.sessions[begin]:%Y-%m-%d}, but {tickers[column]} begins on {begun} and is to "
            f"be held after the close of {day:%Y-%m-%d}; expected {begun} or later, or a rule (and strategy.initial) "
            "that does without it until then"
        )


def constant_targets(weights: Sequence[float], sessions: int, begins: Sequence[int]) -> Floats:
    """The same weights on every session, (sessions, tickers): what has not begun leaves its own to the others.

    Nothing is held while none has begun. begins: as in `Plan`.
    """
    targets = np.tile(np.array(weights, dtype=np.float64), (sessions, 1))
    if any(begins):
        is_there = np.arange(sessions)[:, None] >= np.array(begins)
        held = np.where(is_there, targets, 0.0)
        whole, left = targets.sum(axis=1, keepdims=True), held.sum(axis=1, keepdims=True)
        scaled = held * np.where(left > 0.0, whole / np.where(left > 0.0, left, 1.0), 0.0)
        targets = np.where(is_there.all(axis=1, keepdims=True), targets, scaled)
    return targets


def begun_at(plan: Plan, row: int) -> Plan:
    """The plan of the same test begun `row` sessions later."""
    names = ("sessions", "opens", "closes", "targets", "is_scheduled", "overnight", "ratios", "dividends")
    later: dict[str, Any] = {n: None if getattr(plan, n) is None else getattr(plan, n)[row:] for n in names}
    overnight = plan.overnight[row:].copy()
    overnight[0] = 0.0  # the starting cash was not there the night before
    begins = tuple(max(first - row, 0) for first in plan.begins)
    return dataclasses.replace(plan, **{**later, "overnight": overnight, "begins": begins if any(begins) else ()})


def _table(prices: pd.DataFrame) -> Floats:
    """Row by row in memory and writable, whatever pandas has: numba compiles the kernel anew for any other layout."""
    return np.array(prices, dtype=np.float64, order="C")
