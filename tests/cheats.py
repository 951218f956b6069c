"""Planted cheats: strategies that read the future, each in another way that happens in practice; and honest ones.

But for the last, none shows its working as evidence: the audit must see it in what they decide and order.
"""

from __future__ import annotations

from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
from worlds import small_in

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Decision, Evidence
from backtest.market import Floats, Legs, Market
from backtest.signals import latch, relative_return

LOOKBACK = 10
"""Sessions; short, so that decisions change often."""


class NoParams(StrategyParams):
    """For a plain backtrader strategy in the registry."""


def small_while(signal: Any) -> Decision:
    """Small caps where the signal is positive, growth where it is negative."""
    values = np.asarray(signal, dtype=np.float64)
    return small_in(latch(enter=values > 0.0, leave=values < 0.0))


def lead_of(market: Market, legs: Legs) -> pd.Series:
    """Honest so far: the lead of small caps, by session."""
    return pd.Series(relative_return(market, legs["small"], legs["growth"], LOOKBACK), market.sessions)


class ShiftedBack(RotationStrategy):
    """Takes tomorrow's row for today's, as whoever lines a signal up with the return it should predict."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        return small_while(lead_of(market, legs).shift(-1))


class FullSampleScore(RotationStrategy):
    """Standardises by the mean and deviation of the whole sample."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        lead = lead_of(market, legs)
        return small_while((lead - lead.mean()) / lead.std())


class WeekLabelledLeft(RotationStrategy):
    """Resamples to weeks and dates each by its beginning."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        weekly = lead_of(market, legs).resample("W-FRI", label="left").last()
        return small_while(weekly.reindex(market.sessions, method="ffill"))


class MonthAverageDatedFirst(RotationStrategy):
    """Dates the month's average policy rate by the month's first day, as FRED's FEDFUNDS does; small while it falls."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        decisions = market.policy.groupby("session")["upper"].last()
        daily = decisions.reindex(decisions.index.union(market.sessions)).ffill().reindex(market.sessions)
        monthly = daily.resample("MS").mean()
        return small_while(-monthly.diff().reindex(market.sessions, method="ffill"))


class KnowsTheLastDate(RotationStrategy):
    """Is in small caps for the last half of the test: whoever knows how long it goes on knows that much."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        left = np.arange(len(market.sessions))[::-1]
        return small_in(np.where(left < len(market.sessions) // 2, 1.0, 0.0))


class Rotation(bt.Strategy):  # type: ignore[misc]
    """A plain next()-style rotation between the first and the last feed, half invested so that nothing is refused."""

    Params = NoParams

    def rotate(self, is_small: bool) -> None:
        wanted, other = (self.datas[-1], self.datas[0]) if is_small else (self.datas[0], self.datas[-1])
        if not self.getposition(wanted).size:
            self.close(other)
            self.order_target_percent(wanted, 0.5)


class HonestNext(Rotation):
    """Trades on a crossing of two averages of the ratio, with a stop at what it paid: path-dependent."""

    def __init__(self) -> None:
        ratio = self.datas[-1].close / self.datas[0].close
        self.fast = bt.indicators.SimpleMovingAverage(ratio, period=2)
        self.slow = bt.indicators.ExponentialMovingAverage(ratio, period=8)

    def next(self) -> None:
        small = self.getposition(self.datas[-1])
        stopped = small.size > 0 and self.datas[-1].close[0] < 0.95 * small.price
        self.rotate(self.fast[0] > self.slow[0] and not stopped)


class CloseTomorrow(Rotation):
    """Reads `close[1]`, which backtrader allows without a word; and takes care not to on the last session."""

    def next(self) -> None:
        ahead = 1 if len(self) < self.datas[0].buflen() else 0
        lead = [feed.close[ahead] / feed.close[0] for feed in (self.datas[0], self.datas[-1])]
        self.rotate(lead[1] > lead[0])


class CloseTomorrowUnguarded(Rotation):
    """The same without that care: the run breaks on the last session."""

    def next(self) -> None:
        self.rotate(self.datas[-1].close[1] > self.datas[0].close[1])


class ForwardLine(Rotation):
    """Asks for tomorrow once, while indicators are made: `close(1)` is a line moved the wrong way."""

    def __init__(self) -> None:
        ahead = [feed.close(1) / feed.close for feed in (self.datas[0], self.datas[-1])]
        self.lead = ahead[1] - ahead[0]

    def next(self) -> None:
        self.rotate(self.lead[0] > 0.0)


class CloseAtItsOwnOpen(Rotation):
    """Trades at an open on the close of the same session, which is readable there before it has happened."""

    def next_open(self) -> None:
        lead = [feed.close[0] / feed.open[0] for feed in (self.datas[0], self.datas[-1])]
        self.rotate(lead[1] > lead[0])


class OpenAtItsOwnOpen(Rotation):
    """Honest: trades at an open on that open, and sizes by it."""

    def next_open(self) -> None:
        if not len(self):
            return
        gaps = [feed.open[0] / feed.close[-1] for feed in (self.datas[0], self.datas[-1])]
        wanted, other = self.datas[-1 if gaps[1] > gaps[0] else 0], self.datas[0 if gaps[1] > gaps[0] else -1]
        if not self.getposition(wanted).size:
            self.close(other)
            self.buy(wanted, size=40_000.0 / wanted.open[0])


class TargetPercentAtTheOpen(Rotation):
    """As `OpenAtItsOwnOpen`, but `order_target_percent` sizes by `close[0]`, of a session that has only opened."""

    def next_open(self) -> None:
        if len(self):
            lead = [feed.open[0] / feed.close[-1] for feed in (self.datas[0], self.datas[-1])]
            self.rotate(lead[1] > lead[0])


class HindsightInEvidence(RotationStrategy):
    """Decides honestly and shows a chart that did not exist then."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        lead = lead_of(market, legs)
        scaled: Floats = (lead / lead.abs().max()).to_numpy()
        honest = small_while(lead)
        return Decision(honest.shares, [Evidence("lead scaled", scaled)], reason=lambda row: "it leads")


