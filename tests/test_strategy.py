"""A rotation in anybody's Cerebro: the same books as the kernel's, or one line that says what is in the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from pydantic import Field
from worlds import assert_same_books, market_of, small_in

from backtest.account import Books, Fills, run_kernel
from backtest.account.engine import BooksRecorder
from backtest.account.plan import Terms, make_plan
from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.data.calendar import exchange_sessions, sessions_around
from backtest.data.policy import load_policy_decisions, with_known_sessions
from backtest.decision import Decision
from backtest.errors import BacktestError, ConfigError, OrderRefused, RunError
from backtest.market import Legs, Market
from strategies.rate_cut import RateCut
from strategies.relative_momentum import RelativeMomentum

TICKERS = Legs().tickers


@cache
def market() -> Market:
    """Random prices of the default legs in 2019 and spring 2020: five real cuts, some sixty changes of lead."""
    sessions = exchange_sessions(pd.Timestamp("2019-05-01"), pd.Timestamp("2020-05-15"))
    rng = np.random.default_rng(20)
    path = rng.normal(0, 0.01, (2 * len(sessions), 4)).cumsum(axis=0)
    prices = np.round(np.array([150.0, 90.0, 120.0, 80.0]) * np.exp(path), 2)
    opens = pd.DataFrame(prices[0::2], sessions, TICKERS)
    closes = pd.DataFrame(prices[1::2], sessions, TICKERS)
    calendar = sessions_around(sessions[0], sessions[-1])
    plain = market_of(opens, closes, exchange=calendar)
    policy = with_known_sessions(load_policy_decisions(), calendar)
    return dataclasses.replace(plain, policy=policy)


def feed_of(ticker: str, **changes: Any) -> pd.DataFrame:
    """What a user has: one frame of open, high, low, close, volume."""
    opens, closes = market().open[ticker], market().close[ticker]
    bars = {"open": opens, "high": np.maximum(opens, closes), "low": np.minimum(opens, closes), "close": closes}
    return pd.DataFrame({**bars, "volume": 1e6, **changes})


def cerebro_of(
    strategy: type = RelativeMomentum,
    *,
    frames: Mapping[str, pd.DataFrame] | None = None,
    cerebro: bt.Cerebro | None = None,
    feed: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> bt.Cerebro:
    """The idiom of backtrader's documentation: named PandasData feeds, a strategy, cash and a commission."""
    cerebro = cerebro or bt.Cerebro()
    for ticker, frame in (frames or {t: feed_of(t) for t in TICKERS}).items():
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, **(feed or {})), name=ticker)
    cerebro.broker.setcash(100_000.0)
    cerebro.broker.setcommission(commission=0.0005)
    cerebro.addanalyzer(BooksRecorder, _name="books")
    cerebro.addstrategy(strategy, **parameters)
    return cerebro


def books_of(cerebro: bt.Cerebro, sessions: pd.DatetimeIndex | None = None, **options: Any) -> Books:
    recorder = cerebro.run(**options)[0].analyzers.books
    sessions = market().sessions if sessions is None else sessions
    row_of = {day.toordinal(): row for row, day in enumerate(sessions)}
    table = [(row_of[int(at)], TICKERS.index(name), *rest) for at, name, *rest in recorder.fills]
    fills = Fills.of(np.array(table, dtype=np.float64).reshape(len(table), 5))
    empty = np.zeros((0, 4))
    return Books(sessions, TICKERS, empty, empty, np.array(recorder.equity), np.array(recorder.cash), fills)


def expected(strategy: Any = RelativeMomentum, start: str = "2019-05-01", **given: Any) -> Books:
    """The kernel's books of the same question."""
    terms = {name: given.pop(name) for name in ("rebalance", "delay_sessions", "whole_shares") if name in given}
    initial = given.pop("initial", "growth")
    decision = strategy.decide(market(), Legs(), strategy.Params(**given))
    weights = Legs().weights(TICKERS, decision.held(Legs(), initial))
    return run_kernel(make_plan(market(), TICKERS, weights, pd.Timestamp(start), Terms(cost_rate=0.0005, **terms)))


