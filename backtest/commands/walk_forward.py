"""`backtest walk-forward`: choose by the past, hold, choose again; what would that have been worth?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backtest.commands.compare import placed_data
from backtest.commands.progress import progress
from backtest.commands.stopping import stoppable
from backtest.commands.sweep import study_of
from backtest.store.provenance import Provenance
from strategies import REGISTRY


def walk_path(
    path: Path,
    overrides: Sequence[str],
    out: Path,
    *,
    offline: bool,
    as_json: bool,
    cluster: str | None = None,
    ledger: Path | None = None,
) -> None:
    """Walk a study forward and print what came out (or walk_forward.json's content)."""
    from backtest.pages.walk.files import PAGE, document, write_walk
    from backtest.pages.walk.page import headline, lede
    from backtest.pages.walk.paths import sentences
    from backtest.store.ledger import default_ledger
    from backtest.store.manifest import longest_ledger
    from backtest.study.resume import ChunkStore
    from backtest.study.walk_forward import walk_forward

    provenance = Provenance()
    study = study_of(path, overrides)
    with placed_data(path, overrides), stoppable(), progress(f"walk-forward {study.name}") as advance:
        walk = walk_forward(
            study,
            REGISTRY,
            offline=offline,
            cluster=cluster,
            keep=out,
            ledger=ledger or default_ledger(),
            recorded=longest_ledger(out),
            progress=advance,
        )
        provenance.ledger_length = walk.size.length
        written = write_walk(walk, out, provenance)
        ChunkStore(out, walk.sweep.fingerprint).remove()
    if as_json:
        print(json.dumps(document(walk) | {"folder": str(written.folder)}, indent=2, allow_nan=False))
        return
    simulated = " (SIMULATED DATA)" if walk.sweep.market.is_simulated else ""
    print(f"{study.name}, tested {walk.sessions[0]:%Y-%m-%d} to {walk.sessions[-1]:%Y-%m-%d}{simulated}")
    print("\n".join(["", headline(walk), *lede(walk), ""]))
    if walk.paths:
        print("\n".join([*sentences(walk, walk.paths), ""]))
    print(f"  {written.state} in {provenance.seconds:.1f} s: {written.folder / PAGE}")
