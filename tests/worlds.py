"""Markets for tests: small ones written out by hand, and random ones of every kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from backtest.account import Books, run_backtrader, run_kernel
from backtest.account.plan import Plan, Terms, make_plan
from backtest.data.clocks import known_at
from backtest.data.policy import knowable_sessions, with_known_sessions
from backtest.decision import Decision, check_decision, target_weights
from backtest.market import PRICE_FRAMES, Floats, Legs, Market
from backtest.series import PointInTime, observations
from backtest.signals.periods import ends_period


def small_in(small: Any, cash: Any = 0.0, **more: Any) -> Decision:
    """The decision for a share of the second of two legs (of what is invested), and a share of the whole in cash."""
    path = Legs().between("growth", "small", small)
    if np.ndim(cash) == 0 and cash == 0.0:
        return Decision(path, **more)
    return Decision(path.array() * (1.0 - np.broadcast_to(cash, np.shape(small)))[:, None], **more)


PAIR = Legs({"growth": {"G": 1.0}, "small": {"S": 1.0}})
"""One ticker on each side, for worlds that are worked out by hand."""


def weekdays(first: str, last: str, holidays: Sequence[str] = ()) -> pd.DatetimeIndex:
    """The calendar of a simple exchange: Monday to Friday but for `holidays`."""
    return pd.bdate_range(first, last).difference(pd.DatetimeIndex(list(holidays))).as_unit("ns")


EXCHANGE = weekdays("2003-01-01", "2012-12-31")
"""Of the random worlds."""


def policy_of(changes: Mapping[str, int], exchange: pd.DatetimeIndex) -> pd.DataFrame:
    """Policy decisions from `{"2024-09-18 14:00": -50}`: New York time of the announcement -> basis points."""
    announced = pd.DatetimeIndex(list(changes)).as_unit("ns")
    change = np.array(list(changes.values()), dtype=np.int64)
    upper = 10.0 + change.cumsum() / 100
    when = {"announced_at": announced, "date": announced.normalize(), "scheduled": True}
    return with_known_sessions(pd.DataFrame({**when, "lower": upper, "upper": upper, "change_bps": change}), exchange)


def market_of(
    opens: pd.DataFrame,
    closes: pd.DataFrame,
    *,
    exchange: pd.DatetimeIndex,
    changes: Mapping[str, int] | None = None,
    tbill: Any = None,
) -> Market:
    """A market without dividends or splits. tbill: discount rate(s) as a fraction, one or one per session."""
    zeros = closes * 0.0
    rate = None if tbill is None else pd.Series(tbill, closes.index, dtype=np.float64)
    return Market(opens, closes, opens, closes, zeros, zeros, exchange, policy_of(changes or {}, exchange), tbill=rate)


def hand_market(first: str, holidays: Sequence[str] = (), **given: Any) -> Market:
    """A market from lists: `G=`, `S=`, `D=` closes; `G_open=` opens, by default the closes of the same session."""
    closes = {name: values for name, values in given.items() if name in ("G", "S", "D")}
    years = pd.Timestamp(first).year
    exchange = weekdays(f"{years - 1}-01-01", f"{years + 1}-12-31", holidays)
    begin = int(exchange.searchsorted(pd.Timestamp(first)))
    sessions = exchange[begin : begin + len(closes["G"])]
    close = pd.DataFrame(closes, index=sessions, dtype=np.float64)
    opens = {name: given.get(f"{name}_open", closes[name]) for name in closes}
    rest = {name: given[name] for name in ("changes", "tbill") if name in given}
    return market_of(pd.DataFrame(opens, index=sessions, dtype=np.float64), close, exchange=exchange, **rest)


def play(
    market: Market,
    strategy: Any,
    *,
    legs: Legs = PAIR,
    initial: str = "growth",
    start: str | None = None,
    params: Mapping[str, Any] | None = None,
    **terms: Any,
) -> Books:
    """The books of a strategy by backtrader, after a look that the kernel has the same."""
    given = strategy.Params(**(params or {}))
    decision = check_decision(strategy.decide(market, legs, given), market, legs)
    weights = target_weights(decision, legs, legs.tickers, initial)
    begin = pd.Timestamp(start) if start else market.sessions[0]
    plan = make_plan(market, legs.tickers, weights, begin, Terms(**terms))
    books = run_backtrader(plan, strategy, **given.model_dump())
    assert_same_books(books, run_kernel(plan))
    return books


def fills_of(books: Books) -> list[tuple[str, str, float, float]]:
    """(date, ticker, shares, price) of each fill, in the order of booking."""
    fills = books.fills
    days = [f"{day:%Y-%m-%d}" for day in books.sessions[fills.row]]
    names = [books.tickers[i] for i in fills.ticker]
    return list(zip(days, names, fills.size.tolist(), fills.price.tolist(), strict=True))


def assert_same_books(one: Books, other: Books) -> None:
    """Equal to the last bit: every row of equity and cash, every field of every fill."""
    for name in ("equity", "cash"):
        mine, theirs = getattr(one, name), getattr(other, name)
        assert len(mine) == len(theirs)
        assert (mine == theirs).all(), f"{name} differs first in row {int(np.argmax(mine != theirs))}"
    for field in dataclasses.fields(one.fills):
        mine, theirs = getattr(one.fills, field.name), getattr(other.fills, field.name)
        assert len(mine) == len(theirs), "the number of fills differs"
        assert (mine == theirs).all(), f"{field.name} differs first in fill {int(np.argmax(mine != theirs))}"


# ------------------------------------------------------------------------------------------------- random worlds


@dataclasses.dataclass(frozen=True)
class World:
    """A random market, what is decided in it, and on what terms it is traded."""

    market: Market
    weights: Floats
    terms: Terms
    start: pd.Timestamp
    also_monthly: bool

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Short: what was drawn stands above it in hypothesis's report."""
        printer.text(f"World({len(self.market.sessions)} sessions, {self.terms})")

    @property
    def plan(self) -> Plan:
        """As the main job makes it; `also_monthly` adds a calendar rule to a drift rule."""
        plan = make_plan(self.market, self.market.tickers, self.weights, self.start, self.terms)
        if not self.also_monthly:
            return plan
        monthly = dataclasses.replace(self.terms, rebalance="monthly")
        both = make_plan(self.market, self.market.tickers, self.weights, self.start, monthly)
        return dataclasses.replace(plan, is_scheduled=plan.is_scheduled | both.is_scheduled)


