"""Prose: the sentences at the top of the page. Result first, then the fair comparison, then the price of it.

No adjective that a number does not carry; every number is one of the metrics at its printed digits. The caveats, what a
reader must know before relying on a run, stand also in `metrics.json` and in the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backtest.account.benchmarks import benchmark_label, benchmark_name
from backtest.account.plan import same_close
from backtest.metrics import NO_BENCHMARK, metric_of
from backtest.pages.alternatives import Alternative, split
from backtest.pages.figures import evidence_rows, late_series
from backtest.pages.legs import leg_looks
from backtest.pages.periods import Fall, cut_before_start, cuts_of, follows_cuts
from backtest.pages.rebalances import (
    HoldingPeriod,
    Rebalance,
    account_of,
    all_cash,
    holding_periods_of,
    rebalances_of,
)
from backtest.pages.shell import PrintedFigure, Tile
from backtest.result import Figures, Result
from backtest.study.search import cycle_starts
from backtest.text import (
    capital,
    count,
    day,
    duration,
    listed,
    month,
    number,
    percent,
    plural,
    points,
    title_of,
    usd,
    usd_words,
)

LONGEST_NOTE = 400
"""Letters of the note of a box, which is shown on hover."""

SHOWN_LEGS = 3
"""Legs on the first screen; the table of what could have been held instead has all."""

SHOWN_BENCHMARKS = 3
"""Benchmarks beside the strategy on the first screen and in the calendar years; the full table has all."""

SHORT_SESSIONS = 5
WHIPSAW_SHARE = 0.2
"""A warning is due when so large a part of all positions was given up within a week."""

FEW_CYCLES = 10


def headline(result: Result) -> str:
    """The run in one sentence, its comparison with the first benchmark and, if need be, its caveat included."""
    start, final = usd_words(float(result.books.equity[0])), usd_words(float(result.books.equity[-1]))
    name = title_of(result.config.name)
    subject = f"On simulated prices, {name}" if result.market.is_simulated else capital(name)
    if not len(result.books.fills.row):
        return f"{subject} never traded: {start} {'stayed' if start == final else 'became'} {final}."
    growth, unit = _growth(result.metrics)
    told = f"{percent(growth)}{unit}" if unit else f"{percent(growth)} in {plural(len(result.sessions) - 1, 'session')}"
    return f"{subject} turned {start} into {final}: {told}{_against_first(result)}."


def lede(result: Result, worst: Fall | None) -> str:
    """What follows the rule: the worst fall and the price of trading."""
    per_year = result.market.periods_per_year
    days = result.sessions.to_numpy()
    if worst is None:
        fall = "It never closed below an earlier close."
    else:
        back = f"regained after {duration(worst.sessions, per_year)}" if worst.back is not None else "not yet regained"
        between = f"from {month(days[worst.peak])} to {month(days[worst.trough])}"
        fall = f"The worst fall was {percent(worst.depth, 0)}, {between}, {back}."
    trades = int(result.metrics["rebalances"] or 0)
    if not trades:
        return fall
    years = (days[-1] - days[0]).astype("timedelta64[D]").astype(int) / 365.25
    pace = f", {number(trades / years, 1)} times a year," if years >= 1 else ""
    costs = usd(result.metrics["costs_usd"])
    traded = f"It traded on {count(trades)} of {plural(len(days) - 1, 'session')}"
    return f"{fall} {traded}{pace} and paid {costs} in trading costs."


def tiles(
    result: Result, rebalances: Sequence[Rebalance], alternatives: Sequence[Alternative], luck: Tile | None = None
) -> list[list[Tile]]:
    """Two lines of boxes: the legs alone, the average mix, skill or luck; the benchmarks, what is held now.

    luck: as `search_tile` says it. Of many legs the best ones are shown, the average mix always.
    """
    legs, mix = split(alternatives)
    best = sorted(legs, key=lambda leg: -leg.growth)[:SHOWN_LEGS]
    names = list(result.benchmarks)[:SHOWN_BENCHMARKS]
    held = [(leg.name, leg.growth) for leg in [*(leg for leg in legs if leg in best), *([mix] if mix else [])]]
    first = [_against(result, name, growth) for name, growth in held]
    second = [
        _against(result, benchmark_label(name), _growth(result.benchmark_metrics[name])[0], name) for name in names
    ]
    return [[*first, *([luck] if luck else [])], [*second, _now(result, rebalances)]]


def _against(result: Result, name: str, growth: float, benchmark: str | None = None) -> Tile:
    """What the strategy made beyond something that was held instead."""
    own, unit = _growth(result.metrics)
    mood = "" if _prints_as_zero(own - growth) else "ahead" if own > growth else "behind"
    note = f"{percent(own)} against {percent(growth)}"
    key = "cagr" if unit else "total_return"
    places = [("metrics.json", "strategy", key), ("metrics.json", "benchmarks", benchmark or "", key)]
    told = points(own - growth)
    value = told if benchmark is None else PrintedFigure(told, *places, times=100)
    return Tile(f"vs {name}", value, f"points{unit}", note, mood)


def _growth(figures: Figures) -> tuple[float, str]:
    """Return a year, or over a test shorter than one year the total return; and how its unit ends."""
    cagr = figures["cagr"]
    if cagr is not None:
        return float(cagr), " a year"
    total = figures["total_return"]
    assert total is not None, "the total return is always defined"
    return float(total), ""


def _against_first(result: Result) -> str:
    first = next(iter(result.benchmarks), None)
    if first is None:
        return ""
    difference = _growth(result.metrics)[0] - _growth(result.benchmark_metrics[first])[0]
    label = benchmark_label(first)
    if _prints_as_zero(difference):
        return f", the same as {label}"
    return f", {points(abs(difference), sign='')} points {'more' if difference > 0 else 'less'} than {label}"


def _prints_as_zero(difference: float) -> bool:
    return points(difference) == points(0.0)


def _now(result: Result, rebalances: Sequence[Rebalance]) -> Tile:
    """What is held at the last close, and why; where each series would turn stands in the section of reasons."""
    holding = rebalances[-1].holding if rebalances else all_cash(leg_looks(result.legs))
    last = np.datetime64(result.sessions[-1], "D")
    why = now_because(result)
    note = why if len(why) <= LONGEST_NOTE else why[:LONGEST_NOTE].rsplit(" ", 1)[0].rstrip(",;") + " …"
    due = "a trade is due" if result.pending else ""
    return Tile(f"At the last close, {day(last)}", f"Holds {holding.label}", due, note, holding.tone, is_wide=True)


def now_because(result: Result) -> str:
    """The trade that is due, or the evidence for what is held, and where each series would turn."""
    why = result.pending or result.decision.why(len(result.market.sessions) - 1, result.legs)
    return " ".join([why.rstrip(".") + ".", *_turning_points(result)])


def _turning_points(result: Result) -> Iterator[str]:
    """Where each series would turn, when that is not plainly zero: a latched signal may hold against its own sign."""
    for evidence, row in zip(result.decision.evidence, evidence_rows(result), strict=True):
        if any(evidence.thresholds):
            yield f"{row.label}: turns at {row.turns_at}."


def caveats(result: Result) -> list[str]:
    """Warnings in plain sentences: for which years there is evidence, then those of the data and of the test."""
    account = account_of(result)
    return caveats_of(result, holding_periods_of(result, account, rebalances_of(result, account)))


def caveats_of(result: Result, periods: Sequence[HoldingPeriod]) -> list[str]:
    """The same, for a caller that has the holding periods already."""
    return [
        *_late(result),
        *result.market.notes,
        *_ruined(result),
        *_same_close(result),
        *_bought_nothing(result),
        *_trade_due(result),
        *_not_known(result),
        *_raw(result),
        *_beaten(result),
        *_whipsaws(periods),
        *_easing(result),
        *_no_rate(result),
        *_lacks_base(result),
        *_undefined(result),
    ]


def _late(result: Result) -> Iterator[str]:
    """A line for each series of the evidence that is not known for the whole test."""
    days = result.sessions.to_numpy()
    whole = number(_years(days[0], days[-1]), 1)
    for each in late_series(result):
        if each.last < each.first:
            yield f"{each.label}: never known in these {whole} years, so the test says nothing of it."
        else:
            until = f" to {day(days[each.last])}" if each.last < len(days) - 1 else ""
            span = number(_years(days[each.first], days[each.last]), 1)
            yield f"{each.label}: known from {day(days[each.first])}{until}, {span} of the {whole} years."


def known_for(result: Result) -> str:
    """For how much of the test its evidence is known, where that is clearly not all of it; else empty."""
    days, rows = result.sessions.to_numpy(), result.decision.evidence_rows(result.begin)
    if rows is None:
        return ""
    span = _years(days[rows.start], days[rows.stop - 1]) if rows.stop > rows.start else 0.0
    what = "its signal is" if len(result.decision.evidence) == 1 else "all its signals are"
    return f"{what} known for {number(span, 1)} of {number(_years(days[0], days[-1]), 1)} years"


def _years(first: np.datetime64, last: np.datetime64) -> float:
    return float((last - first) / np.timedelta64(1, "D")) / 365.25


def _ruined(result: Result) -> Iterator[str]:
    row = result.books.ruined_row
    if row is not None:
        day = f"{result.sessions[row]:%Y-%m-%d}"
        yield f"Ruined on {day}: less than a millionth of the starting cash was left, and nothing was traded any more."


def _same_close(result: Result) -> Iterator[str]:
    if result.plan.terms.delay_sessions == 0:
        yield same_close()


def _bought_nothing(result: Result) -> Iterator[str]:
    """Of whole shares: what was wanted and could not be afforded, so that cash was held in its place."""
    books, plan = result.books, result.plan
    bought = set(books.fills.ticker[books.fills.size > 0.0].tolist())
    wanted = plan.targets.max(axis=0) > 0.0
    missed = [ticker for column, ticker in enumerate(books.tickers) if wanted[column] and column not in bought]
    if plan.terms.whole_shares and not result.decision.is_observed and missed:
        cash = percent(float((books.cash[1:] / books.equity[1:]).mean()), 0)
        yield f"Not one whole share of {listed(missed)} could be bought: {cash} of the account was cash on average."
    names = map(benchmark_name, result.config.benchmarks)
    if unaffordable := [benchmark_label(name) for name in names if name not in result.benchmarks]:
        yield f"Not one whole share of {listed(unaffordable)} could be bought: nothing is compared with it."


def _trade_due(result: Result) -> Iterator[str]:
    if result.pending:
        yield result.pending.rstrip(".") + "."


def _not_known(result: Result) -> Iterator[str]:
    """Sessions on which the rule did not decide, so that the initial holding stood in for it."""
    if result.decision.is_observed:
        return
    unknown = int((~result.decision.is_known[result.begin :]).sum())
    if unknown:
        of = "all" if unknown == len(result.sessions) else f"{count(unknown)} of"
        held = result.config.strategy.initial
        total = f"{of} {count(len(result.sessions))} sessions"
        yield f"On {total} the signal was unknown or had not spoken yet: {held} was held."


def _raw(result: Result) -> Iterator[str]:
    """What raw accounting does to a comparison with something that is never traded."""
    if result.config.execution.accounting == "raw":
        yield (
            "Dividends are paid into cash and wait there for the next trade: a benchmark that is only held never "
            "reinvests them, the strategy does at each change. Total-return accounting may rank them otherwise."
        )


def _beaten(result: Result) -> Iterator[str]:
    """The plain alternative that ended highest, if it ended above the strategy."""
    own = float(result.books.equity[-1])
    finals = {name: float(books.equity[-1]) for name, books in result.benchmarks.items()}
    if not finals:
        if not result.config.benchmarks:
            yield "No benchmark was given: nothing here says whether the rule was worth its effort."
        return
    best = max(finals, key=lambda name: finals[name])
    if finals[best] > own:
        label = benchmark_label(best)
        idle = f"Holding a {label}, rebalanced monthly," if label != best else f"Holding {label} and doing nothing"
        yield f"{idle} would have ended higher, by {usd(finals[best] - own)}."


def _whipsaws(periods: Sequence[HoldingPeriod]) -> Iterator[str]:
    if not periods:
        yield "It never traded."
        return
    changes = [each for each in periods if each.rebalance.is_change]
    closed = [each for each in changes if not each.is_open]
    short = sum(each.sessions <= SHORT_SESSIONS for each in closed) if len(changes) > 1 else 0
    if short and short >= WHIPSAW_SHARE * len(closed):
        yield (
            f"{count(short)} of {plural(len(changes), 'position')} lasted five sessions or fewer: "
            "it whipsaws while its signal is near the line."
        )


def _easing(result: Result) -> Iterator[str]:
    if not follows_cuts(result):
        return
    if (before := cut_before_start(result)) is not None:
        yield f"The test begins inside an easing cycle: the cut of {day(before)} counts."
    cuts = cuts_of(result)
    cycles = len(cycle_starts(result.market, result.sessions))
    if not cuts:
        yield "There was no rate cut within the test."
    elif cycles < FEW_CYCLES:
        began = plural(cycles, "easing cycle")
        yield f"{plural(len(cuts), 'cut')}, but only {began} began in the test: few independent bets."


def _no_rate(result: Result) -> Iterator[str]:
    if result.market.tbill is None:
        yield "No T-bill rate was given: Sharpe and Sortino ratios, alpha and beta take it as zero."


def _lacks_base(result: Result) -> Iterator[str]:
    """A year that is not whole because the test begins one session too late: its base is the last close before it."""
    first, last = result.sessions[0], result.sessions[-1]
    before = result.market.exchange_sessions[result.market.exchange_sessions < first]
    is_missed = (
        len(before) > 0 and before[-1].year < first.year and (last.year, last.month, last.day) >= (first.year, 12, 29)
    )
    if result.metrics["best_year"] is None and is_missed:
        yield f"With data.start: {before[-1]:%Y-%m-%d}, the last close before it, {first.year} would be a whole year."


def _undefined(result: Result) -> Iterator[str]:
    """One sentence per reason; that there is no benchmark has been said."""
    by_reason: dict[str, list[str]] = {}
    for key, reason in result.undefined.items():
        if result.benchmarks or reason != NO_BENCHMARK:
            label = metric_of(key).label
            by_reason.setdefault(reason, []).append(label[0].lower() + label[1:])
    for reason, keys in by_reason.items():
        yield f"Not defined: {listed(keys)} ({reason})."
