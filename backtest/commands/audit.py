"""`backtest audit`: does any decision of a config change when the future is cut off or poisoned?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backtest.audit.audit import audit
from backtest.commands.load import load_all, placed
from backtest.errors import RunError
from strategies import REGISTRY


def audit_configs(paths: Sequence[Path], overrides: Sequence[str], *, offline: bool, as_json: bool) -> None:
    """Print what was checked; raise RunError (exit code 5) with the first session that changed, per config."""
    from backtest.commands.progress import progress
    from backtest.data import load_market

    problems, documents = [], []
    for path, config in zip(paths, load_all(paths, overrides), strict=True):
        with placed(path, overrides):
            market = load_market(config, offline=offline)
        with progress(f"audit {config.name}") as advance:
            report = audit(config, REGISTRY, market=market, progress=advance)
        lines = [f"{path}: {line}" for line in report.lines()]
        documents.append({"config": str(path), "ok": report.ok, "lines": list(report.lines())})
        if report.ok and not as_json:
            print("\n".join(lines))
        problems += [] if report.ok else lines
    if as_json:
        print(json.dumps(documents, indent=2))
    if problems:
        raise RunError(*problems)
