"""Published rotations on real prices: each config of configs/published as it is, and at the close without costs.

    python benchmarks/published.py FOLDER      (prices and macro, as the tests' BACKTEST_DATA; without it: that one)

A config whose tickers are not all there is run with stand-ins where STAND_INS names some, and left out otherwise.
docs/published.md quotes what this prints.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from backtest.config import load_config  # noqa: E402 - the path above comes first
from backtest.pipeline import run  # noqa: E402
from backtest.result import Result  # noqa: E402
from strategies import REGISTRY  # noqa: E402

CONFIGS = ROOT / "configs" / "published"
AT_CLOSE = (
    "execution.fill=close",
    "execution.delay_sessions=0",
    "execution.commission_bps=0",
    "execution.slippage_bps=0",
)
STAND_INS: dict[str, tuple[str, ...]] = {
    "dual_momentum": ("legs=[SPY, IJR, IEF]", "strategy.params.defensive=IEF", "benchmarks=[SPY]"),
    "accelerating_dual_momentum": ("legs=[SPY, IWM, TLT]", "data.start=2004-01-02", "benchmarks=[SPY]"),
}


def main(folder: Path) -> None:
    """Print one line a config and way to fill."""
    for name, about, result in measured(folder):
        if result is None:
            print(f"{name:28} {about}")
            continue
        figures, sessions = result.metrics, result.sessions
        print(
            f"{name:28} {about:58} {sessions[0]:%Y-%m-%d} to {sessions[-1]:%Y-%m-%d}  {figures['cagr']:7.2%} a year, "
            f"drawdown {-(figures['max_drawdown'] or 0):6.2%}, Sharpe {figures['sharpe']:.2f}, "
            f"{figures['final_equity_usd']:,.0f} USD"
        )


def measured(folder: Path) -> Iterator[tuple[str, str, Result | None]]:
    """A config's name, what was done to it, and the run; None, and why, where prices are missing."""
    prices = f"data.prices={{source: csv, folder: {folder / 'prices'}}}"
    for path in sorted(CONFIGS.glob("*.yaml")):
        for about, overrides in _questions(path, folder):
            if overrides is None:
                yield path.stem, about, None
                continue
            end = () if path.stem.startswith("style_winner") else ("data.end=2025-12-24",)
            config = load_config(path, strategies=REGISTRY, overrides=[prices, *end, *overrides])
            yield path.stem, about, run(config, REGISTRY, offline=True)


def _questions(path: Path, folder: Path) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    there = {each.stem for each in (folder / "prices").glob("*.csv")}
    wanted = set(load_config(path, strategies=REGISTRY).tickers)
    stand_ins = STAND_INS.get(path.stem, ())
    if not wanted <= there and not stand_ins:
        yield f"no prices of {', '.join(sorted(wanted - there))}", None
        return
    about, overrides = ("", ()) if wanted <= there else (f", {stand_ins[0]}", stand_ins)
    yield f"as it is{about}", overrides
    yield f"at the close, 0 bps{about}", (*overrides, *AT_CLOSE)


if __name__ == "__main__":
    given = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BACKTEST_DATA") or ROOT.parent / "shared/data")
    if (given / "prices").is_dir():
        main(given)
    else:
        print(f"no real prices in {given}: name a folder, or set BACKTEST_DATA")
