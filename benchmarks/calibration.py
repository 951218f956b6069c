"""Do the statistics keep their promises? Simulated studies without any skill, and with one planted edge.

    python benchmarks/calibration.py [--studies 300] [--histories 500]

Each study has 28 variants over 6 years: active returns with fat tails, a common factor (correlation one half),
volatility that clusters, and tracking errors from 3 to 19 % a year. The planted edge, an active Sharpe ratio of 1.5,
sits in the calmest variant, where a test that does not studentise cannot see it. Without skill a test at 5 % should
reject in 2 to 8 % of 300 studies, and the probability of overfitting average one half.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also from a clone that is not installed

from backtest.statistics.assessment import Assessment, assess, evidence
from backtest.statistics.histories import Table
from backtest.statistics.verdict import judge

VARIANTS, YEARS, SESSIONS_PER_YEAR = 28, 6, 252
PLANTED_SHARPE = 1.5
CALMEST, WILDEST = 0.002, 0.012
"""Standard deviation of the active return per session."""


def simulated_study(seed: int, planted: float) -> Table:
    """One study; planted: annual active Sharpe ratio of the first and calmest variant, 0 for none."""
    rng, sessions = np.random.default_rng(seed), YEARS * SESSIONS_PER_YEAR
    common, own = rng.standard_t(5, (sessions, 1)), rng.standard_t(5, (sessions, VARIANTS))
    shocks = (common + own) / math.sqrt(2 * 5 / 3) * clustering(rng, sessions)[:, None]
    shocks[:, 0] += planted / math.sqrt(SESSIONS_PER_YEAR)
    benchmark = 0.0004 + 0.012 * rng.standard_normal(sessions)
    active = shocks * np.geomspace(CALMEST, WILDEST, VARIANTS)
    names = tuple(f"variant {i}" for i in range(VARIANTS))
    return Table(names, benchmark[:, None] + active, benchmark, years=float(YEARS))


def clustering(rng: np.random.Generator, sessions: int) -> np.ndarray:
    """A slowly moving volatility around 1: log-autoregressive, half-life two months."""
    level, log_volatility = 0.0, np.empty(sessions)
    for t, shock in enumerate(rng.standard_normal(sessions)):
        level = 0.984 * level + 0.06 * shock
        log_volatility[t] = level
    return np.asarray(np.exp(log_volatility - log_volatility.var()))


def findings(table: Table, assessment: Assessment) -> dict[str, float]:
    """What each statistic says of the study, 1 for a rejection or a pass."""
    search, best = assessment.search, assessment.variants[assessment.search.best]
    pbo = search.overfitting.probability if search.overfitting else math.nan
    level = judge(evidence(table, assessment, "the benchmark")).level
    return {
        "no-skill p < .05": search.no_skill.p < 0.05,
        "SPA (studentised) < .05": search.spa.consistent < 0.05,
        "reality check (raw columns) < .05": assessment.whole.reality_check < 0.05,
        "StepM names a variant": any(v.is_superior for v in assessment.variants),
        "DSR >= .95": best.dsr >= 0.95,
        "naive 95 % interval of the best above 0": best.sharpe.interval[0] > 0,
        "PBO": pbo,
        "benchmark outside the confidence set": assessment.whole.benchmark_confidence_set_p <= 0.05,
        "verdict strong": level == "strong",
        "verdict mixed": level == "mixed",
        "best is the planted one": float(search.best == 0),
    }


def simulated(studies: int, planted: float, histories: int) -> Iterator[dict[str, float]]:
    """Findings of each study, with progress on the error stream."""
    for k in range(studies):
        table = simulated_study(1_000_000 * (planted > 0) + k, planted)
        yield findings(table, assess(table, histories=histories, seed=k))
        if (k + 1) % 50 == 0:
            print(f"{k + 1} of {studies}", file=sys.stderr, flush=True)


def line(name: str, columns: list[list[float]]) -> str:
    """One row of the table: a share for a decision, mean and standard deviation for PBO."""
    cells = [f"{np.mean(x):.2f} ({np.std(x):.2f})" if name == "PBO" else f"{100 * np.mean(x):.1f} %" for x in columns]
    return f"| {name + ' mean (sd)' if name == 'PBO' else name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Simulate, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--histories", type=int, default=500, help="bootstrap histories of each study")
    options = parser.parse_args()
    begun = time.perf_counter()
    null, edge = (list(simulated(options.studies, sharpe, options.histories)) for sharpe in (0.0, PLANTED_SHARPE))
    print(f"{options.studies} studies each, {VARIANTS} variants, {YEARS} years, {options.histories} histories")
    print(f"| reject or pass | null | planted active Sharpe {PLANTED_SHARPE} in one |\n|---|---|---|")
    for name in null[0]:
        print(line(name, [[study[name] for study in studies] for studies in (null, edge)]))
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
