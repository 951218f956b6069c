"""Does the null of the search keep its promises? Simulated markets without skill, with exposure only, with an edge.

    python benchmarks/calibration.py [--markets 200] [--rows null,exposure,...] [--seed 1]

Each market is a lead (small minus growth) of Student's t(5) returns whose volatility clusters, without any memory of
its sign: 12.5 % a year, no drift unless a row says so. Rules hold small or growth; fills at the next close, no costs.
The rates are those of `backtest.statistics`: the winner of the search, shown alone with everything that was tried
known. A limit l passes when the rate is at most l + 1.64 sqrt(l (1 - l) / n), a floor likewise below.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import kstest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also from a clone that is not installed

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.config import Config, config_from_text, study_from_text
from backtest.data.calendar import exchange_sessions
from backtest.data.policy import load_policy_decisions, with_known_sessions
from backtest.decision import Decision
from backtest.market import Legs, Market
from backtest.pipeline import run
from backtest.statistics.findings import Finding, findings
from backtest.statistics.search import HISTORIES, active_sessions, add_up
from backtest.study.compare import compare
from backtest.study.findings import findings_of
from backtest.study.search import Search as Known
from backtest.study.search import search, shown_run
from backtest.study.sweep import sweep
from strategies.relative_momentum import RelativeMomentum

Array = NDArray[np.float64]
Rates = dict[str, float]
Row = Callable[[int, int], Rates]

YEAR = 252
LEAD_VOLATILITY_ANNUAL = 0.125
REGIME_SESSIONS = 252
PLATEAU = range(30, 75, 4)
"""Lookbacks of twelve neighbours that see regimes of a year on average."""

FIRST_POSITION = 2903
"""Of a market's first session in the exchange's calendar; 2001-07-31 counted from 1990-01-02."""


def clustering(rng: np.random.Generator, sessions: int) -> Array:
    """A slowly moving volatility around 1: log-autoregressive, half-life two months."""
    level, log_volatility = 0.0, np.empty(sessions)
    for t, shock in enumerate(rng.standard_normal(sessions)):
        level = 0.984 * level + 0.06 * shock
        log_volatility[t] = level
    return np.asarray(np.exp(log_volatility - log_volatility.var()))


def lead_of(rng: np.random.Generator, years: int, drift_annual: float = 0.0, edge_annual: float = 0.0) -> Array:
    """Daily returns of small minus growth; edge: drift a year, whose sign changes with each regime.

    The first regime's sign is drawn, and how long each lasts: it ends on any session with the same chance, after
    REGIME_SESSIONS on average. Regimes by the clock would be easier or harder for a given lookback.
    """
    sessions = years * YEAR
    shocks = rng.standard_t(5, sessions) / math.sqrt(5 / 3) * clustering(rng, sessions)
    sign = 1.0 if rng.integers(2 * REGIME_SESSIONS) < REGIME_SESSIONS else -1.0
    drift = np.full(sessions, drift_annual)
    if edge_annual:
        drift += edge_annual * sign * np.where(np.cumsum(rng.random(sessions) < 1 / REGIME_SESSIONS) % 2, 1.0, -1.0)
    return shocks * (LEAD_VOLATILITY_ANNUAL / math.sqrt(YEAR)) + drift / YEAR


def momentum(lead: Array, lookbacks: Array, thresholds: Array, periods: Array) -> Array:
    """Shares of small (sessions x rules), 0 or 1, in force each session: decided two closes before, filled at the next.

    periods: look every so many sessions. Between minus and plus threshold the holding stays; it begins at growth.
    """
    total = np.append(0.0, np.cumsum(lead))
    decided = np.arange(1, len(lead) - 1)[:, None]  # closes up to here are known to session t = decided + 1
    whole = lookbacks.astype(np.intp)
    change = total[decided] - total[np.maximum(decided - whole, 0)]
    looks = (decided >= whole) & (decided % periods == 0) & (np.abs(change) > thresholds)
    last = np.maximum.accumulate(np.where(looks, decided - 1, -1), axis=0)  # row of the last look that told anything
    held = np.zeros((len(lead), len(lookbacks)))
    held[2:] = (last >= 0) & (np.take_along_axis(change, np.maximum(last, 0), axis=0) > 0)
    return held


def momentum_grid(lead: Array, rules: int) -> Array:
    """Fifty lookbacks of 5 to 250 and as many thresholds as it takes."""
    lookbacks = np.arange(5, 255, 5.0)
    thresholds = np.linspace(0.0, 0.1, max(1, rules // 50), endpoint=False)
    grid = np.array([(a, b) for a in lookbacks for b in thresholds])[:rules]
    return momentum(lead, grid[:, 0], grid[:, 1], np.ones(len(grid)))


def calendars(rng: np.random.Generator, sessions: int, rules: int) -> Array:
    """Random on and off: stays of 5 to 250 sessions on average, in small for a third to two thirds of the time."""
    held = np.empty((sessions, rules))
    for j in range(rules):
        stay, share = math.exp(rng.uniform(math.log(5), math.log(250))), rng.uniform(1 / 3, 2 / 3)
        on = np.maximum(1, rng.exponential(2 * stay * share, 4 + 2 * sessions // 5))
        off = np.maximum(1, rng.exponential(2 * stay * (1 - share), len(on)))
        edges = np.cumsum(np.column_stack([on, off]).ravel())
        held[:, j] = np.searchsorted(edges, np.arange(sessions) + rng.uniform(0, 2 * stay), side="right") % 2 == 0
    return held


def mixed_rules(_: np.random.Generator, lead: Array) -> Array:
    """Six lookbacks looked at daily, four weekly or monthly, two with a threshold."""
    lookbacks = np.array([21, 42, 63, 84, 126, 252, 42, 84, 63, 126, 42, 63.0])
    thresholds = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.03, 0.03])
    periods = np.array([1, 1, 1, 1, 1, 1, 5, 5, 21, 21, 1, 1])
    return momentum(lead, lookbacks, thresholds, periods)


def partly_blind_rules(rng: np.random.Generator, lead: Array) -> Array:
    """Ten of the mixed rules and two calendars that know nothing."""
    return np.column_stack([mixed_rules(rng, lead)[:, :10], calendars(rng, len(lead), 2)])


class Search:
    """Everything that was tried on one market, and what is said of one of its curves."""

    def __init__(self, held: Array, lead: Array, histories: int) -> None:
        self.ahead = held * lead[:, None]
        self.timing = (held - held.mean(axis=0)) * lead[:, None]
        positions = FIRST_POSITION + np.arange(len(lead))
        self.tried_ahead, self.tried_timing = add_up(self.ahead, positions), add_up(self.timing, positions)
        self.histories = histories

    @property
    def best(self) -> int:
        """The winner by active Sharpe ratio."""
        spread = self.ahead.std(axis=0)
        return int((self.ahead.mean(axis=0) / np.where(spread > 0, spread, np.inf)).argmax())

    def finding(self, i: int, others: Search | None = None) -> Finding:
        """What is said of one curve shown alone, when all of these are known and those of another search."""
        one, known = np.array([i]), [each for each in (self, others) if each]
        return findings(
            self.tried_ahead.take(one),
            self.tried_timing.take(one),
            active_sessions(self.ahead[:, one]),
            YEAR,
            [each.tried_ahead for each in known],
            [each.tried_timing for each in known],
            histories=self.histories,
        )[0]

    def rates(self) -> Rates:
        """Whether the winner is called anything."""
        best = self.best
        spread = max(float(self.ahead[:, best].std()), 1e-12)
        return said(self.finding(best)) | {"ratio": float(self.ahead[:, best].mean()) / spread * YEAR**0.5}


def said(found: Finding) -> Rates:
    """What a finding says, as rates."""
    assert found.ahead is not None
    return {
        "suggestive or better": found.level in ("suggestive", "holds"),
        "holds": found.level == "holds",
        "timing p < .05": found.timing.p < 0.05,
        "ahead p < .05": found.ahead.p < 0.05,
        "by exposure": found.level == "ahead_by_exposure",
    }


def searched(held_of: Callable[[np.random.Generator, Array], Array], years: int, **market: float) -> Row:
    """A row: one search on each market, the winner judged."""

    def one(seed: int, histories: int) -> Rates:
        rng = np.random.default_rng(seed)
        lead = lead_of(rng, years, **market)
        return Search(held_of(rng, lead), lead, histories).rates()

    return one


def single(i: int, edge: float) -> Row:
    """One skilled rule and an empty ledger, beside the studentised stationary bootstrap of the same hypothesis."""

    def one(seed: int, histories: int) -> Rates:
        rng = np.random.default_rng(seed)
        lead = lead_of(rng, 24, edge_annual=edge)
        search = Search(momentum(lead, np.array([float(i)]), np.zeros(1), np.ones(1)), lead, histories)
        rates = search.rates()
        for name, x in (("ahead", search.ahead), ("timing", search.timing)):
            other = bootstrap_p(x[:, 0], seed, histories) < 0.05
            rates |= {f"{name} p < .05, bootstrap": other, f"{name}, more often": rates[f"{name} p < .05"] - other}
        return rates

    return one


def covered(lookback: int, edge: float) -> Row:
    """Does the interval of one rule's active Sharpe ratio hold what the rule has in the long run?"""

    def held(lead: Array) -> Array:
        return momentum(lead, np.array([float(lookback)]), np.zeros(1), np.ones(1))

    @cache
    def long_run() -> float:
        lead = lead_of(np.random.default_rng(99), 3000, edge_annual=edge)
        active = held(lead)[:, 0] * lead
        return float(active.mean() / active.std() * YEAR**0.5)

    def one(seed: int, histories: int) -> Rates:
        lead = lead_of(np.random.default_rng(seed), 24, edge_annual=edge)
        test = Search(held(lead), lead, histories).finding(0).ahead
        assert test is not None
        return {
            "lower end below it": test.interval[0] <= long_run(),
            "upper end above it": test.interval[1] >= long_run(),
        }

    return one


