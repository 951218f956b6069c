"""What pages and `why` say of any legs, numbers and signals: plural and singular, one form a number, nothing untrue."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pages import config_of, page_of, result_of, sample, two_sides
from test_leg_words import THREE, TWO, folder_of, told
from worlds import hand_market

from backtest.config import LegConfig
from backtest.decision import Decision, Evidence
from backtest.market import Floats
from backtest.metrics import exposures_in
from backtest.now.why import explain, lines
from backtest.pages.alternatives import alternatives_of, rotating_sentence
from backtest.pages.index import rows_of
from backtest.pages.prose import caveats
from backtest.pipeline import run
from backtest.result import Result
from backtest.text import percent
from strategies import REGISTRY

THINGS = "row|cycle|year|session|trial|variant|position|cut|history|window|fill|rebalance|point|case|month"
ONE_OF_MANY = re.compile(
    rf"(?<![\d.,–−-])1 (?:easing )?(?:{THINGS})s\b|(?<![\d.,])1 (?:histories|are|\w+ are|\w+ have)\b"
)
MANY_OF_ONE = re.compile(rf"(?<![\d.,])(?:0|[2-9]|[1-9]\d+) (?:easing )?(?:{THINGS})(?![\w-])")
SPACED = re.compile(r"\d %|\d% %")
UNGROUPED = re.compile(r"(?<![\w.,:#−-])(?!(?:18|19|20)\d\d\b)\d{4,}(?![\w.:,-]*\d|-)")
LEGS = {
    "treasuries": ({"SPY": LegConfig(SPY=1.0), "IWM": LegConfig(IWM=1.0), "IEF": LegConfig(IEF=1.0)}, "IEF", "SPY"),
    "two funds": ({"SPY": LegConfig(SPY=1.0), "QQQ": LegConfig(QQQ=1.0)}, "QQQ", "SPY"),
    "labels": (
        {
            "core": LegConfig.model_validate({"SPY": 1.0, "label": "the market"}),
            "safe": LegConfig.model_validate({"IEF": 0.5, "TLT": 0.5, "label": "long bonds"}),
        },
        "safe",
        "core",
    ),
}


@pytest.mark.parametrize("which", LEGS)
def test_each_share_is_told_of_the_leg_that_had_it(which: str) -> None:
    legs, hold, otherwise = LEGS[which]
    config = config_of("rate_cut", legs=legs, initial=otherwise, benchmarks=("SPY",))
    params = config.strategy.params.model_copy(update={"hold": hold, "otherwise": otherwise})
    result = run(
        config.model_copy(update={"strategy": config.strategy.model_copy(update={"params": params})}), REGISTRY
    )
    shares = exposures_in(result.metrics, result.legs)
    held = [(percent(share, 0), result.legs.label(leg)) for leg, share in zip(result.legs.names, shares, strict=True)]
    said = rotating_sentence(result, alternatives_of(result))
    for share, label in held:
        assert (f"{share} {label}" in said) == (share != "0%"), said
        assert f"{label} alone" in said
    assert not re.search("small caps|growth", said + result.rule)


@pytest.mark.parametrize("legs", [THREE, TWO], ids=["three legs", "two legs"])
def test_no_page_mixes_one_and_many_or_writes_a_number_in_two_ways(legs: tuple[str, str, str]) -> None:
    out, said = folder_of(*legs)
    pages = [re.sub(r"[0-9a-f]{8,}", "", told(path)) for path in sorted(out.rglob("*.html"))]
    for text in (*pages, said):
        for pattern in (ONE_OF_MANY, MANY_OF_ONE, SPACED):
            found = [text[max(match.start() - 40, 0) : match.end() + 20] for match in pattern.finditer(text)]
            assert found == []
        assert "-0.0" not in text
        assert not re.search(r"−0(?:\.0+)?(?:%| points)", text)


def test_thousands_are_grouped_on_every_page() -> None:
    out, _ = folder_of(*THREE)
    for path in sorted(out.rglob("*.html")):
        text = re.sub(r"<(pre|code|script|style)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert UNGROUPED.findall(re.sub(r"<[^>]*>", " ", text)) == []


def test_every_kind_has_a_verdict_in_the_index_and_every_page_the_way_back() -> None:
    out, _ = folder_of(*TWO)
    rows, _ = rows_of(out)
    assert {row.kind for row in rows} == {"run", "comparison", "sweep", "walk-forward"}
    for row in rows:
        assert row.verdict.endswith(".")
        assert 'href="../index.html"' in (out / row.folder / row.page).read_text(encoding="utf-8")


@pytest.mark.parametrize(("last", "fall"), [(0.03, "−99.97%"), (0.0004, "−99.9996%"), (60.0, "−40%")])
def test_a_fall_that_is_not_total_never_reads_as_total(last: float, fall: str) -> None:
    falling = hand_market("2020-01-06", G=[100.0, 100.0, 90.0, last, last], S=[100.0, 100.0, 100.0, 100.0, 100.0])
    legs = {"growth": LegConfig(G=1.0), "small": LegConfig(S=1.0)}
    config = config_of(
        "static_mix", legs=legs, benchmarks=("S",), tbill=None, start=falling.sessions[0].date(),
        params={"shares": {"growth": 1.0}}, commission_bps=0.0, slippage_bps=0.0,
    )  # fmt: skip
    page = page_of(run(config, REGISTRY, market=falling))
    assert f"The worst fall was {fall}" in page
    assert "−100%" not in page


def explained(switch: object, values: Floats, leans: Floats | None, unit: str = "return") -> str:
    """What `why` says at the last close of two_sides() of one series."""
    result: Result = two_sides()
    lead = Evidence("lead", values, unit, (0.0,), "Lead", leans, "small", switch=switch)  # type: ignore[arg-type]
    decision = Decision(result.decision.shares, [lead])
    row = len(result.market.sessions) - 1
    return "\n".join(lines(explain(decision, result.market, result.legs, "growth", row)))


def test_why_claims_nothing_that_it_has_not_asked() -> None:
    values, yes = np.full(7, 0.0108267), np.ones(7)
    alone = explained(None, values, yes)
    assert "Lead: +1.1 points; at which value it would turn is not said" in alone
    stuck = explained(lambda asked: np.ones(asked.shape), values, yes)
    assert "Lead: +1.1 points; no value of this session flips it" in stuck
    flips = explained(lambda asked: (asked > 0).astype(float), values, yes)
    assert "Lead: +1.1 points; flips below 0.0 points, −1.1 points from here" in flips
    shares = explained(lambda asked: (asked > 0).astype(float), np.full(7, 0.45), yes, "share")
    assert "Lead: 45.0%; flips below 0.0%, −45.0 points from here" in shares


@pytest.mark.parametrize(
    ("value", "leans", "says"),
    [
        (np.nan, np.nan, "not known: abstains"),
        (0.01, np.nan, "has not spoken yet"),
        (0.01, None, "says nothing alone"),
        (0.01, 0.0, "no"),
    ],
)
def test_a_known_value_is_never_called_unknown(value: float, leans: float | None, says: str) -> None:
    said = explained(None, np.full(7, value), None if leans is None else np.full(7, leans))
    assert f"[{says}] Lead: {'not known' if np.isnan(value) else '+1.0 points'}" in said


@pytest.mark.parametrize(
    ("start", "end", "hint"),
    [
        (
            date(2010, 1, 1),
            "2010-12-31",
            "With data.start: 2009-12-31, the last close before it, 2010 would be a whole year.",
        ),
        (date(2009, 12, 31), "2010-12-31", ""),
        (date(2010, 1, 1), "2010-12-17", ""),
    ],
)
def test_a_year_that_lacks_its_base_is_told_with_the_day_that_has_it(start: date, end: str, hint: str) -> None:
    result = result_of(config_of(start=start), market=sample().until(pd.Timestamp(end)))
    assert "".join(line for line in caveats(result) if "whole year" in line) == hint
