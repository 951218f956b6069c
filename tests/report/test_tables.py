"""The files that programs read."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.store.tables import csv, harmless, json_text


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_survive_the_csv_to_the_last_bit(values: list[float]) -> None:
    text = csv(pd.DataFrame({"x": values}), has_index=False)
    assert [float(line) for line in text.splitlines()[1:]] == values


def test_an_undefined_number_is_an_empty_cell() -> None:
    assert csv(pd.DataFrame({"x": [1.5, math.nan], "y": [1, 2]}), has_index=False) == "x,y\n1.5,1\n,2\n"


@pytest.mark.parametrize("cell", ["=cmd|'/C calc'!A0", "+1", "-2", "@SUM(A1)", "\tx", "  =1", "fine\n=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert harmless(cell).startswith("'")
    assert csv(pd.DataFrame({"text": [cell]}), has_index=False).splitlines()[1].lstrip('"').startswith("'")


def test_ordinary_text_is_left_alone() -> None:
    assert harmless("Small leads by 2.7 points; cut of 2025-12-10") == "Small leads by 2.7 points; cut of 2025-12-10"


def test_a_nan_in_json_is_a_bug() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        json_text({"x": math.nan})


def test_json_is_text_that_reads_back() -> None:
    content = {"name": "\u2212<script>", "value": 0.1, "none": None}
    assert json.loads(json_text(content)) == content