SETTINGS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "stdstats": {"stdstats": False},
    "step by step": {"runonce": False},
    "cheat on open": {"cheat_on_open": True},
    "no coo": {"broker_coo": False},
    "exactbars": {"exactbars": -1},
    "trade history": {"tradehistory": True},
    "quick notify": {"quicknotify": True},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_whatever_the_cerebro_the_books_are_the_kernels(settings: dict[str, Any]) -> None:
    books = books_of(cerebro_of(cerebro=bt.Cerebro(**settings), lookback_sessions=10))
    assert_same_books(books, expected(lookback_sessions=10))
    assert len(np.unique(books.fills.row)) > 20


QUESTIONS: dict[str, dict[str, Any]] = {
    "defaults of the cut": {"strategy": RateCut},
    "a short window": {"strategy": RateCut, "hold_sessions": 20},
    "whole shares": {"lookback_sessions": 10, "whole_shares": True},
    "monthly": {"lookback_sessions": 10, "rebalance": "monthly"},
    "drift": {"lookback_sessions": 10, "rebalance": 0.02},
    "delay": {"lookback_sessions": 10, "delay_sessions": 3},
    "from cash": {"lookback_sessions": 10, "initial": "cash"},
    "weekly": {"lookback_sessions": 10, "decide": "weekly", "threshold": 0.01},
}


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_whatever_the_question_the_books_are_the_kernels(question: dict[str, Any]) -> None:
    books = books_of(cerebro_of(cerebro=bt.Cerebro(stdstats=False), **question))
    assert_same_books(books, expected(**question))


def test_every_fill_is_one_session_after_its_decision() -> None:
    decision = RateCut.decide(market(), Legs(), RateCut.Params(hold_sessions=20))
    share = decision.held(Legs(), "growth")[:, 1]
    changes = np.flatnonzero(np.diff(share)) + 1
    books = books_of(cerebro_of(RateCut, hold_sessions=20))
    assert np.unique(books.fills.row).tolist() == [1, *(changes + 1).tolist()]


def test_one_cerebro_run_twice_gives_the_same() -> None:
    cerebro = cerebro_of(lookback_sessions=10)
    first = books_of(cerebro)
    assert_same_books(first, books_of(cerebro))
    assert_same_books(first, expected(lookback_sessions=10))


def test_optstrategy_runs() -> None:
    cerebro = cerebro_of()
    cerebro.strats.clear()
    cerebro.optstrategy(RelativeMomentum, lookback_sessions=(10, 20))
    runs = cerebro.run(maxcpus=1, stdstats=False)
    assert [run[0].analyzers.books.equity[-1] for run in runs] == [
        expected(lookback_sessions=n).equity[-1] for n in (10, 20)
    ]


def test_a_feed_that_begins_later_is_a_test_that_begins_later() -> None:
    """`fromdate` cuts the history too: the lookback starts again."""
    begin = pd.Timestamp("2019-09-03")
    cerebro = cerebro_of(lookback_sessions=10, feed={"fromdate": begin.to_pydatetime()})
    books = books_of(cerebro, market().sessions[market().sessions >= begin])
    late = expected(start="2019-09-03", lookback_sessions=10)
    assert len(books.equity) == len(late.equity)
    assert books.fills.row[0] == late.fills.row[0] == 1


def test_a_cut_before_the_first_bar_counts() -> None:
    """The cut of July 31, 2019 opens a window of 252 sessions; the feeds begin in the middle of August."""
    begin = pd.Timestamp("2019-08-15")
    cerebro = cerebro_of(RateCut, feed={"fromdate": begin.to_pydatetime()})
    books = books_of(cerebro, market().sessions[market().sessions >= begin])
    assert_same_books(books, expected(RateCut, start="2019-08-15"))
    assert [TICKERS[i] for i in books.fills.ticker[:2]] == ["IWM", "IWN"]


