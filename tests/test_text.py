"""One formatter: a figure reads the same on every page, in the terminal and in a sentence."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest import text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (text.number(1204.5), "1,204.50"),
        (text.number(-0.001), "0.00"),
        (text.number(-1.5, 1), "−1.5"),
        (text.number(0.0, 1, "+"), "0.0"),
        (text.number(math.nan), "–"),
        (text.number(None), "–"),
        (text.percent(0.46, 0), "46%"),
        (text.percent(-0.9994), "−99.9%"),
        (text.percent(-0.9994, 0), "−99.9%"),
        (text.percent(-0.999999999), "−99.9999%"),
        (text.percent(-1.0, 0), "−100%"),
        (text.percent(-1.2, 0), "−120%"),
        (text.points(0.0134), "+1.3"),
        (text.usd(98_512.4), "$98,512"),
        (text.usd(-0.001), "$0.00"),
        (text.usd(3.5), "$3.50"),
        (text.usd_short(-1_320_000), "−$1.32m"),
        (text.usd_short(999_600), "$1.00m"),
        (text.usd_words(1_320_000), "$1.32 million"),
        (text.quantity(0.05, "return"), "+5.0 points"),
        (text.quantity(1, "sessions"), "1 session"),
        (text.quantity(0.73, "probability"), "73%"),
        (text.quantity(math.nan, "sd"), "not known"),
        (text.quantity(-2.5, "hats"), "−2.50 hats"),
        (text.setting(1005), "1,005"),
        (text.setting(0.01), "0.01"),
        (text.setting(-1e-5), "−1e-05"),
        (text.setting(True), "true"),
        (text.setting({"QQQ": 0.5, "IVW": 0.5}), "QQQ 0.5 and IVW 0.5"),
        (
            text.settings({"strategy.params.threshold": 0.02, "strategy.name": "rules"}),
            "threshold 0.02, strategy rules",
        ),
        (text.p_equals(0.001), "p below 0.01"),
        (text.p_equals(0.05), "p = 0.05"),
        (text.probability(0.999), "above 0.99"),
        (text.in_fifty(0.8), "40 of 50"),
        (text.span((-0.28, 0.46)), "−0.28 to 0.46"),
        (text.span_points((-0.012, 0.034)), "−1.2 to +3.4"),
        (text.years_needed(1.0), "about 1 year"),
        (text.plural(1204, "session"), "1,204 sessions"),
        (text.plural(1, "session"), "1 session"),
        (text.plural(2, "study", "studies"), "2 studies"),
        (text.duration(630, 252), "2.5 years"),
        (text.duration(12, 252), "12 sessions"),
        (text.listed(["a", "b", "c"]), "a, b and c"),
        (text.listed(["a", "b"], word="or"), "a or b"),
        (text.listed(list("abcde"), 3), "a, b and 3 more"),
        (text.grouped({"a": "4", "b": "4", "c": "10"}, 5), "4 in a and b; 10 in c"),
        (text.day(np.datetime64("2001-07-31")), "31 Jul 2001"),
        (text.iso(pd.Timestamp("2001-07-31 09:30")), "2001-07-31"),
        (text.month(datetime.date(2001, 7, 1)), "Jul 2001"),
        (text.place("/home/someone/prices"), "prices"),
        (text.number(-0.004), "0.00"),
        (text.number(-1234.5, 1, "+"), "−1,234.5"),
        (text.number(float("nan")), "–"),
        (text.percent(-0.5512), "−55.1%"),
        (text.percent(None), "–"),
        (text.points(0.0116), "+1.2"),
        (text.points(-0.0004), "0.0"),
        (text.usd(1_324_665.9), "$1,324,666"),
        (text.usd(49.979), "$49.98"),
        (text.usd(-5.0), "−$5.00"),
        (text.usd(99.996), "$100"),
        (text.usd_short(1_324_666), "$1.32m"),
        (text.usd_short(698_954), "$699k"),
        (text.usd_short(9_512.0), "$9,512"),
        (text.usd_short(2.5e9), "$2.50bn"),
        (text.usd_words(1_324_665.9), "$1.32 million"),
        (text.usd_words(98_512.4), "$98,512"),
        (text.month(np.datetime64("2007-10-05")), "Oct 2007"),
        (text.duration(1209, 252), "4.8 years"),
        (text.duration(1, 252), "1 session"),
        (text.title_of("rate-cut-momentum"), "rate cut momentum"),
        (text.title_of("QQQ_vs-5"), "QQQ_vs-5"),
        (text.place(r"C:\prices\QQQ.csv"), "QQQ.csv"),
    ],
)
def test_a_value_reads(written: str, expected: str) -> None:
    assert written == expected


@given(st.floats(-1.0, 0.0, exclude_min=True), st.integers(0, 3))
def test_a_loss_that_is_not_total_never_reads_as_one_and_zero_has_no_sign(loss: float, digits: int) -> None:
    written = text.percent(loss, digits)
    assert not written.startswith("−100")
    assert not (written.startswith("−") and not written.strip("−0.%"))


@given(st.floats(-1e12, 1e12), st.integers(0, 4))
def test_no_number_is_a_negative_zero(value: float, digits: int) -> None:
    written = text.number(value, digits, "+")
    if not written.strip("+−0.,"):
        assert written[0] not in "+−"


def test_columns_of_a_table_are_aligned_without_spaces_at_the_end() -> None:
    assert text.aligned([["", "a"], ["name", "10"]]) == ["         a", "  name  10"]
