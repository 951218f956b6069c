"""The kernel: backtrader's broker, operation for operation, in plain Python that numba can compile.

Long only, market orders, costs as one rate on traded value. Uncompiled it checks every run; compiled it carries
sweeps: the same source, the same bits. No step can be simplified without losing the last bit: the order of additions
is the broker's own (sales before purchases, a sale as cost basis plus profit, a position's value as cost plus profit).

Between two trades nothing but prices changes, so that a stretch of sessions is valued ticker by ticker, in loops that
a processor runs several sessions wide; what is decided is a list of the rows at which its weights change.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, Literal

import numpy as np

from backtest.account import sizing
from backtest.account.books import Books, Fills, books_of
from backtest.account.plan import Plan
from backtest.account.sizing import RUIN, SNAP, has_drifted, trade_sizes, worth_of
from backtest.market import Floats

TURNOVER, REBALANCES, TRADES, COSTS_USD, EXPOSURES = range(5)
"""Places in `totals`; from EXPOSURES on, two places for each basket asked about: see `add_exposures`."""

UNINVESTED = 1e-6
"""A share of equity in cash up to here is the sizing's reserve against rounding: it counts as invested."""

WATCHED = 16
"""Sessions valued at once under a drift rule, which asks each of them: those after a drift are valued again."""

SHARES, BASIS, SIZES, HELD, NOW, STATES = range(6)
"""Rows of `state`: shares held, average price paid, shares to trade, target in force, closes of a session."""


def stretches_between(part: Any, low: Any, high: Any, unknown: Any, rows: Any, weights: Any) -> int:
    """A decision that moves between two portfolios, as stretches of equal weights.

    part: (sessions,) how far from `low` (tickers,) to `high`; NaN stands for the weights `unknown`. Fills `rows`
    (sessions,), where each stretch begins, and `weights` (sessions, tickers). Returns how many there are, -1 where
    a part is not in [0, 1].
    """
    count = 0
    before = np.nan
    for t in range(len(part)):
        share = part[t]
        if share == before:
            continue
        before = share
        if not (share != share or 0.0 <= share <= 1.0):
            return -1
        is_other = count == 0
        for i in range(len(low)):
            weight = unknown[i] if share != share else share * high[i] + (1.0 - share) * low[i]
            is_other = is_other or weight != weights[count - 1][i]
            weights[count][i] = weight
        if is_other:
            rows[count] = t
            count += 1
    return count


def value_stretch(
    closes: Any, shares: Any, basis: Any, cash: float, interest: float, overnight: Any, earns: bool,
    begin: int, end: int, equity: Any, cash_at_close: Any,
) -> float:  # fmt: skip
    """Value the sessions from `begin` up to `end`, in which nothing is traded; returns the cash at the last of them.

    interest: what cash earned before the first of them. cash_at_close: filled unless it is empty.
    """
    held_tickers, one, two = 0, 0, 0
    for i in range(len(shares)):
        if shares[i] != 0.0:
            held_tickers += 1
            one, two = two, i
    aside = 0.0 if earns else cash
    worth = equity[begin:end]
    if held_tickers == 2:  # the usual case, in one loop
        held, cost, price = shares[one], basis[one], closes[one][begin:end]
        held_2, cost_2, price_2 = shares[two], basis[two], closes[two][begin:end]
        for u in range(len(worth)):
            profit, profit_2 = held * (price[u] - cost), held_2 * (price_2[u] - cost_2)
            both = ((held * price[u] - profit) + profit) + (held_2 * price_2[u] - profit_2)
            worth[u] = aside + (both + profit_2)
    else:
        for u in range(len(worth)):
            worth[u] = 0.0
        for i in range(len(shares)):
            if shares[i] != 0.0:
                held, cost, price = shares[i], basis[i], closes[i][begin:end]
                for u in range(len(worth)):
                    profit = held * (price[u] - cost)
                    worth[u] = (worth[u] + (held * price[u] - profit)) + profit
        for u in range(len(worth)):
            worth[u] = aside + worth[u]
    if earns:
        for t in range(begin, end):
            cash += interest
            equity[t] = cash + equity[t]
            if len(cash_at_close):
                cash_at_close[t] = cash
            if t + 1 < end:
                interest = cash * overnight[t + 1]
    elif len(cash_at_close):
        for t in range(begin, end):
            cash_at_close[t] = cash
    return cash


