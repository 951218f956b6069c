"""Numbers, dates and places as the page prints them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.pages import words


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (words.number(-0.004), "0.00"),
        (words.number(-1234.5, 1, "+"), "−1,234.5"),
        (words.number(0.0, 1, "+"), "0.0"),
        (words.number(None), "–"),
        (words.number(float("nan")), "–"),
        (words.percent(-0.5512), "−55.1%"),
        (words.percent(None), "–"),
        (words.points(0.0116), "+1.2"),
        (words.points(-0.0004), "0.0"),
        (words.usd(1_324_665.9), "$1,324,666"),
        (words.usd(49.979), "$49.98"),
        (words.usd(-0.001), "$0.00"),
        (words.usd(-5.0), "−$5.00"),
        (words.usd(99.996), "$100"),
        (words.usd_short(1_324_666), "$1.32m"),
        (words.usd_short(999_600), "$1.00m"),
        (words.usd_short(698_954), "$699k"),
        (words.usd_short(9_512.0), "$9,512"),
        (words.usd_short(2.5e9), "$2.50bn"),
        (words.usd_words(1_324_665.9), "$1.32 million"),
        (words.usd_words(98_512.4), "$98,512"),
        (words.day(np.datetime64("2001-07-31")), "31 Jul 2001"),
        (words.month(np.datetime64("2007-10-05")), "Oct 2007"),
        (words.duration(1209, 252), "4.8 years"),
        (words.duration(1, 252), "1 session"),
        (words.title_of("rate-cut-momentum"), "rate cut momentum"),
        (words.title_of("QQQ_vs-5"), "QQQ_vs-5"),
        (words.listed(["a", "b", "c"]), "a, b and c"),
        (words.listed(["a"]), "a"),
        (words.place("/home/someone/prices/QQQ.csv"), "QQQ.csv"),
        (words.place(r"C:\prices\QQQ.csv"), "QQQ.csv"),
        (words.place("https://fred.example/series"), "https://fred.example/series"),
    ],
)
def test_a_number_is_printed_so(printed: str, expected: str) -> None:
    assert printed == expected


@given(st.floats(-1e12, 1e12), st.integers(0, 4))
def test_no_number_is_a_negative_zero(value: float, digits: int) -> None:
    text = words.number(value, digits, "+")
    if not text.strip("+−0.,"):
        assert text[0] not in "+−"
