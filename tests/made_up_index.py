"""A folder of results of every kind, some of one name, one simulated and one damaged; nothing is run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from made_up_results import CONTENT, DAMAGES, result

from backtest.store.folder import Identity, write
from backtest.store.manifest import METRICS
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.tables import json_text

PERIOD = {"start": "2001-07-31", "end": "2025-12-31", "sessions": 6141}
LONG = "momentum-grid-with-quite-a-long-name-for-a-study-of-two-keys"
VERDICT = (
    "Not distinguishable from holding QQQ: the best of three is ahead by 0.4 points a year, which luck alone gives in "
    "21 of 50 histories."
)


def curve(growth: float) -> list[float]:
    return [round(math.exp(growth * i + 0.1 * math.sin(i * growth * 40)), 4) for i in range(60)]


def one(root: Path, kind: Any, name: str, asked: dict[str, Any], page: str, **about: Any) -> Path:
    hashes = {"question": sha256_text(json_text(asked)), "data": "a" * 64, "code": "c" * 64}
    hashes |= about.pop("hashes", {})
    told = {"page": page, "headline": VERDICT, "is_simulated": False, "asked": asked, "period": PERIOD, **about}
    files = about.pop("files", {page: "<!doctype html>\n"})
    told.pop("files", None)
    return write(root, Identity(kind, name, hashes), files, told, Provenance(command="made up")).folder


def a_run(root: Path, cagr: float, *, is_simulated: bool = False, **asked: Any) -> Path:
    name = "rate-cut-momentum"
    keys = {"lookback_sessions": 63, "threshold": 0.0, **asked}
    figures = {**CONTENT["strategy"], "cagr": cagr}  # type: ignore[dict-item]
    headline = f"Rate cut momentum turned $100,000 into $633,120: {100 * cagr:.1f}% a year, less than QQQ."
    files = {METRICS: json_text({**CONTENT, "strategy": figures}), "report.html": "<!doctype html>\n"}
    params = {f"strategy.params.{key}": value for key, value in keys.items()}
    about = {"headline": headline, "is_simulated": is_simulated, "sparkline": curve(cagr / 3), "files": files}
    return one(root, "run", name, params, "report.html", **about)


def make(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    a_run(root, 0.08, is_simulated=True)
    a_run(root, 0.092, lookback_sessions=126)
    a_run(root, 0.104, lookback_sessions=126, threshold=0.01)
    a_run(root, 0.131, lookback_sessions=252)
    for data in "ab":
        one(root, "comparison", "three-ideas", {"variants": ["a", "b", "c"]}, "comparison.html",
            hashes={"data": data * 64}, is_simulated=True, sparkline=curve(0.03))  # fmt: skip
    grid = {"grid.strategy.params.lookback_sessions": list(range(5, 251, 5))}
    one(root, "sweep", LONG, grid, "sweep.html", headline="None of 50 variants did better than simply holding QQQ.")
    one(root, "walk-forward", LONG, grid, "walk_forward.html", sparkline=curve(0.02))
    DAMAGES["manifest: torn"](result(root, "damaged").folder)