def add_exposures(
    closes: Any, shares: Any, cash: float, equity: Any, baskets: Any, begin: int, end: int, totals: Any
) -> None:
    """Add, session by session, each basket's share of equity; cash that is no more than a reserve counts as invested.

    cash: the most there was in these sessions. totals: from EXPOSURES on the sums of each basket, and then for each
    the sessions in which it was all there was: counted, so that the sums do not depend on where stretches begin.
    """
    low = 2.0 * cash / UNINVESTED
    may_be_idle = 0  # sessions in which the cash could be more than the reserve
    for t in range(begin, end if len(baskets) else begin):
        may_be_idle += equity[t] < low
    for k in range(len(baskets)):
        inside, outside = 0, 0
        for i in range(len(shares)):
            if shares[i] != 0.0:
                if baskets[k][i]:
                    inside += 1
                else:
                    outside += 1
        if inside and not outside and not may_be_idle:
            totals[EXPOSURES + len(baskets) + k] += max(end - begin, 0)
        elif inside:
            total = totals[EXPOSURES + k]
            for t in range(begin, end):
                own, invested = 0.0, 0.0
                for i in range(len(shares)):
                    worth = shares[i] * closes[i][t]
                    invested += worth
                    if baskets[k][i]:
                        own += worth
                if equity[t] - invested > UNINVESTED * equity[t]:
                    total += own / equity[t]
                elif outside:
                    total += own / invested
                else:
                    totals[EXPOSURES + len(baskets) + k] += 1.0
            totals[EXPOSURES + k] = total


def fill_all(
    cash: float, row: int, prices: Any, rate: float, shares: Any, basis: Any, sizes: Any, totals: Any, fills: Any
) -> float:
    """Book the trades of one moment, sales first; returns the cash left.

    fills: rows of (session, ticker, size, price, cost), written from row `totals[TRADES]` on unless it is empty.
    """
    worth, traded, trades = worth_of(cash, shares, prices), 0.0, totals[TRADES]
    for i in range(len(shares)):
        traded += abs(sizes[i]) * prices[i]
    for i in range(len(shares)):
        if sizes[i] < 0.0:
            q = -sizes[i]
            price = prices[i]
            cost = q * rate * price
            cash += q * basis[i] + q * (price - basis[i])
            cash -= cost
            shares[i] += sizes[i]
            if shares[i] == 0.0:
                basis[i] = 0.0
            book(row, i, sizes[i], price, cost, totals, fills)
    for i in range(len(shares)):
        if sizes[i] > 0.0:
            q = sizes[i]
            price = prices[i]
            cost = q * rate * price
            cash -= q * price
            cash -= cost
            before = shares[i]
            shares[i] = before + q
            basis[i] = price if before == 0.0 else (basis[i] * before + q * price) / shares[i]
            book(row, i, q, price, cost, totals, fills)
    if totals[TRADES] > trades:
        totals[REBALANCES] += 1.0
        if totals[REBALANCES] > 1.0:  # the first purchase turns nothing over
            totals[TURNOVER] += 0.5 * traded / worth
    return cash


def book(row: int, ticker: int, size: float, price: float, cost: float, totals: Any, fills: Any) -> None:
    """Write one fill down."""
    if len(fills):
        fill = fills[int(totals[TRADES])]
        fill[0] = row
        fill[1] = ticker
        fill[2] = size
        fill[3] = price
        fill[4] = cost
    totals[TRADES] += 1.0
    totals[COSTS_USD] += cost