def test_a_market_that_is_handed_over_warms_signals_up() -> None:
    begin = pd.Timestamp("2019-09-03")
    cerebro = cerebro_of(lookback_sessions=60, market=market(), feed={"fromdate": begin.to_pydatetime()})
    books = books_of(cerebro, market().sessions[market().sessions >= begin])
    assert_same_books(books, expected(start="2019-09-03", lookback_sessions=60))


def test_bars_stamped_with_the_hour_of_the_close_are_sessions_too() -> None:
    frames = {t: feed_of(t).set_axis(market().sessions + pd.Timedelta(hours=16)) for t in TICKERS}
    books = books_of(cerebro_of(frames=frames, lookback_sessions=10))
    assert_same_books(books, expected(lookback_sessions=10))


def test_an_indicator_of_a_subclass_delays_nothing() -> None:
    class Drawn(RelativeMomentum):
        """With a line to look at."""

        def __init__(self, **unknown: Any) -> None:
            super().__init__(**unknown)
            self.average = bt.indicators.SMA(self.datas[0].close, period=50)

    assert_same_books(books_of(cerebro_of(Drawn, lookback_sessions=10)), expected(lookback_sessions=10))


def test_a_feed_outside_the_legs_is_not_traded() -> None:
    frames = {t: feed_of(t) for t in TICKERS} | {"SPY": feed_of("QQQ")}
    cerebro = cerebro_of(frames=frames, lookback_sessions=10)
    assert books_of(cerebro).equity[-1] == expected(lookback_sessions=10).equity[-1]


def test_other_legs_may_be_given() -> None:
    legs = Legs({"growth": {"QQQ": 1.0}, "small": {"IWN": 1.0}})
    frames = {t: feed_of(t) for t in legs.tickers}
    run = cerebro_of(frames=frames, legs=legs, lookback_sessions=10).run()[0]
    assert {name for _, name, *_ in run.analyzers.books.fills} == {"QQQ", "IWN"}


def test_the_decision_of_the_last_session_is_left_pending() -> None:
    decision = RelativeMomentum.decide(market(), Legs(), RelativeMomentum.Params(lookback_sessions=10))
    change = int(np.flatnonzero(np.diff(decision.by_leg[:, 1]))[-1]) + 1
    frames = {t: feed_of(t).iloc[: change + 1] for t in TICKERS}
    run = cerebro_of(frames=frames, lookback_sessions=10).run()[0]
    assert run.is_pending
    assert max(at for at, *_ in run.analyzers.books.fills) < market().sessions[change].toordinal() + 1


# ------------------------------------------------------------------------------------------------- what is refused


def unnamed() -> bt.Cerebro:
    cerebro = bt.Cerebro()
    for ticker in TICKERS:
        cerebro.adddata(bt.feeds.PandasData(dataname=feed_of(ticker)))
    cerebro.addstrategy(RelativeMomentum)
    return cerebro


def broker(setting: Callable[[Any], None], **parameters: Any) -> Callable[[], bt.Cerebro]:
    def make() -> bt.Cerebro:
        cerebro = cerebro_of(**parameters)
        setting(cerebro.broker)
        return cerebro

    return make


def given(**parameters: Any) -> Callable[[], bt.Cerebro]:
    return lambda: cerebro_of(**parameters)


def run_with(**options: Any) -> Callable[[], bt.Cerebro]:
    return lambda: cerebro_of(cerebro=bt.Cerebro(**options))


def frames_with(ticker: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[], bt.Cerebro]:
    return lambda: cerebro_of(frames={t: change(feed_of(t)) if t == ticker else feed_of(t) for t in TICKERS})


def on_a_saturday(frame: pd.DataFrame) -> pd.DataFrame:
    days = frame.index.to_series()
    days.iloc[2] += pd.Timedelta(days=1)  # Friday, May 3, 2019
    return frame.set_axis(pd.DatetimeIndex(days))


