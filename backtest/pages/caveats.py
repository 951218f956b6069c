"""Caveats: what a reader must know before relying on a run. The same list stands on the page's first screen, in
`metrics.json` and in the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backtest.account.benchmarks import benchmark_label
from backtest.metrics import NO_BENCHMARK, metric_of
from backtest.pages.cuts import cut_before_start, cuts_of, cycles_of, follows_cuts
from backtest.pages.moves import Spell, account_of, moves_of, spells_of
from backtest.result import Result
from backtest.text import count, day, listed, plural, usd

SHORT_SPELL_SESSIONS = 5
WHIPSAW_SHARE = 0.2
"""A warning is due when so large a part of all positions was given up within a week."""

FEW_CYCLES = 10


def caveats(result: Result) -> list[str]:
    """Warnings in plain sentences: those of the data first, then those of the test."""
    account = account_of(result)
    spells = spells_of(result, account, moves_of(result, account))
    return caveats_of(result, spells)


def caveats_of(result: Result, spells: Sequence[Spell]) -> list[str]:
    """The same, for a caller that has the spells already."""
    return [
        *result.market.notes,
        *_trade_due(result),
        *_not_known(result),
        *_raw(result),
        *_beaten(result),
        *_whipsaws(spells),
        *_easing(result),
        *_no_rate(result),
        *_undefined(result),
    ]


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
        yield "No benchmark was given: nothing here says whether the rule was worth its effort."
        return
    best = max(finals, key=lambda name: finals[name])
    if finals[best] > own:
        label = benchmark_label(best)
        idle = f"Holding a {label}, rebalanced monthly," if label != best else f"Holding {label} and doing nothing"
        yield f"{idle} would have ended higher, by {usd(finals[best] - own)}."


def _whipsaws(spells: Sequence[Spell]) -> Iterator[str]:
    if not spells:
        yield "It never traded."
        return
    closed = [spell for spell in spells if not spell.is_open and spell.move.is_change]
    short = sum(spell.sessions <= SHORT_SPELL_SESSIONS for spell in closed)
    if short and short >= WHIPSAW_SHARE * len(closed):
        yield (
            f"{count(short)} of {plural(len(spells), 'position')} lasted five sessions or fewer: "
            "it whipsaws while its signal is near the line."
        )


def _easing(result: Result) -> Iterator[str]:
    if not follows_cuts(result):
        return
    if (before := cut_before_start(result)) is not None:
        yield f"The test begins inside an easing cycle: the cut of {day(before)} counts."
    cuts = cuts_of(result)
    cycles = len(cycles_of(cuts, result.sessions))
    if not cuts:
        yield "There was no rate cut within the test."
    elif cycles < FEW_CYCLES:
        yield f"{plural(len(cuts), 'cut')}, but only {plural(cycles, 'easing cycle')}: few independent bets."


def _no_rate(result: Result) -> Iterator[str]:
    if result.market.tbill is None:
        yield "No T-bill rate was given: Sharpe and Sortino ratios, alpha and beta take it as zero."


def _undefined(result: Result) -> Iterator[str]:
    """One sentence per reason; that there is no benchmark has been said."""
    by_reason: dict[str, list[str]] = {}
    for key, reason in result.undefined.items():
        if result.benchmarks or reason != NO_BENCHMARK:
            label = metric_of(key).label
            by_reason.setdefault(reason, []).append(label[0].lower() + label[1:])
    for reason, keys in by_reason.items():
        yield f"Not defined: {listed(keys)} ({reason})."