def split_and_pay(cash: float, prices: Any, whole: bool, shares: Any, basis: Any, ratios: Any, dividends: Any) -> float:
    """Before a raw account's trades: each holding split, then paid its dividend; returns the cash.

    whole: what a split leaves beyond whole shares is paid in cash at `prices`, as brokers do.
    """
    for i in range(len(shares)):
        if ratios[i] != 1.0:
            split = shares[i] * ratios[i]
            basis[i] /= ratios[i]
            shares[i] = split
            if whole:
                shares[i] = math.floor(split * (1.0 + SNAP)) * 1.0
                if split > shares[i]:
                    cash += (split - shares[i]) * prices[i]
                if shares[i] == 0.0:
                    basis[i] = 0.0
        if dividends[i] != 0.0:
            cash += shares[i] * dividends[i]
    return cash


def next_other(weights: Any, stretch: int, count: int, held: Any) -> int:
    """The first stretch from this one on whose weights (tickers,) are not those held; `count` when none is."""
    is_same = True
    while is_same and stretch < count:
        for i in range(len(held)):
            is_same = is_same and weights[stretch][i] == held[i]
        stretch += is_same
    return stretch


def first_drift(closes: Any, shares: Any, now: Any, held: Any, band: float, equity: Any, begin: int, end: int) -> int:
    """The first row of [begin, end) at whose close the account has drifted out of its band, -1 when none is."""
    for t in range(begin, end):
        for i in range(len(held)):
            now[i] = closes[i][t]
        if has_drifted(equity[t], shares, now, held, band):
            return t
    return -1


def average_exposures(totals: Any, count: int, sessions: int) -> None:
    """Make the sums of exposures in `totals` means over the sessions behind the base row; NaN when there is none."""
    for k in range(count):
        sessions_in = totals[EXPOSURES + k] + totals[EXPOSURES + count + k]
        totals[EXPOSURES + k] = sessions_in / (sessions - 1) if sessions > 1 else np.nan