REFUSED: dict[str, tuple[Callable[[], bt.Cerebro], str]] = {
    "unnamed feeds": (unnamed, r"no feed is named QQQ, IVW, IWM, IWN; the feeds are \(unnamed\).*adddata"),
    "a missing ticker": (
        lambda: cerebro_of(frames={t: feed_of(t) for t in TICKERS[:3]}),
        "no feed is named IWN; the feeds are QQQ, IVW, IWM",
    ),
    "no preload": (run_with(preload=False), "no bars yet: run Cerebro with preload=True"),
    "exactbars": (run_with(exactbars=1), "no bars yet"),
    "misspelt": (given(lookback_session=5), "lookback_session is unknown; did you mean lookback_sessions?"),
    "not at all": (given(zzz=5), "zzz is unknown; it has lookback_sessions, lookback_months, threshold, decide"),
    "wrong type": (given(lookback_sessions="5"), "lookback_sessions: .*integer, found '5'"),
    "a fraction": (given(lookback_sessions=5.5), "lookback_sessions: .*integer, found 5.5"),
    "out of range": (given(lookback_sessions=0), "lookback_sessions: .*greater than or equal to 1, found 0"),
    "not a number": (given(threshold=float("nan")), "threshold: .*found nan"),
    "no choice": (given(decide="yearly"), "decide: .*found 'yearly'"),
    "a rule that is none": (
        given(rebalance="montly"),
        "found .montly., expected on_change, daily, weekly",
    ),
    "a band of more than all": (given(rebalance=1.5), "rebalance: found 1.5, expected"),
    "no delay": (given(delay_sessions=0), "delay_sessions: found 0, expected a whole number from 1 on"),
    "an initial that is none": (given(initial="gold"), "initial: found 'gold', expected growth, small or cash"),
    "slippage": (broker(lambda b: b.set_slippage_perc(0.001)), "slippage into the commission"),
    "fixed slippage": (broker(lambda b: b.set_slippage_fixed(0.01)), "slippage into the commission"),
    "cheat on close": (broker(lambda b: b.set_coc(True)), "cheat-on-close.*not supported"),
    "oldsync": (run_with(oldsync=True), "oldsync.*not supported"),
    "a filler": (broker(lambda b: b.set_filler(bt.fillers.FixedSize(size=10))), "fillers are not supported"),
    "a fixed fee": (
        broker(lambda b: b.setcommission(commission=5.0, commtype=bt.CommInfoBase.COMM_FIXED, stocklike=True)),
        "costs must be a fraction of traded value",
    ),
    "leverage": (broker(lambda b: b.setcommission(commission=0.0005, leverage=2.0)), "without leverage"),
    "futures": (
        broker(lambda b: b.setcommission(commission=0.0005, commtype=bt.CommInfoBase.COMM_PERC, margin=10.0, mult=5.0)),
        "costs must be a fraction of traded value",
    ),
    "margin": (
        broker(lambda b: b.setcommission(commission=0.0005, commtype=bt.CommInfoBase.COMM_PERC, margin=10.0)),
        "costs must be a fraction of traded value",
    ),
    "a multiplier": (
        broker(lambda b: b.setcommission(commission=0.0005, mult=5.0)),
        "costs must be a fraction of traded value",
    ),
    "interest on positions": (
        broker(lambda b: b.setcommission(commission=0.0005, interest=0.05, interest_long=True)),
        "costs must be a fraction of traded value",
    ),
    "costs that differ": (
        broker(lambda b: b.setcommission(commission=0.01, name="IWM")),
        r"all tickers must cost the same rate, found \[0.0005, 0.01\]",
    ),
    "a price of zero": (frames_with("IWM", lambda f: f.assign(open=0.0)), "positive open and close"),
    "no price": (frames_with("IWM", lambda f: f.assign(close=np.nan)), "positive open and close"),
    "a feed with a hole": (frames_with("IWM", lambda f: f.drop(f.index[7])), "share one calendar"),
    "a feed that begins later": (frames_with("IWM", lambda f: f.iloc[5:]), "share one calendar"),
    "a bar on a Saturday": (
        lambda: cerebro_of(frames={t: on_a_saturday(feed_of(t)) for t in TICKERS}),
        "a bar on 2019-05-04, which is not a session",
    ),
    "all feeds with a hole": (
        lambda: cerebro_of(frames={t: feed_of(t).drop(market().sessions[7]) for t in TICKERS}),
        "no bar on 2019-05-10, a session",
    ),
    "all feeds with a hole before the last bar": (
        lambda: cerebro_of(frames={t: feed_of(t).drop(market().sessions[-2]) for t in TICKERS}),
        f"no bar on {market().sessions[-2]:%Y-%m-%d}, a session",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_work_is_refused_in_one_line(make: Callable[[], bt.Cerebro], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        make().run()
    assert "\n" not in str(caught.value)


def test_a_market_of_other_sessions_than_the_feeds_is_refused() -> None:
    short = market().until(market().sessions[100])
    with pytest.raises(BacktestError, match="sessions"):
        cerebro_of(market=short, lookback_sessions=10).run()


def test_a_plan_of_other_tickers_than_the_feeds_is_refused() -> None:
    weights = np.tile([0.5, 0.5], (len(market().sessions), 1))
    plan = make_plan(market(), ("QQQ", "IWM"), weights, market().sessions[0], Terms())
    with pytest.raises(RunError, match="the plan is for QQQ, IWM, the feeds are QQQ, IVW, IWM, IWN"):
        cerebro_of(plan=plan).run()


def test_legs_that_ask_for_more_than_everything_are_refused_aloud() -> None:
    legs = Legs({"growth": {"QQQ": 0.7, "IVW": 0.7}, "small": {"IWM": 1.0}})
    with pytest.raises(OrderRefused, match="more than the cash at hand"):
        cerebro_of(legs=legs, lookback_sessions=10).run()


# ------------------------------------------------------------------------------------------------- writing a strategy


class Mine(RotationStrategy):
    """A strategy of a user, with a parameter of its own."""

    class Params(StrategyParams):
        """One."""

        share: float = Field(0.25, ge=0, le=1)

    params = (("colour", "blue"),)

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """A constant."""
        return small_in(np.full(len(market.sessions), p.share))


class Heir(Mine):
    """Inherits parameters and rule."""


@pytest.mark.parametrize("strategy", [Mine, Heir])
def test_parameters_are_those_of_the_model_and_of_backtrader(strategy: type) -> None:
    run = cerebro_of(strategy, share=0.75, colour="red").run()[0]
    assert (run.p.share, run.p.colour, run.parameters.share) == (0.75, "red", 0.75)
    assert cerebro_of(strategy).run()[0].p.share == 0.25


def test_a_default_is_written_once() -> None:
    names = RelativeMomentum.params._getkeys()
    for name, field in RelativeMomentum.Params.model_fields.items():
        assert name in names
        assert getattr(RelativeMomentum.params(), name) == field.default


def test_a_strategy_without_a_decide_says_so() -> None:
    class Empty(RotationStrategy):
        """Forgot it."""

    with pytest.raises(NotImplementedError):
        cerebro_of(Empty).run()


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        (small_in(np.zeros(3)), r"shares has shape \(3,\)"),
        (Decision(np.zeros((264, 3))), r"shares has shape \(264, 3\)"),
        (small_in(np.full(264, 1.5)), "the share is 1.5 on 2019-05-01"),
        (Decision(np.tile([0.5, np.nan], (264, 1))), "the share of growth is 0.5 on 2019-05-01"),
        (Decision(np.tile([0.6, 0.5], (264, 1))), "the shares sum to 1.1 on 2019-05-01"),
        (Decision(np.tile([0.6, -0.1], (264, 1))), "the share of small is -0.1 on 2019-05-01"),
    ],
)
def test_a_decision_that_is_none_is_refused_with_its_session(decision: Decision, message: str) -> None:
    class Wrong(RotationStrategy):
        """Decides nonsense."""

        @staticmethod
        def decide(market: Market, legs: Legs, p: StrategyParams) -> Decision:
            """As given."""
            return decision

    assert len(market().sessions) == 264
    with pytest.raises(RunError, match=message):
        cerebro_of(Wrong).run()
