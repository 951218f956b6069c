"""The search behind what is shown: one curve has one answer, whoever asks; and its words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_studies import market
from typer.testing import CliRunner

from backtest.cli import app
from backtest.data.calendar import exchange_sessions
from backtest.statistics.findings import Finding, Level, SearchTest
from backtest.statistics.sharpe import Trials
from backtest.store.ledger import Ledger
from backtest.study.search import Search, Shown, calendar_places, search
from backtest.study.verdict import Subject, in_hundred, verdict


def shown(seed: int = 1, curves: int = 4, sessions: int = 600, edge: float = 0.0, **fields: object) -> Shown:
    rng = np.random.default_rng(seed)
    made = market()
    days = made.exchange_sessions[100 : 100 + sessions + 1]
    benchmark = rng.standard_normal(sessions) * 0.01
    lead = rng.standard_t(5, sessions) * 0.01
    held = (rng.random((sessions, curves)) < 0.05).cumsum(axis=0) % 2
    mixes = benchmark[:, None] + held.mean(axis=0) * lead[:, None]
    given = Shown(
        market=made,
        sessions=days,
        command="compare",
        study="three ideas",
        names=tuple(f"idea {i}" for i in range(curves)),
        questions=tuple(f"question {i}" for i in range(curves)),
        returns=benchmark[:, None] + held * (lead[:, None] + edge),
        mixes=mixes,
        benchmark=benchmark[:, None],
        benchmark_name="QQQ",
    )
    return replace(given, **fields)  # type: ignore[arg-type]


def only(given: Shown, i: int) -> Shown:
    return replace(
        given, names=("alone",), questions=("q",), returns=given.returns[:, [i]], mixes=given.mixes[:, [i]], study="one"
    )


def p_of(found: Search, i: int = 0) -> tuple[float, float]:
    test = found.findings[i].ahead
    assert test is not None
    return test.p, found.findings[i].timing.p


def test_a_curve_shown_alone_has_the_answer_it_had_in_its_table(tmp_path: Path) -> None:
    table = shown()
    together = search(table, tmp_path / "ledger")
    alone = [search(only(table, i), tmp_path / "ledger") for i in range(4)]
    assert [p_of(each) for each in alone] == [p_of(together, i) for i in range(4)]
    assert {each.trials for each in alone} == {together.trials} == {4}
    assert (together.here, alone[0].here, alone[0].elsewhere) == (4, 1, 3)
    assert {each.used for each in alone} == {together.used}


def test_a_rerun_has_the_same_answer_and_a_later_search_a_higher_p(tmp_path: Path) -> None:
    first = search(shown(), tmp_path / "ledger")
    again = search(shown(), tmp_path / "ledger")
    assert (again.findings, again.used, again.trials) == (first.findings, first.used, first.trials)
    search(shown(seed=2, curves=40), tmp_path / "ledger")
    later = search(shown(), tmp_path / "ledger")
    assert (later.trials, later.elsewhere) == (44, 40)
    assert all(p_of(later, i)[0] >= p_of(first, i)[0] for i in range(4))
    assert later.used != first.used


def test_without_a_ledger_the_shown_curves_are_all_there_is(tmp_path: Path) -> None:
    alone = search(shown(), None)
    assert (alone.trials, alone.here, alone.has_ledger) == (4, 4, False)
    kept = search(shown(), tmp_path / "ledger")
    assert alone.findings == kept.findings
    assert alone.annual == kept.annual


def test_equal_accounts_are_one_trial(tmp_path: Path) -> None:
    table = shown(curves=2)
    twice = replace(table, names=("a", "b", "c"), questions=("a", "b", "c"), returns=table.returns[:, [0, 1, 0]],
                    mixes=table.mixes[:, [0, 1, 0]])  # fmt: skip
    assert [search(twice, path).trials for path in (None, tmp_path / "ledger")] == [2, 2]


def test_without_a_benchmark_nothing_is_tested_but_the_search_is_remembered(tmp_path: Path) -> None:
    table = shown(benchmark=None, benchmark_name=None)
    found = search(table, tmp_path / "ledger")
    assert {each.level for each in found.findings} == {"nothing_tested"}
    assert all(each.ahead is None for each in found.findings)
    assert search(shown(), tmp_path / "ledger").trials == 8
    timing = [found.findings[i].timing.p for i in range(4)]
    assert timing == [p_of(search(shown(), tmp_path / "ledger"), i)[1] for i in range(4)]


def test_simulated_prices_are_a_search_of_their_own(tmp_path: Path) -> None:
    search(shown(), tmp_path / "ledger")
    assert search(shown(market=replace(market(), is_simulated=True)), tmp_path / "ledger").trials == 4


def test_places_are_counted_on_the_exchanges_calendar() -> None:
    days = exchange_sessions(date(1992, 1, 1), date(1994, 12, 31))
    made, since = replace(market(), exchange_sessions=days), days[days >= "1993-01-04"]
    assert calendar_places(since[:3], made).tolist() == [0, 1, 2]
    assert calendar_places(since[[100, 250]], made).tolist() == [100, 250]
    assert calendar_places(days[days < "1993-01-04"][-2:], made).tolist() == [-2, -1]


def test_a_months_row_is_a_block_of_its_own() -> None:
    months = pd.DatetimeIndex(pd.date_range("2000-01-31", periods=40, freq="ME"))
    places = calendar_places(months, replace(market(), periods_per_year=12))
    assert np.diff(places).tolist() == [21] * 39


def a_test(p: float, t: float = 2.5) -> SearchTest:
    return SearchTest(t, p, 1.2, 2.4, t / 3.16, ((t - 2.4) / 3.16, (t + 2.4) / 3.16), max(0.0, t - 1.2) / 3.16)


FOUND: dict[Level, Finding] = {
    "nothing_tested": Finding("nothing_tested", None, a_test(0.2), 50.0, 900, 10.0, 0.1),
    "too_few_bets": Finding("too_few_bets", a_test(0.01), a_test(0.01), 2.3, 31, 10.0, 0.1),
    "holds": Finding("holds", a_test(0.01), a_test(0.02), 50.0, 900, 10.0, 0.1),
    "suggestive": Finding("suggestive", a_test(0.06), a_test(0.02), 50.0, 900, 10.0, 0.1),
    "ahead_by_exposure": Finding("ahead_by_exposure", a_test(0.01), a_test(0.6), 50.0, 900, 10.0, 0.1),
    "no_better_than_luck": Finding("no_better_than_luck", a_test(0.6, 0.9), a_test(0.6), 50.0, 900, 10.0, 0.1),
    "not_distinguishable": Finding("not_distinguishable", a_test(0.3, 1.4), a_test(0.3), 50.0, 900, 10.0, 0.1),
}
SEARCH = Search((), 1200, 12, Trials(1200, 0.0, 0.1), True, 0, (), "")


@pytest.mark.parametrize("level", list(FOUND))
def test_every_level_has_its_words(level: Level) -> None:
    said = verdict(Subject("momentum", "QQQ", 0.021), FOUND[level], SEARCH)
    assert said.level == level
    text = " ".join((said.headline, *said.sentences))
    assert "nan" not in text
    assert "inf" not in text.split()
    assert "1,200 trials" in text
    assert said.headline.endswith(".")
    assert not any(word in text for word in ("proven", "significant", "outperform"))


def test_one_yardstick_for_the_edge_and_the_years() -> None:
    said = " ".join(verdict(Subject("momentum", "QQQ", 0.021), FOUND["not_distinguishable"], SEARCH).sentences)
    # (2.4 + 0.8416) x 10 % / sqrt(10) = 10.3 % a year; ratio 0.443 of 10 %: (3.2416 / 0.443)^2 = 53.5 years
    assert "10 years of data can show only a true edge of about 10.3% a year" in said
    assert "one as large as the measured 4.4% would take about 54 years" in said


@pytest.mark.parametrize("rows", [slice(300, 600), slice(0, 450), slice(480, 600)])
def test_the_years_of_evidence_are_those_in_which_it_was_known(rows: slice, tmp_path: Path) -> None:
    given = shown(edge=0.001, known=(rows, None, rows, None))
    found = search(given, tmp_path / "ledger").findings
    whole = search(replace(given, known=()), tmp_path / "ledger").findings
    assert (found[1], found[3]) == (whole[1], whole[3])
    for i in (0, 2):
        own = given.active[rows, i]
        assert (found[i].ahead, found[i].level) == (whole[i].ahead, whole[i].level)
        assert (found[i].years, found[i].whole_years) == (len(own) / 252, 600 / 252)
        assert found[i].tracking_error == pytest.approx(own.std() * 252**0.5)
        assert found[i].edge == pytest.approx(own.mean() * 252)
        said = " ".join(verdict(Subject("late", "QQQ", 0.02), found[i], SEARCH).sentences)
        assert f"The {len(own) / 252:.1f} of 2.4 years in which its evidence was known can show only a true" in said


def test_evidence_that_was_never_known_is_no_evidence(tmp_path: Path) -> None:
    found = search(shown(curves=1, known=(slice(600, 600),)), tmp_path / "ledger").findings[0]
    said = " ".join(verdict(Subject("late", "QQQ", 0.02), found, SEARCH).sentences)
    assert found.edge_seen is None
    assert "2.4 years of data say nothing of the whole rule" in said


def test_four_cycles_are_told() -> None:
    said = " ".join(verdict(Subject("cuts", "QQQ", 0.02, cycles=4), FOUND["suggestive"], SEARCH).sentences)
    assert "4 easing cycles: fair coins are right in all of them 1 time in 16" in said


def test_what_is_wrong_with_the_ledger_is_told() -> None:
    bad = replace(SEARCH, forgotten=216, damaged=("trials.ledger: bytes 5 to 9: torn",))
    said = " ".join(verdict(Subject("x", "QQQ", 0.02), FOUND["holds"], bad).sentences)
    assert "forget 216 trials" in said
    assert "bytes 5 to 9" in said
    none = verdict(Subject("x", "QQQ", 0.02), FOUND["holds"], replace(SEARCH, has_ledger=False))
    assert "Corrected for the 12 shown only" in " ".join(none.sentences)


def test_a_ledger_that_knows_less_than_a_result_recorded_is_told(tmp_path: Path) -> None:
    found = search(shown(), tmp_path / "ledger", recorded=9)
    assert (found.length, found.lost) == (4, 5)
    assert found.used != search(shown(), tmp_path / "ledger").used
    said = verdict(Subject("x", "QQQ", 0.02), found.findings[0], found).sentences
    assert any("the ledger knew 5 trials more" in sentence for sentence in said)


def test_tables_of_the_same_command_count_as_tried(tmp_path: Path) -> None:
    every, best = shown(seed=3, curves=30), only(shown(seed=3, curves=30), 7)
    tables = [replace(every, names=every.names[a:b], questions=every.questions[a:b], returns=every.returns[:, a:b],
                      mixes=every.mixes[:, a:b]) for a, b in ((0, 10), (10, 30))]  # fmt: skip
    for path in (None, tmp_path / "ledger"):
        found = search(best, path, tables)
        assert (found.trials, found.here, found.annual.count) == (30, 30, 30)
        assert p_of(found) == p_of(search(every, None), 7)


def test_chances_are_counts_of_a_hundred() -> None:
    assert [in_hundred(p) for p in (0.0005, 0.05, 0.4, 1.0)] == ["fewer than 1", "5", "40", "all"]


def test_trials_are_seen_exported_merged_and_forgotten(tmp_path: Path) -> None:
    ledger, other, run = tmp_path / "ledger", tmp_path / "other", CliRunner()
    table = shown()
    search(table, ledger)
    search(replace(shown(seed=5), study="another"), other)

    def said(*arguments: str) -> str:
        done = run.invoke(app, ["trials", *arguments, "--ledger", str(ledger)])
        assert done.exit_code == 0, done.output
        return done.output

    assert "4 trials, 0 forgotten" in said("list")
    assert "three ideas" in said("list")
    assert "4 trials added" in said("merge", str(other))
    assert "0 trials added" in said("merge", str(other))
    rows = said("export").splitlines()
    assert (len(rows), rows[0].split(",")[0]) == (9, "trial")
    assert "idea 3" in rows[4]
    assert "4 trials are forgotten" in said("forget", "--study", "another")
    assert "4 trials, 4 forgotten" in said("list")
    assert search(table, ledger).forgotten == 4
    assert len(Ledger(ledger)) == 4
