"""What a notebook does: six lines, the same job as the command."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import backtest
from strategies import REGISTRY

QUICKSTART = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def test_every_public_name_is_what_it_says_and_no_module_hides_it() -> None:
    for name in backtest.__all__:
        assert callable(getattr(backtest, name)), name
    rooms = {path.stem for path in Path(backtest.__file__).parent.glob("*") if path.stem != "__init__"}
    assert rooms.isdisjoint(backtest.__all__)


def test_six_lines_of_a_notebook_give_pandas_objects() -> None:
    from backtest import load_config, load_market, run

    config = load_config(QUICKSTART, strategies=REGISTRY)
    result = run(config, REGISTRY, market=load_market(config))
    assert isinstance(result.equity, pd.DataFrame)
    assert isinstance(result.trades, pd.DataFrame)
    assert isinstance(result.decisions, pd.DataFrame)
    assert result.equity["equity"].iloc[-1] == result.metrics["final_equity_usd"]
