"""The sweep beside its peers: the same prices, the same decisions, one run, and how far the final values agree.

    python3 benchmarks/run.py [--quick]         # installs what this needs, then runs it

The work: 50 lookbacks x 20 thresholds of relative momentum, 6,503 simulated sessions of 4 tickers, 5 bps, fills at the
next open, sized at that open. Peers that take minutes run a sample of the variants, stratified by how often they
switch. Each runs in a process of its own, one after the other, warm, imports not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import distributions, version
from pathlib import Path

import numpy as np
from last_values import prepared
from peers.handed import Floats, Row, Work, fastest
from rules import finals_by
from sweep import kernel_alone, least, study_of

from backtest import sweep
from backtest.study.sweep import Sweep
from strategies import REGISTRY

HERE = Path(__file__).resolve().parent
PACKAGES = ("numpy", "pandas", "numba", "vectorbt", "bt", "backtrader")


@dataclass(frozen=True)
class Peer:
    """A program of `peers/`: how many variants it runs and how often, in full and with --quick."""

    module: str
    variants: int
    rounds: int
    quick_variants: int


PEERS = (
    Peer("vectorbt_best", variants=1000, rounds=3, quick_variants=100),
    Peer("vectorbt_usual", variants=1000, rounds=2, quick_variants=50),
    Peer("bt_rebalance", variants=60, rounds=1, quick_variants=6),
    Peer("optstrategy", variants=60, rounds=1, quick_variants=6),
)

KERNEL_ROUNDS = 20
ROUNDING = 1e-9
"""Relative difference of final values that rounding may explain: 75 switches, compounded."""
HEADER = """\
| | idiom | computes | cores | seconds for 1,000 | measured on | / our sweep | / our kernel | apart | by its own rule |
|---|---|---|---|---|---|---|---|---|---|"""
LEGEND = """
Kernel alone: decisions ready, as the rows at which weights change. From bytes: one per session and variant, arrays of
weights made of them. / our kernel: on one thread, with curves. Apart: final values beside our kernel's for the same
variants, median and largest relative difference. By its own rule: the same beside an account in plain Python that sizes
purchases as the peer does (rules.py): rounding, so that the rule is all of the difference. The rules:
"""


def main() -> None:
    """Measure and print; exit 1 when a peer did not run, or its final values are not those of its rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="samples of at most 100 variants for every peer: a minute")
    quick = parser.parse_args().quick
    print(environment())
    found = sweep(study_of(50, 20), REGISTRY)
    work = work_of(found)
    print(f"{work.variants:,} variants, {len(work.sessions):,} sessions, {work.switches.mean():.1f} switches each\n")
    rows = ours(found, work)
    base = rows[0].seconds, rows[1].seconds
    print(HEADER)
    failures = [wrong for row in rows if (wrong := shown(row, work, work, base))]
    notes = []
    for peer in PEERS:
        sample = work.only(work.sample(peer.quick_variants if quick else peer.variants))
        told = answers(peer, sample, 1 if quick else peer.rounds)
        failures += [wrong for row in told if (wrong := shown(row, work, sample, base))]
        failures += [] if told else [f"{peer.module} did not run"]
        notes += [f"- {row.name}: {row.differs}." for row in told]
    print(LEGEND, *dict.fromkeys(notes), sep="\n")
    again = least(lambda: sweep(found.study, REGISTRY, market=found.market))
    print(f"\nour sweep once more, after the peers: {again:.3g} s; load now {os.getloadavg()[0]:.1f}")
    if failures:
        raise SystemExit("\n".join(failures))


def environment() -> str:
    """Versions, cores, and how busy the machine is."""
    installed = {each.name for each in distributions()}
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES if name in installed)
    load = f"load before {os.getloadavg()[0]:.1f} (others' work makes every figure worse)"
    return f"Python {platform.python_version()}, {versions}\n{os.cpu_count()} cores, {load}"


def work_of(found: Sweep) -> Work:
    """What the peers are handed: prices and decisions of a sweep of the sample."""
    setting, study = found.first, found.study
    params = [study.grid_parts(number)[1] for number in range(study.size)]
    small = np.stack([setting.decide(each).by_leg[:, 1] for each in params], axis=1)
    assert setting.begin == 0
    assert all(setting.legs[setting.legs.names[0]].get(ticker) == 0.5 for ticker in setting.legs.tickers[:2])
    asked = [each.model_dump() for each in params]
    return Work(
        sessions=setting.plan.sessions.to_numpy(),
        opens=setting.plan.opens,
        closes=setting.plan.closes,
        side=np.nan_to_num(small).astype(np.int8),  # growth, before a signal is known
        lookbacks=np.array([each["lookback_sessions"] for each in asked]),
        thresholds=np.array([each["threshold"] for each in asked]),
    )


def ours(found: Sweep, work: Work) -> list[Row]:
    """The public function first, then the kernel on one thread, then its other ways."""
    whole = least(lambda: sweep(found.study, REGISTRY, market=found.market))
    alone, together, finals = kernel_alone(found, KERNEL_ROUNDS)
    exact = found.metric("final_equity_usd")
    cores = os.cpu_count() or 1

    def row(idiom: str, computes: str, used: str, seconds: float, values: Floats | list[float]) -> Row:
        return Row(
            "this project", idiom, computes, used, seconds, [float(value) for value in values], rule="", differs=""
        )

    return [
        row("`sweep`", "decisions, curve, 25 metrics", f"{cores} threads", whole, exact),
        row("kernel alone", "curve", "1", alone, finals),
        row("kernel alone", "curve", f"{cores} threads", together, finals),
        row("kernel alone", "final values", "1", *fastest(prepared(work), KERNEL_ROUNDS)),
    ]


def answers(peer: Peer, work: Work, rounds: int) -> list[Row]:
    """What a peer says of the work; nothing, and the reason on the error stream, when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        handed = Path(folder, "work.npz")
        work.write(handed)
        command = [sys.executable, "-W", "ignore", "-m", f"peers.{peer.module}", str(handed), str(rounds)]
        done = subprocess.run(command, cwd=HERE, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        reason = done.stderr.strip() or f"ended by {done.returncode}"
        print(f"{peer.module}: {reason.splitlines()[-1]}", file=sys.stderr)
        return []
    return [Row(**told) for told in json.loads(done.stdout.splitlines()[-1])]


def shown(row: Row, work: Work, sample: Work, base: tuple[float, float]) -> str:
    """Print a row of the table; returns what is wrong with its final values, or nothing.

    sample: the work that was measured; base: seconds of our sweep and of our kernel for the whole.
    """
    seconds = row.seconds * work.variants / sample.variants
    basis = "all" if sample.variants == work.variants else f"extrapolated from {sample.variants}"
    times = [seconds / unit for unit in base]
    kernel = prepared(sample, row.leg_weight)()
    by_rule = finals_by(row.rule, sample, row.leg_weight) if row.rule else kernel
    apart, unexplained = (np.abs(np.array(row.finals) / finals - 1.0) for finals in (kernel, by_rule))
    agreement = [f"{np.median(each):.0e}, {each.max():.0e}" if each.any() else "0" for each in (apart, unexplained)]
    cells = row.name, row.idiom, row.computes, row.cores, short(seconds), basis, *map(short, times), *agreement
    print(f"| {' | '.join(cells)} |", flush=True)
    is_explained = unexplained.max() <= (ROUNDING if row.rule else 0.0)
    return "" if is_explained else f"{row.name}, {row.idiom}: final values off by {unexplained.max():.0e}"


def short(value: float) -> str:
    """Three digits, whole from 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