def simulate(
    prices: Any, decided: Any, timing: Any, terms: Any, night: Any, events: Any, baskets: Any, state: Any,
    equity: Any, cash_at_close: Any, fills: Any, totals: Any,
) -> None:  # fmt: skip
    """Run the account; fills `equity` (sessions,) and `totals`, and unless they are empty `cash_at_close` and `fills`.

    A drift rule needs `cash_at_close`.

    prices: traded at (sessions, tickers), closes (tickers, sessions). decided: rows and weights of the stretches, and
    the rows after which the books are brought back to target, both ascending. timing: `shift`, `first`, `delay`: row r
    of what is decided falls due after the close of row r + shift, or of `first` if that is later, and trades at the
    next row; a drift seen at a close falls due `delay` - 1 rows later. terms: cash, cost rate, whole shares, drift
    band. night: interest per dollar of cash before each row (sessions,), whether there is any, and whether it is there
    before the trades (at a close) or after (at the open that ends the night). events: rows, ratios
    and dividends (events, tickers) of a raw account. baskets: (baskets, tickers), whose share of equity is averaged in
    the first places of `totals` from EXPOSURES on; the base row is left out. state: (STATES, tickers) to work in.
    """
    traded_at, closes = prices
    rows, weights, scheduled = decided
    shift, first, delay = timing
    cash, rate, whole, band = terms
    overnight, earns, is_there = night
    happens, ratios, dividends = events
    sessions, tickers = len(traded_at), len(closes)
    shares, basis, sizes, held, now = state[SHARES], state[BASIS], state[SIZES], state[HELD], state[NOW]
    for i in range(tickers):
        shares[i] = basis[i] = held[i] = 0.0
    for k in range(len(totals)):
        totals[k] = 0.0
    watches, floor = band < np.inf, cash * RUIN
    stretch, nth, event, drift_due = 0, 0, 0, -1
    while stretch + 1 < len(rows) and rows[stretch + 1] + shift <= first:
        stretch += 1
    begin = 0
    is_due = first < 0  # at the close of the base row itself, which shows the account before it
    if is_due:
        for i in range(tickers):
            held[i] = weights[stretch][i]
        stretch += 1
    starting = cash
    while True:
        prices_now = traded_at[begin]
        interest = cash * overnight[begin]
        if is_there:
            cash += interest
            interest = 0.0
        if event < len(happens) and happens[event] == begin:
            cash = split_and_pay(cash, prices_now, whole, shares, basis, ratios[event], dividends[event])
            event += 1
        if watches and delay == 0 and begin > 0 and not is_due:
            is_due = has_drifted(worth_of(cash, shares, prices_now), shares, prices_now, held, band)
        if begin > 0 and equity[begin - 1] < floor:
            is_due = False
        if is_due and trade_sizes(cash, shares, basis, prices_now, held, rate, whole, sizes):
            cash = fill_all(cash, begin, prices_now, rate, shares, basis, sizes, totals, fills)
        stretch = next_other(weights, stretch, len(rows), held)
        changed = max(rows[stretch] + shift, first) if stretch < len(rows) else sessions
        while nth < len(scheduled) and scheduled[nth] + shift < max(begin, first):
            nth += 1
        due = min(changed, scheduled[nth] + shift) if nth < len(scheduled) else changed
        end = min(due + 1, sessions)
        if event < len(happens):
            end = min(end, happens[event])
        if watches:
            ahead = 1 if delay == 0 else WATCHED
            end = min(end, begin + ahead) if drift_due < 0 else min(end, drift_due + 1)
        most = cash + interest
        cash = value_stretch(closes, shares, basis, cash, interest, overnight, earns, begin, end, equity, cash_at_close)
        if watches and delay > 0 and drift_due < 0:  # until one falls due none is looked for
            drifted = first_drift(closes, shares, now, held, band, equity, max(begin, first), end)
            if drifted >= 0:
                drift_due = drifted + delay - 1
                end = min(end, drift_due + 1)
                cash = cash_at_close[end - 1]
        add_exposures(closes, shares, max(most, cash), equity, baskets, max(begin, 1), end, totals)
        if end >= sessions:
            break
        begin, last = end, end - 1
        is_due = last == due
        if drift_due == last:
            is_due, drift_due = True, -1
        if last == changed:
            for i in range(tickers):
                held[i] = weights[stretch][i]
            stretch += 1
    if first < 0:
        equity[0] = starting
        if len(cash_at_close):
            cash_at_close[0] = starting
    average_exposures(totals, len(baskets), sessions)


def inputs_of(plan: Plan) -> tuple[Any, ...]:
    """The arguments of `simulate` up to `events`, as arrays."""
    targets, terms = plan.targets, plan.terms
    rows = np.flatnonzero(np.concatenate([[True], (targets[1:] != targets[:-1]).any(axis=1)]))
    happens = np.zeros(0, dtype=np.int64)
    ratios = dividends = np.zeros((0, len(plan.tickers)))
    if plan.ratios is not None and plan.dividends is not None:
        happens = np.flatnonzero(((plan.ratios != 1.0) | (plan.dividends != 0.0)).any(axis=1))
        ratios, dividends = plan.ratios[happens], plan.dividends[happens]
    return (
        (plan.opens, np.ascontiguousarray(plan.closes.T)),
        (rows, targets[rows], np.flatnonzero(plan.is_scheduled)),
        (plan.lag, plan.lag, terms.delay_sessions),
        (terms.cash, terms.cost_rate, terms.whole_shares, plan.band),
        (plan.overnight, bool(plan.overnight.any()), terms.fill == "close"),
        (happens, ratios, dividends),
    )