CHEATS: dict[str, type] = {
    "close_tomorrow": CloseTomorrow,
    "shifted_back": ShiftedBack,
    "full_sample_score": FullSampleScore,
    "week_labelled_left": WeekLabelledLeft,
    "month_average_dated_first": MonthAverageDatedFirst,
    "knows_the_last_date": KnowsTheLastDate,
}
"""The six of the look-ahead study."""

MORE_CHEATS: dict[str, type] = {
    "close_tomorrow_unguarded": CloseTomorrowUnguarded,
    "forward_line": ForwardLine,
    "close_at_its_own_open": CloseAtItsOwnOpen,
    "target_percent_at_the_open": TargetPercentAtTheOpen,
    "hindsight_in_evidence": HindsightInEvidence,
}

HONEST: dict[str, type] = {"honest_next": HonestNext, "open_at_its_own_open": OpenAtItsOwnOpen}
"""Plain next()-style strategies that read nothing they should not."""


class TomorrowOnDaysOfCuts(RotationStrategy):
    """Leaks on a few days only: honest, but on the days of a cut it reads the next session."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        lead = lead_of(market, legs)
        cuts = market.policy.loc[market.policy["change_bps"] < 0, "session"]
        is_cut = market.sessions.isin(pd.DatetimeIndex(cuts))
        return small_while(np.where(is_cut, lead.shift(-1), lead))


class CentredAverage(RotationStrategy):
    """Its signal is smoothed by an average centred on the session, half of which comes later."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        return small_while(lead_of(market, legs).rolling(5, center=True).mean())


class EveOfTheDecision(RotationStrategy):
    """Holds small caps on the eve of a cut: dates a decision one session too early."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        decisions = market.policy.groupby("session")["change_bps"].sum()
        change = decisions.reindex(market.sessions).shift(-1).fillna(0.0)
        return small_while(-change)


class GapsFilledBackwards(RotationStrategy):
    """Its signal is known at the end of each month and filled backwards over the month."""

    @staticmethod
    def decide(market: Market, legs: Legs, p: Any) -> Decision:
        lead = lead_of(market, legs)
        month_ends = market.sessions.to_series().groupby(market.sessions.to_period("M")).last()
        return small_while(lead.where(lead.index.isin(pd.DatetimeIndex(month_ends))).bfill())


SPOT_CHEATS: dict[str, type] = {
    **{name: cheat for name, cheat in CHEATS.items() if issubclass(cheat, RotationStrategy)},
    "hindsight_in_evidence": HindsightInEvidence,
    "tomorrow_on_days_of_cuts": TomorrowOnDaysOfCuts,
    "centred_average": CentredAverage,
    "eve_of_the_decision": EveOfTheDecision,
    "gaps_filled_backwards": GapsFilledBackwards,
}
"""Ten that have a `decide`."""