def random_prices(
    rng: np.random.Generator, sessions: int, tickers: int, volatility: float, gap: float, is_cents: bool
) -> tuple[Floats, Floats]:
    """Opens and closes, shape (sessions, tickers): log-normal nights and days; never below a cent."""
    nights = rng.normal(0.0, gap, (sessions, tickers))
    days = rng.normal(0.0, volatility, (sessions, tickers))
    path = np.cumsum(np.stack([nights, days], axis=1).reshape(2 * sessions, tickers), axis=0)
    prices = rng.uniform(5.0, 500.0, tickers) * np.exp(path)
    if is_cents:
        prices = np.round(prices, 2)
    prices = np.maximum(prices, 0.01)
    return prices[0::2], prices[1::2]


def random_weights(rng: np.random.Generator, sessions: int, tickers: int, kind: str, often: float) -> Floats:
    """Targets per session, shape (sessions, tickers); a new one with the chance `often`, else the one before."""
    half = np.arange(tickers) < (tickers + 1) // 2
    legs = np.stack([half / half.sum(), ~half / (~half).sum()])
    drawn = {
        "legs": lambda: legs[rng.integers(0, 2, sessions)],
        "dirichlet": lambda: rng.dirichlet(np.ones(tickers), sessions),
        "blend": lambda: (share := rng.random((sessions, 1))) * legs[0] + (1 - share) * legs[1],
        "partly cash": lambda: rng.dirichlet(np.ones(tickers + 1), sessions)[:, :tickers],
        "legs or cash": lambda: np.vstack([legs, np.zeros(tickers)])[rng.integers(0, 3, sessions)],
        "one ticker": lambda: np.eye(tickers)[rng.integers(0, tickers, sessions)],
    }[kind]()
    is_new = rng.random(sessions) < often
    is_new[0] = True
    return np.asarray(drawn[np.maximum.accumulate(np.where(is_new, np.arange(sessions), 0))], dtype=np.float64)