def run_kernel(plan: Plan) -> Books:
    """The books of a plan, by the kernel as plain Python (some 10 ms for 25 years of four tickers)."""
    sessions, tickers = len(plan.sessions), len(plan.tickers)
    equity, cash, fills = np.empty(sessions), np.empty(sessions), np.empty((sessions * tickers, 5))
    totals = [0.0] * EXPOSURES
    state = [[0.0] * tickers for _ in range(STATES)]
    out: tuple[Any, ...] = ([], state, memoryview(equity), memoryview(cash), fills, totals)  # type: ignore[arg-type]
    simulate(*(in_lists(group) for group in inputs_of(plan)), *out)
    return books_of(plan, equity, cash, Fills.of(fills[: int(totals[TRADES])]))


def in_lists(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arrays as lists, on which uncompiled code is several times faster."""
    return tuple(each.tolist() if isinstance(each, np.ndarray) else each for each in values)


def run_compiled(plan: Plan) -> Books:
    """The books of a plan by the compiled kernel; equal to those of `run_kernel` to the last bit."""
    sessions, tickers = len(plan.sessions), len(plan.tickers)
    equity, cash, fills = np.empty(sessions), np.empty(sessions), np.empty((sessions * tickers, 5))
    totals = compiled_books(plan, equity, cash, fills)
    return books_of(plan, equity, cash, Fills.of(fills[: int(totals[TRADES])]))


def compiled_books(plan: Plan, equity: Floats, cash: Floats, fills: Floats) -> Floats:
    """Fill these by the compiled kernel (cash and fills unless they are empty); returns the totals."""
    totals = np.zeros(EXPOSURES)
    tickers = len(plan.tickers)
    baskets = np.zeros((0, tickers), dtype=np.bool_)
    _compiled_simulate()(*inputs_of(plan), baskets, np.empty((STATES, tickers)), equity, cash, fills, totals)
    return totals


NO_CHECKS: Literal["numpy"] = "numpy"
"""A division by zero gives inf or NaN: to ask before each one keeps loops from running several sessions wide."""

ARITHMETIC: tuple[Callable[..., Any], ...] = (
    sizing.affordable,
    sizing.value_net_of_costs,
    sizing.trade_sizes,
    sizing.has_drifted,
    stretches_between,
    value_stretch,
    add_exposures,
    book,
    fill_all,
    split_and_pay,
    next_other,
    first_drift,
    average_exposures,
    simulate,
)


@cache
def let_compiled_code_call_the_kernel() -> None:
    """No fastmath: a fused multiply-add, or sums in another order, would cost the last bit."""
    from numba.extending import register_jitable

    # Inlined into another inlined function more than once, numba 0.68 loses its variables: left to LLVM.
    register_jitable(forceinline=True, error_model=NO_CHECKS)(sizing.worth_of)
    for function in ARITHMETIC:
        register_jitable(inline="always", error_model=NO_CHECKS)(function)


def machine_code(function: Any, *modules: str) -> Any:
    """A function compiled by numba on first use (a few seconds), then kept on disk; it lets go of the interpreter.

    Where neither the folder of this file nor the user's own can be written to, it is kept in memory alone.
    Numba's cache notices a change of the function's own file alone; the name under which it is kept tells that of the
    accounting and of the `modules` whose functions it calls.
    """
    from numba import njit

    files = [str(sys.modules[name].__file__) for name in (__name__, sizing.__name__, *modules)]
    named = FunctionType(function.__code__, function.__globals__)
    named.__qualname__ = f"{function.__name__}_{sha256(b''.join(Path(f).read_bytes() for f in files)).hexdigest()[:12]}"
    try:
        return njit(cache=True, nogil=True, error_model=NO_CHECKS)(named)
    except RuntimeError:  # numba's "cannot cache function: no locator available"
        return njit(nogil=True, error_model=NO_CHECKS)(named)


def is_kept(compiled: Any) -> bool:
    """Does the machine code of a function from `machine_code` stand on disk already? Else its first use compiles it."""
    folder = compiled.stats.cache_path
    return bool(folder) and any(Path(folder).glob(f"*{compiled.py_func.__qualname__}*.nbi"))


@cache
def _compiled_simulate() -> Any:
    let_compiled_code_call_the_kernel()
    return machine_code(simulate)