def bootstrap_p(x: Array, seed: int, histories: int) -> float:
    """One-sided p of a positive mean by the studentised stationary bootstrap, mean block of 20 sessions."""
    from backtest.statistics.bootstrap import resampled_moments, stationary_counts

    counts = stationary_counts(len(x), histories, 20.0, seed)
    mean, spread = resampled_moments(counts, x[:, None])
    if x.std() == 0:
        return 1.0
    null = (mean[:, 0] - x.mean()) / np.maximum(spread[:, 0], 1e-300)
    return float((1 + (null >= x.mean() / x.std(ddof=1)).sum()) / (1 + histories))


def shown_on_all(part: float) -> Row:
    """Searched on the first part of the period, the winner shown on all of it."""

    def one(seed: int, histories: int) -> Rates:
        rng = np.random.default_rng(seed)
        lead = lead_of(rng, 10)
        held = momentum_grid(lead, 1000) if seed % 2 else calendars(rng, len(lead), 1000)
        cut = round(part * len(lead))
        before = Search(held[:cut], lead[:cut], histories)
        return said(Search(held[:, [before.best]], lead, histories).finding(0, before))

    return one


def stretches(count: int, longest: int) -> Row:
    """One curve that is active in so many separate stretches of 1 to 21 sessions (1: one day each), without skill."""

    def one(seed: int, histories: int) -> Rates:
        rng = np.random.default_rng(seed)
        lead = lead_of(rng, 10)
        held = np.zeros((len(lead), 1))
        places = rng.choice(len(lead) // 45, count, replace=False) * 45
        for place in places:
            begin = place + int(rng.integers(20))
            held[begin : begin + int(rng.integers(1, longest + 1))] = 1.0
        search = Search(held, lead, histories)
        found = search.finding(0)
        assert found.ahead is not None
        return {
            "ahead p < .05": found.ahead.p < 0.05,
            "bets": found.bets,
            "too few bets": found.level == "too_few_bets",
        }

    return one


def crashes(seed: int, histories: int) -> Rates:
    """Twelve calendars on a lead that rises a little and crashes on one day in two hundred."""
    rng = np.random.default_rng(seed)
    lead = lead_of(rng, 10)
    falls = rng.random(len(lead)) < 1 / 200
    lead = lead - 0.06 * (falls - 1 / 200)
    return Search(calendars(rng, len(lead), 12), lead, histories).rates()


def given_calendar(seed: int, histories: int) -> Rates:
    """One random calendar, given in advance: its timing p should be uniform."""
    rng = np.random.default_rng(seed)
    lead = lead_of(rng, 10)
    found = Search(calendars(rng, len(lead), 1), lead, histories).finding(0)
    return said(found) | {"timing p": found.timing.p}


def given_momentum(seed: int, histories: int) -> Rates:
    """One momentum rule, given in advance: its own mix is known afterwards alone, which makes its p too large."""
    rng = np.random.default_rng(seed)
    lead = lead_of(rng, 10)
    return Search(
        momentum(lead, rng.integers(5, 251, 1).astype(float), np.zeros(1), np.ones(1)), lead, histories
    ).rates()


def capped(limit: int) -> Row:
    """A family too large to be used whole: 1,000 calendars of which `limit` are drawn, beside all of them."""

    def one(seed: int, histories: int) -> Rates:
        import backtest.statistics.search as search_module

        rng = np.random.default_rng(seed)
        lead = lead_of(rng, 10)
        held = calendars(rng, len(lead), 1000) if seed % 2 else momentum_grid(lead, 1000)
        search = Search(held, lead, histories)
        whole = search.finding(search.best)
        before, search_module.MOST_CURVES = search_module.MOST_CURVES, limit
        drawn = search.finding(search.best)
        search_module.MOST_CURVES = before
        assert whole.ahead is not None
        assert drawn.ahead is not None
        return {
            "ahead p < .05": drawn.ahead.p < 0.05,
            "all in: ahead p < .05": whole.ahead.p < 0.05,
            "p drawn - p of all": drawn.ahead.p - whole.ahead.p,
        }

    return one


def grid(rules: int) -> Callable[[np.random.Generator, Array], Array]:
    """Momentum rules of a grid."""
    return lambda _, lead: momentum_grid(lead, rules)


def plateau(_: np.random.Generator, lead: Array) -> Array:
    """Twelve neighbours."""
    lookbacks = np.array(PLATEAU, dtype=float)
    return momentum(lead, lookbacks, np.zeros(12), np.ones(12))


BASE = """
name: no-skill
legs: {growth: {QQQ: 1}, small: {IWM: 1}}
data: {prices: {source: sample}, start: 2004-01-05}
strategy: {name: STRATEGY, initial: growth, params: {}}
execution: {commission_bps: 1, slippage_bps: 0}
benchmarks: [QQQ]
"""
LOOKBACKS = "strategy.params.lookback_sessions: {from: 5, to: 250, step: 5}"
GRIDS = {
    "relative_momentum": f"{LOOKBACKS}, strategy.params.threshold: {{from: 0.0, to: 0.095, step: 0.005}}",
    "random_calendar": "strategy.params.number: {from: 1, to: 1000, step: 1}",
}


def by_the_product(seed: int, histories: int) -> Rates:
    """The winner of a sweep of 1,000, then run and compared alone and in other spellings, by the product's own path.

    Momentum for odd seeds, random calendars for even ones, 10 years at 1 bp. "answers differ": the same account has
    another verdict, p or count of trials in one of the commands, renamed, or with its legs renamed.
    """
    with TemporaryDirectory() as folder:
        return product_rates(seed, Path(folder), market_of_lead(lead_of(np.random.default_rng(seed), 10), seed), GRIDS)


def market_of_lead(lead: Array, seed: int) -> Market:
    """QQQ a random walk without drift, IVW like it, IWM ahead of it by `lead`; each opens where it last closed."""
    exchange = exchange_sessions(date(1990, 1, 2), date(2016, 12, 30))
    begin = int(exchange.searchsorted(pd.Timestamp("2004-01-05")))
    rng = np.random.default_rng(seed + 1)
    market, other = 0.012 * rng.standard_normal(len(lead)), 0.002 * rng.standard_normal(len(lead))
    moves = np.column_stack([market, market + lead, market + other])
    path = 100.0 * np.cumprod(np.vstack([np.ones(3), 1.0 + moves]), axis=0)
    sessions, tickers = exchange[begin : begin + len(path)], ["QQQ", "IWM", "IVW"]
    close = pd.DataFrame(path, sessions, tickers)
    opens = pd.DataFrame(np.vstack([path[:1], path[:-1]]), sessions, tickers)
    zeros = close * 0.0
    return Market(
        opens, close, opens, close, zeros, zeros, exchange, with_known_sessions(load_policy_decisions(), exchange)
    )


def product_rates(seed: int, folder: Path, market: Market, grids: Mapping[str, str]) -> Rates:
    """What sweep, run and compare say of the best of one of the grids."""
    strategies = {"random_calendar": RandomCalendar, "relative_momentum": RelativeMomentum}
    name, ledger = list(grids)[(seed + 1) % len(grids)], folder / "trials.ledger"
    base = BASE.replace("STRATEGY", name)
    if name == "relative_momentum":
        base = base.replace("params: {}", "params: {hold: small, otherwise: growth}")
    (folder / "base.yaml").write_text(base, encoding="utf-8", newline="\n")
    text = f"name: no-skill\nbase: base.yaml\nbenchmark: QQQ\ngrid: {{{grids[name]}}}\n"
    swept = sweep(study_from_text(text, f"{folder}/study.yaml", strategies=strategies), strategies, market=market)
    found = findings_of(swept, ledger)
    params = [f"{key}={value}" for key, value in swept.values(found.finalists[0].number).items()]

    def config(*changes: tuple[str, str]) -> Config:
        given = base
        for before, after in changes:
            given = given.replace(before, after)
        return config_from_text(given, "alone.yaml", strategies=strategies, overrides=params)

    def run_alone(own: Config) -> Known:
        return search(shown_run(run(own, strategies, market=market)), ledger)

    same = {
        "sweep": found.size,
        "run": run_alone(config()),
        "compare": compare({"it": config()}, name="alone", strategies=strategies, market=market, ledger=ledger).size,
        "renamed": run_alone(config(("name: no-skill", "name: genius"))),
        "legs renamed": run_alone(config(("growth", "large"), ("small", "tiny"))),
    }
    other = {
        "legs respelt": run_alone(config(("{QQQ: 1}", "{QQQ: 0.999, IVW: 0.001}"))),
        "costs changed": run_alone(config(("commission_bps: 1", "commission_bps: 2"))),
    }
    answers = {(each.findings[0].ahead, each.findings[0].timing, each.trials) for each in same.values()}
    every = [said(each.findings[0]) for each in (*same.values(), *other.values())]
    return {key: max(each[key] for each in every) for key in every[0]} | {
        "answers differ": len(answers) > 1,
        "trials lost": min(each.trials for each in other.values()) <= found.size.trials,
    }


class RandomCalendar(RotationStrategy):
    """On and off at random: it knows nothing."""

    class Params(StrategyParams):
        """Which one."""

        number: int = Field(0, ge=0, description="of the calendar")

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """The calendar of that number."""
        held = calendars(np.random.default_rng(p.number), len(market.sessions), 1)[:, 0]
        low, high = legs.names
        return Decision(legs.between(low, high, held))


ROWS: dict[str, tuple[str, Row]] = {
    "null-10": ("null, 1,000 momentum rules, 10 years", searched(grid(1000), 10)),
    "null-24": ("null, 1,000 momentum rules, 24 years", searched(grid(1000), 24)),
    "calendars-10": ("null, 1,000 random calendars, 10 years", searched(lambda r, d: calendars(r, len(d), 1000), 10)),
    "calendars-24": ("null, 1,000 random calendars, 24 years", searched(lambda r, d: calendars(r, len(d), 1000), 24)),
    "exposure-10": (
        "exposure only, 48 rules, 10 years",
        searched(lambda _, d: momentum_grid(d, 48), 10, drift_annual=0.08),
    ),
    "exposure-24": ("exposure only, 1,000 rules, 24 years", searched(grid(1000), 24, drift_annual=0.08)),
    "plateau-30": ("plateau of 12, 24 years, edge .30", searched(plateau, 24, edge_annual=0.30)),
    "plateau-22": ("plateau of 12, 24 years, edge .22", searched(plateau, 24, edge_annual=0.22)),
    "plateau-15": ("plateau of 12, 24 years, edge .15", searched(plateau, 24, edge_annual=0.15)),
    "around-30": ("grid of 1,000 around it, edge .30", searched(grid(1000), 24, edge_annual=0.30)),
    "around-22": ("grid of 1,000 around it, edge .22", searched(grid(1000), 24, edge_annual=0.22)),
    "mixed-15": ("12 mixed rules, edge .15", searched(mixed_rules, 24, edge_annual=0.15)),
    "blind-15": ("10 mixed and 2 blind rules, edge .15", searched(partly_blind_rules, 24, edge_annual=0.15)),
    "single-15": ("a single rule, edge .15, empty ledger", single(50, 0.15)),
    **{
        f"covered-{e}": (f"a single rule, edge .{e}: its interval and the long-run ratio", covered(50, e / 100))
        for e in (15, 30)
    },
    "crashes": ("12 negatively skewed calendars", crashes),
    **{f"part-{p}": (f"searched on the first {p} %, shown on all", shown_on_all(p / 100)) for p in (30, 45, 60, 80)},
    **{f"days-{n}": (f"{n} single days", stretches(n, 1)) for n in (1, 5, 10, 20)},
    **{f"stretches-{n}": (f"{n} stretches of up to 21 sessions", stretches(n, 21)) for n in (1, 5, 8, 12, 20, 40)},
    "given": ("one calendar given in advance", given_calendar),
    "given-momentum": ("one momentum rule given in advance", given_momentum),
    "product-10": ("null, sweep of 1,000, the best run alone in every way, by the commands, 10 years", by_the_product),
    **{f"cap-{n}": (f"1,000 tried, {n} of them drawn", capped(n)) for n in (100, 300)},
}


Limit = tuple[str, str, float]
"""What, how it is limited, and the limit.

"most", "least": a rate. "near": a mean that is nearer to 0 than the limit. "uniform": values between 0 and 1, whose p
by Kolmogorov and Smirnov is at least the limit.
"""

NULL: list[Limit] = [("suggestive or better", "most", 0.10), ("holds", "most", 0.02), ("timing p < .05", "most", 0.05)]
PART: list[Limit] = [("ahead p < .05", "most", 0.05)]
SIZE: list[Limit] = [("ahead p < .05", "most", 0.07), ("ahead p < .05", "least", 0.02)]
COVERED: list[Limit] = [("lower end below it", "least", 0.87)]
EXPOSURE: list[Limit] = [("holds", "most", 0.05), ("suggestive or better", "most", 0.10)]
LIMITS: dict[str, list[Limit]] = {
    **dict.fromkeys(("null-10", "null-24", "calendars-10", "calendars-24"), NULL),
    **dict.fromkeys(("exposure-10", "exposure-24"), EXPOSURE),
    "plateau-30": [("holds", "least", 0.85)],
    "plateau-22": [("holds", "least", 0.70)],
    "around-30": [("holds", "least", 0.80)],
    "mixed-15": [("timing p < .05", "least", 0.52), ("holds", "least", 0.30)],
    "single-15": [(f"{name}, more often", "near", 0.03) for name in ("ahead", "timing")],
    **dict.fromkeys(("covered-15", "covered-30"), COVERED),
    "given": [("timing p", "uniform", 0.001)],
    "given-momentum": [("timing p < .05", "most", 0.05)],
    "crashes": [("holds", "most", 0.05)],
    "product-10": [*NULL, ("answers differ", "most", 0.0), ("trials lost", "most", 0.0)],
    **{f"part-{p}": PART for p in (30, 45, 60, 80)},
    "days-1": [("ahead p < .05", "most", 0.0)],
    **{f"days-{n}": SIZE for n in (5, 10, 20)},
    **{f"stretches-{n}": SIZE for n in (5, 8, 12, 20, 40)},
    **{f"cap-{n}": PART for n in (100, 300)},
}
"""What each row must show; the slow tests ask the same."""


def missed(name: str, rates: list[Rates]) -> list[str]:
    """The limits that a row misses; a limit is allowed what 1.64 standard errors of n markets explain."""
    told = []
    for key, kind, limit in LIMITS.get(name, []):
        values = np.array([float(each[key]) for each in rates])
        mean, error = values.mean(), 1.64 / math.sqrt(len(values))
        if kind == "uniform":
            p = float(kstest(values, "uniform").pvalue)
            if p < limit:
                told.append(f"{key} is not uniform (p = {p:.4f})")
        elif kind == "near":
            if abs(mean) > limit + error * values.std():
                told.append(f"{key} {100 * mean:.1f}, within {100 * limit:.0f}")
        elif (mean - limit if kind == "most" else limit - mean) > error * math.sqrt(limit * (1 - limit)):
            told.append(f"{key} {100 * mean:.1f}, at {kind} {100 * limit:.0f}")
    return told


def measured(row: Row, markets: int, seed: int, histories: int) -> Iterator[Rates]:
    """The rates of each market; the same seed is the same markets."""
    return (row(1_000_003 * seed + k, histories) for k in range(markets))


def main() -> None:
    """Simulate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markets", type=int, default=200)
    parser.add_argument("--rows", default=",".join(ROWS), help="names, separated by commas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--histories", type=int, default=HISTORIES)
    options = parser.parse_args()
    print(f"{options.markets} markets a row, {options.histories} histories; rates in %")
    print("\n| row | what is said | within its limits | took |\n|---|---|---|---|")
    for name in options.rows.split(","):
        begun = time.perf_counter()
        title, row = ROWS[name]
        rates = list(measured(row, options.markets, options.seed, options.histories))
        cells = [cell(key, [each[key] for each in rates]) for key in rates[0]]
        wrong = "; ".join(missed(name, rates)) or ("yes" if name in LIMITS else "")
        print(f"| {title} | {'; '.join(cells)} | {wrong} | {time.perf_counter() - begun:.0f} s |", flush=True)


def cell(key: str, values: Sequence[float]) -> str:
    """A rate of decisions, or mean and deviation of anything that is measured."""
    if isinstance(values[0], float):
        return f"{key}: mean {np.mean(values):.3f}, sd {np.std(values):.3f}"
    return f"{key} {100 * np.mean(values):.1f}"


if __name__ == "__main__":
    main()