def with_splits(market: Market, rng: np.random.Generator) -> Market:
    """Dividends and splits of every kind, on prices that take no notice of them."""
    shape = market.close.shape
    ratios = rng.choice([2.0, 3.0, 1.5, 0.5, 0.1, 0.04, 1 / 3], shape)
    splits, dividends = np.where(rng.random(shape) < 0.02, ratios, 0.0), (rng.random(shape) < 0.02) * 0.3
    tables = {"splits": splits, "dividends": dividends * market.close.to_numpy() * 0.1}
    frames = {name: pd.DataFrame(values, market.sessions, market.close.columns) for name, values in tables.items()}
    return dataclasses.replace(market, **frames)


KINDS = ("legs", "dirichlet", "blend", "partly cash", "legs or cash", "one ticker")


@st.composite
def worlds(draw: st.DrawFn, *, whole: bool | None = None, raw: bool | None = None) -> World:
    """Markets of all tempers under all rules; nothing is filtered out."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="seed"))
    count = draw(st.integers(40, 260), label="sessions")
    tickers = draw(st.integers(2, 5), label="tickers")
    opens, closes = random_prices(
        rng,
        count,
        tickers,
        volatility=draw(st.sampled_from([0.005, 0.02, 0.08, 0.15]), label="volatility"),
        gap=draw(st.sampled_from([0.001, 0.01, 0.03]), label="gap"),
        is_cents=draw(st.booleans(), label="cents"),
    )
    begin = draw(st.integers(250, 270), label="first session")
    days = EXCHANGE[begin : begin + count]
    names = [f"T{i}" for i in range(tickers)]
    rate = rng.uniform(0.0, 0.15, count) if draw(st.booleans(), label="interest") else None
    market = market_of(
        pd.DataFrame(opens, days, names), pd.DataFrame(closes, days, names), exchange=EXCHANGE, tbill=rate
    )
    kind = draw(st.sampled_from(KINDS), label="kind")
    often = draw(st.sampled_from([0.0, 0.03, 0.2, 1.0]), label="often")
    rules = ["on_change", "daily", "weekly", "monthly", "quarterly", "annual", 5, 0.01, 0.05]
    rebalance: Any = draw(st.sampled_from(rules), label="rebalance")
    fill: Any = draw(st.sampled_from(["open", "close"]), label="fill")
    is_raw = draw(st.booleans(), label="raw") if raw is None else raw
    if is_raw:
        market = with_splits(market, rng)
    terms = Terms(
        cash=draw(st.sampled_from([1e3, 1e5, 12_345.67, 1e8]), label="cash"),
        cost_rate=draw(st.sampled_from([0.0, 1e-4, 5e-4, 1e-3, 5e-3]), label="cost"),
        whole_shares=draw(st.booleans(), label="whole") if whole is None else whole,
        rebalance=rebalance,
        delay_sessions=draw(st.integers(1 if fill == "open" else 0, 3), label="delay"),
        fill=fill,
        earns_tbill=rate is not None,
        is_raw=is_raw,
    )
    return World(
        market,
        random_weights(rng, count, tickers, kind, often),
        terms,
        days[draw(st.integers(0, 9), label="start")],
        also_monthly=draw(st.booleans(), label="also monthly"),
    )


def rotation_market(seed: int, sessions: int = 700, decisions_every: int = 6) -> Market:
    """The four tickers of the default legs, frequent policy decisions, a T-bill rate: signals change all the time."""
    rng = np.random.default_rng(seed)
    opens, closes = random_prices(rng, sessions, 4, volatility=0.012, gap=0.006, is_cents=False)
    days = EXCHANGE[300 : 300 + sessions]
    names = list(Legs().tickers)
    at = np.flatnonzero(rng.random(sessions + 200) < 1.0 / decisions_every) + 100
    hours = rng.choice(["08:00", "14:00", "16:00", "17:30"], len(at))
    changes = rng.choice([-50, -25, -10, 0, 25], len(at), p=[0.2, 0.4, 0.1, 0.1, 0.2])
    market = market_of(
        pd.DataFrame(opens, days, names),
        pd.DataFrame(closes, days, names),
        exchange=EXCHANGE,
        changes={f"{EXCHANGE[int(i)]:%Y-%m-%d} {hour}": int(c) for i, hour, c in zip(at, hours, changes, strict=True)},
        tbill=rng.uniform(0.0, 0.08, sessions),
    )
    return dataclasses.replace(market, series=random_series(rng), meetings=MEETINGS)


MEETINGS = EXCHANGE[25::35]
"""Scheduled meetings of the random worlds, seven or eight a year."""


def random_series(rng: np.random.Generator) -> dict[str, PointInTime]:
    """Observations of every kind that signals read, on the random worlds' exchange."""
    days = EXCHANGE[280:1020].to_numpy().astype("datetime64[D]")

    def series(happened: Any, known: Any, holds_days: int = 7, **columns: Any) -> PointInTime:
        sessions = knowable_sessions(pd.DataFrame({"announced_at": known.astype("datetime64[ns]")}), EXCHANGE)
        return observations(happened, known, sessions, columns, holds_days=holds_days)

    def walk() -> Floats:
        return np.abs(3.0 + np.cumsum(rng.normal(0.0, 0.05, len(days))))

    found = {name: series(days, known_at(days, "evening"), value=walk()) for name in ("DGS2", "DGS3MO", "DGS10")}
    found["EFFR"] = series(days, known_at(days, "next_business_day"), value=walk())
    released = days[12::21]
    known = released + np.timedelta64(8 * 60 + 30, "m")
    prints = {name: np.round(rng.normal(0.2, 0.1, len(released)), 1) for name in ("value", "consensus")}
    found["cpi"] = series(released - np.timedelta64(30, "D"), known, 120, **prints)
    ahead = np.tile(np.arange(14), len(days))
    day = np.repeat(days, 14)
    contract = (day.astype("datetime64[M]") + ahead).astype("datetime64[ns]")
    price = 97.0 - np.repeat(walk(), 14) / 10 + rng.normal(0.0, 0.05, len(day))
    found["zq"] = series(day, known_at(day, "same_close"), value=price, contract=contract)
    return found


