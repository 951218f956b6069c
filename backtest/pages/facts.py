"""Facts: what the template of the page prints, by name. Every number of every table is settled here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtest.account.benchmarks import benchmark_label
from backtest.market import Floats
from backtest.metrics import calendar_of
from backtest.pages.caveats import caveats_of
from backtest.pages.costs import costs_of, own_bps
from backtest.pages.evidence import evidence_rows
from backtest.pages.falls import worst_falls
from backtest.pages.figures import figure_rows
from backtest.pages.moves import Move, Spell
from backtest.pages.payload import tone_of
from backtest.pages.periods import Days, heat_rows, year_rows
from backtest.pages.prose import SHOWN_BENCHMARKS, headline, lede, verdicts
from backtest.result import Result

MOST_LISTED = 1500
"""Rows of the table of trades: all of them in any sane test, and below 7 MB in any other."""


def facts_of(result: Result, moves: Sequence[Move], spells: Sequence[Spell]) -> dict[str, Any]:
    """All of them, top to bottom."""
    days = result.sessions.to_numpy().astype("datetime64[D]")
    return {
        "days": days,
        **_first_screen(result, moves, days),
        **_comparison(result, days),
        **_trades(spells),
        "warnings": caveats_of(result, spells),
        "evidence": evidence_rows(result),
        "rebalances": len(moves),
        "all_figures": figure_rows(result, in_key=False),
        **_costs(result, moves, days),
        **_origin(result),
    }


def _first_screen(result: Result, moves: Sequence[Move], days: Days) -> dict[str, Any]:
    first = next(iter(result.benchmarks), None)
    benchmark = result.benchmarks[first].equity if first else None
    falls = worst_falls(result.books.equity, small_of_account(result), benchmark)
    return {
        "title": result.config.name,
        "is_simulated": result.market.is_simulated,
        "period": (days[0], days[-1]),
        "cash": float(result.books.equity[0]),
        "headline": headline(result).replace(" million", "\N{NO-BREAK SPACE}million"),
        "rule": result.rule,
        "lede": lede(result, falls[0] if falls else None),
        "verdicts": verdicts(result, moves),
        "key_figures": figure_rows(result, in_key=True, most=SHOWN_BENCHMARKS),
        "terms": result.plan.terms,
        "is_raw": result.config.execution.accounting == "raw",
        "cost_bps": own_bps(result),
        "falls": falls,
    }


def _comparison(result: Result, days: Days) -> dict[str, Any]:
    """Against the benchmarks, by year; and the months."""
    names = list(result.benchmarks)
    market, curve = result.market, result.books.equity
    calendar = calendar_of(days, periods_per_year=market.periods_per_year, exchange_sessions=market.exchange_sessions)
    curves = {"": curve, **{name: result.benchmarks[name].equity for name in names[:SHOWN_BENCHMARKS]}}
    return {
        "first": benchmark_label(names[0]) if names else None,
        "names": ["Strategy", *map(benchmark_label, names)],
        "tones": ["ink", *(tone_of(result, name) for name in names)],
        "shown": SHOWN_BENCHMARKS + 1,
        "has_mix": any(benchmark_label(name) != name for name in names),
        "has_rolling": bool(names) and len(days) > market.periods_per_year,
        "year_sessions": market.periods_per_year,
        "heat": heat_rows(curve, days, calendar),
        "years": year_rows(curves, days, calendar),
    }


def _trades(spells: Sequence[Spell]) -> dict[str, Any]:
    """The newest moves, and how many of those into small paid."""
    tones = list(dict.fromkeys(spell.move.holding.tone for spell in spells))
    into_small = [spell for spell in spells if spell.move.is_change and spell.move.holding.tone == "small"]
    outcomes = [spell.gained for spell in into_small if spell.gained is not None]
    return {
        "spells": spells[::-1][:MOST_LISTED],
        "spell_count": len(spells),
        "tones_held": tones,
        "has_sides": len(tones) > 1,
        "is_all_changes": all(spell.move.is_change for spell in spells),
        "into_small": len(outcomes),
        "paid_off": sum(gained > 0 for gained in outcomes),
    }


def _costs(result: Result, moves: Sequence[Move], days: Days) -> dict[str, Any]:
    calendar = calendar_of(days)
    return {
        "costs": costs_of(result, moves, calendar),
        "is_one_year": calendar.is_one_year,
        "exposure": result.metrics["exposure_small"],
        "turnover": result.metrics["turnover_annual"],
    }


def _origin(result: Result) -> dict[str, Any]:
    """Where the data are from; no place on this machine, so that the page is the same on another one."""
    from backtest.config import dump_yaml, resolved

    config = resolved(result.config)
    if "folder" in config["data"]["prices"]:
        config["data"]["prices"]["folder"] = "as in config.yaml"
    return {
        "sources": result.market.sources,
        "notes": result.market.notes,
        "tbill": None if result.market.tbill is None else result.market.tbill_name,
        "config": dump_yaml(config),
    }


def small_of_account(result: Result) -> Floats:
    """Share of the whole account in the small leg at each close, shape (sessions,)."""
    books = result.books
    return np.asarray(np.nan_to_num(result.small_share) * (1 - books.cash / books.equity), dtype=np.float64)
