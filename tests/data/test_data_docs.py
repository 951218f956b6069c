"""The blocks of docs/data.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_prices import clean_frame, write_prices

from backtest import load_config, run
from strategies import REGISTRY

DOC = Path(__file__).parents[2] / "docs" / "data.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0])
def test_a_block_of_the_documentation_runs(block: str, tmp_path: Path) -> None:
    frames = {ticker: clean_frame(seed) for seed, ticker in enumerate(("QQQ", "IWM"), start=1)}
    write_prices(tmp_path / "prices", **frames)
    (tmp_path / "own").mkdir()
    for ticker, frame in frames.items():
        names = {"adj_close": "Kurs", "open": "Start", "high": "Hoch", "low": "Tief"}
        table = frame[list(names)].rename(columns=names).round(3)
        table.insert(0, "Tag", [f"{day:%d/%m/%Y}" for day in frame.index])
        table.to_csv(tmp_path / "own" / f"{ticker}.csv", index=False)
    (tmp_path / "series").mkdir()
    months = pd.date_range("2023-01-01", "2024-11-01", freq="MS")
    wave = np.sin(np.arange(600) / 7)
    days = frames["QQQ"].index
    tables = {
        "MY_GAP": (months, 1 + wave[: len(months)], None),
        "MY_RATE": (days, 4 + wave[: len(days)].round(2), None),
        "MY_INDEX": (months, 2 + wave[: len(months)], months + pd.Timedelta(days=45)),
    }
    for name, (index, values, known) in tables.items():
        table = pd.DataFrame({"date": index, "value": values} | ({} if known is None else {"known_at": known}))
        table.to_csv(tmp_path / "series" / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    (tmp_path / "c.yaml").write_text(block, encoding="utf-8", newline="\n")
    assert run(load_config(tmp_path / "c.yaml", strategies=REGISTRY), REGISTRY).metrics["trades"] > 1


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 2
