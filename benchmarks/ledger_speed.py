"""What a ledger full of earlier trials costs a single run: cpu seconds, and bytes beside the result.

    python benchmarks/ledger_speed.py [--trials 1000]

One process: the sample of 25 years, one run of configs/quickstart.yaml, judged and written with an empty ledger, then
with one that remembers a sweep of so many variants over the same sessions; medians of five.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # also from a clone that is not installed

from backtest.commands.run import run_one
from backtest.config import load_config, study_from_text
from backtest.pipeline import run
from backtest.store.ledger import FILE, Ledger
from backtest.store.provenance import Provenance
from backtest.study.search import search, shown_run
from backtest.study.sweep import sweep
from strategies import REGISTRY

REPEATED = 5
QUICKSTART = Path(__file__).resolve().parents[1] / "configs" / "quickstart.yaml"
STUDY = """
name: filled
base: {base}
benchmark: QQQ
grid:
  strategy.params.lookback_sessions: {{from: 5, to: 250, step: 5}}
  strategy.params.threshold: {{from: 0.0, to: 0.2, count: {count}}}
"""


def filled(ledger: Path, trials: int) -> None:
    """Remember a sweep."""
    text = STUDY.format(base=QUICKSTART, count=max(1, trials // 50))
    sweep(study_from_text(text, "filled.yaml", strategies=REGISTRY), REGISTRY, offline=True, ledger=ledger)


def main() -> None:
    """Measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    options = parser.parse_args()
    config = load_config(QUICKSTART, strategies=REGISTRY)
    result = run(config, REGISTRY, offline=True)
    with TemporaryDirectory() as folder:
        full, empty = Path(folder) / "full" / FILE, Path(folder) / "empty" / FILE
        filled(full, options.trials)
        run_one(config, REGISTRY, Path(folder) / "warm", Provenance(), ledger=empty, offline=True)  # imports
        print("| ledger | judged, cpu s | the whole run, cpu s | kept beside the result, bytes |\n|---|---|---|---|")
        for name, ledger in (("empty", empty), (f"{len(Ledger(full)):,} trials", full)):
            judged, whole = [], []
            for k in range(REPEATED):
                begun = time.process_time()
                search(shown_run(result), ledger)
                judged.append(time.process_time() - begun)
                out, begun = Path(folder) / f"{name}-{k}", time.process_time()
                _, known, _ = run_one(config, REGISTRY, out, Provenance(), ledger=ledger, offline=True)
                whole.append(time.process_time() - begun)
            print(f"| {name} | {median(judged):.2f} | {median(whole):.2f} | {len(known.copy):,} |")


if __name__ == "__main__":
    main()