def poisoned(market: Market, row: int, seed: int) -> Market:
    """The same market up to `row`, and noise instead of everything that became known later."""
    rng = np.random.default_rng(seed)
    later = len(market.sessions) - row - 1

    def spoil(frame: Any) -> Any:
        values = frame.to_numpy(dtype=np.float64, copy=True)
        values[row + 1 :] *= np.exp(rng.normal(0.0, 1.0, (later, *values.shape[1:])))
        return type(frame)(values, frame.index, *([frame.columns] if values.ndim == 2 else []))

    known = market.policy[market.policy["session"] <= market.sessions[row]]
    invented = market.policy[market.policy["session"] > market.sessions[row]].copy()
    invented["change_bps"] = -invented["change_bps"].to_numpy()[rng.permutation(len(invented))]
    policy = pd.concat([known, invented]) if len(invented) else known
    frames = {name: spoil(getattr(market, name)) for name in PRICE_FRAMES}
    tbill = None if market.tbill is None else spoil(market.tbill)
    session = market.sessions[row]
    series = {name: spoiled(one, session, rng) for name, one in market.series.items()}
    return dataclasses.replace(market, **frames, policy=policy, tbill=tbill, series=series)


def spoiled(series: PointInTime, session: pd.Timestamp, rng: np.random.Generator) -> PointInTime:
    """The same observations to a session, then other values."""
    frame = series.frame.copy()
    later = frame["session"].to_numpy() > session.to_datetime64()
    frame.loc[later, "value"] += rng.normal(0.0, 0.3, int(later.sum()))
    return dataclasses.replace(series, frame=frame)


def is_month_end(sessions: pd.DatetimeIndex) -> Any:
    """True on the last session of each month of the random worlds' exchange."""
    return ends_period(sessions, EXCHANGE, "M")


def first_difference(one: Floats, other: Floats) -> int | None:
    """The first row at which two series differ, NaN being equal to NaN; None when they do not."""
    differs = ~((one == other) | (np.isnan(one) & np.isnan(other)))
    return int(np.argmax(differs)) if differs.any() else None
