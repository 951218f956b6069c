"""`backtest events`: its JSON, its folder, mistakes of study files; lists and pairs by hand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worlds import PAIR, market_of, weekdays

import backtest
from backtest import cli
from backtest.config.events import load_event_study, split_pair, window_of
from backtest.errors import ConfigError
from backtest.events.cells import EventPrices, Pair, cell_of
from backtest.events.lists import LISTS, ListTerms, cycle_of, dated_list, event_list, turns
from backtest.events.regimes import thirds_of
from backtest.events.study import EventList, members_of, paths_of
from backtest.market import Market
from backtest.registry import registry

ROOT = Path(__file__).parents[2]
BASE = ROOT / "configs" / "quickstart.yaml"

CELL = {
    "n", "mean", "median", "hit", "t_naive", "t_nonoverlapping", "n_nonoverlapping", "t_calendar_time", "p_placebo",
    "unconditional_mean",
}  # fmt: skip


def _ask(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main([*map(str, arguments)])
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


@pytest.fixture
def asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def ask(*arguments: object) -> tuple[int, str, str]:
        return _ask(
            capsys, "events", *arguments, "--out", tmp_path / "out", "--ledger", tmp_path / "trials", "--offline"
        )

    return ask


def test_one_question_without_a_study_file_gives_the_promised_document(asked: Any, tmp_path: Path) -> None:
    question = BASE, "--event", "cuts", "--pair", "IWM-QQQ", "--windows", "21,252", "--json"
    code, out, _ = asked(*question)
    found = json.loads(out)
    assert code == 0
    assert found["schema"] == 1
    assert "compounded" in found["measure"]
    cells = found["pairs"]["IWM-QQQ"]["cuts"]
    assert list(cells) == ["21", "252"]
    assert all(set(cell) >= CELL for cell in cells.values())
    assert 0 < cells["252"]["p_placebo"] <= 1
    assert set(found["verdict"]) >= {"key", "text"}
    folder = Path(found["folder"])
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "events.html",
        "events.json",
        "windows.csv",
        "events.csv",
        "study.yaml",
        "base.yaml",
        "manifest.json",
    }
    again = json.loads(asked(*question)[1])
    assert again == found  # the same folder, and its own trials do not count against it
    assert "events.html" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


DOCS = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
LINES = re.findall(r"^(backtest events configs/[^#\n]*)", DOCS, re.MULTILINE)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split()[2])
def test_each_command_of_the_documentation_answers(asked: Any, line: str) -> None:
    _, _, file, *options = shlex.split(line)
    code, out, err = asked(ROOT / file, *options, *([] if "--json" in options else ["--json"]))
    assert code == 0, err
    found = json.loads(out)
    assert found["simulated"]
    assert found["verdict"]["key"] in ("no_better_than_luck", "not_distinguishable")  # the sample knows nothing of cuts
    assert found["events"]["cuts"] == 28


def test_a_result_runs_again_from_its_folder(asked: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = asked(BASE, "--event", "hikes", "--pair", "small-growth", "--windows", "63,-1:0", "--dates",
                         "2008-09-15,2020-03-16", "--json")  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert found["events"]["days"] == 2
    folder = Path(found["folder"])
    code, out, err = _ask(capsys, "verify", folder)
    assert (code, err) == (0, "")
    assert "the same to the last bit" in out


def test_all_mistakes_of_a_study_file_are_told_with_line_and_key(tmp_path: Path, asked: Any) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(
        f"name: s\nbase: {BASE}\nevents:\n  lists: [cuts, hiks]\n  windows: [21, 0]\n  pair: [IWM-QQQ]\n"
        "  gap_days: many\n",
        encoding="utf-8", newline="\n",
    )  # fmt: skip
    code, _, err = asked(study)
    lines = err.splitlines()
    assert code == 2
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in lines] == ["4", "5", "6", "7"]
    assert "did you mean hikes?" in lines[0]
    assert "events.windows[1]" in lines[1]
    assert "did you mean pairs?" in lines[2]
    assert not (tmp_path / "out").exists()


def test_in_a_notebook_the_same_question_has_a_frame_and_a_page(tmp_path: Path) -> None:
    found = backtest.event_study(
        {"name": "n", "base": str(BASE), "events": {"lists": ["hikes"], "pairs": ["small-growth"], "windows": [21]}}
    )
    assert found.frame["n"].tolist() == [len(found.cells[0].sample.values)]
    assert found.frame["event"].tolist() == ["hikes"]
    assert "small caps over growth" in repr(found)
    page = found.report(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Simulated data" in page
    assert "The path around each event" in page


def test_mistakes_of_the_command_line_name_the_option(asked: Any) -> None:
    for option, value in (("--event", "cutz"), ("--windows", "0"), ("--windows", "a"), ("--dates", "2020-13-01")):
        code, _, err = asked(BASE, option, value)
        assert code == 2, option
        assert option in err
        assert "Input should" not in err
    code, _, err = asked(BASE, "--pair", "iwm-qqq")
    assert code == 2
    assert "iwm" in err


def test_days_that_are_no_events_and_sides_that_are_the_same_are_told(asked: Any) -> None:
    days = "1990-01-02,2010-01-02,2010-01-03,2010-01-04,2030-01-02"
    code, out, _ = asked(BASE, "--dates", days, "--pair", "IWM-QQQ", "--windows", "5")
    assert code == 0
    assert "after a day of your own" in out
    assert "The one complete window made" in out
    assert " of 1 cycle is above 0" in out
    assert "! Of days, 1990-01-02 and 2030-01-02 lie outside the data." in out
    assert "! Of days, 3 days fall on 1 session, each one event." in out
    code, _, err = asked(BASE, "--pair", "IWM-IWM")
    assert code == 2
    assert "whose sides hold the same" in err


def test_a_label_with_the_word_over_is_one_side() -> None:
    sides = PAIR["small"], PAIR["growth"]
    pairs = Pair("S-G", ("all over it", "G"), *sides), Pair("B", ("half",), {"G": 0.5}, {})
    members = members_of(_world({}), pairs)
    assert [name for name in members if name.endswith("the mean of all")] == [
        f"{side} over the mean of all" for side in ("all over it", "G", "half")
    ]


def test_pairs_are_read_as_legs_before_tickers_and_a_doubtful_one_is_refused() -> None:
    assert split_pair("IWM-QQQ") == ("IWM", "QQQ")
    assert split_pair("SPY") == ("SPY", None)
    assert split_pair("small-cap-growth", ["small-cap", "growth"]) == ("small-cap", "growth")
    with pytest.raises(ValueError, match="one - between"):
        split_pair("BRK-B-SPY")


def test_a_window_is_sessions_after_day_0_or_two_ends() -> None:
    assert window_of(21) == (0, 21)
    assert window_of([-1, 0]) == (-1, 0)
    for wrong in (0, -3, [3, 1], [1], "21", 9999, True):
        if wrong is True:
            continue
        with pytest.raises(Exception, match="sessions after day 0"):
            window_of(wrong)


def test_a_config_is_a_study_of_cuts_by_its_legs_and_overrides_change_the_terms() -> None:
    study = load_event_study(BASE, strategies=registry(), overrides=["events.windows=[5]", "data.start=2010-01-04"])
    assert study.terms.windows == ((0, 5),)
    assert str(study.config.data.start) == "2010-01-04"
    with pytest.raises(ConfigError, match="unknown key"):
        load_event_study(BASE, strategies=registry(), overrides=["events.wndows=[5]"])


EXCHANGE = weekdays("2003-01-01", "2006-12-31")


def _world(changes: dict[str, int], opens: float = 1.0) -> Market:
    days = EXCHANGE[EXCHANGE >= "2004-01-05"][:300]
    steps = np.arange(300)
    close = pd.DataFrame({"G": 100 * 1.001**steps, "S": 100 * 1.002**steps}, index=days)
    return market_of(close * opens, close, exchange=EXCHANGE, changes=changes)


CHANGES = {
    "2003-06-25 14:15": -25,  # before the first price
    "2004-01-08 14:15": 25,
    "2004-02-03 14:15": -50,
    "2004-02-10 18:00": -25,  # after the close: the next session
    "2004-03-16 14:15": 0,
    "2004-06-30 14:15": 25,
}


def _days(market: Market, name: str) -> list[str]:
    return [f"{market.sessions[row]:%m-%d}" for row in event_list(market, name, ListTerms()).rows]


def test_lists_of_decisions_by_hand() -> None:
    market = _world(CHANGES)
    assert _days(market, "cuts") == ["02-03", "02-11"]
    assert _days(market, "first_cuts") == ["02-03"]
    assert _days(market, "last_cuts") == ["02-11"]
    assert _days(market, "hikes") == ["01-08", "06-30"]
    assert _days(market, "meetings_without_move") == ["03-16"]
    assert _days(market, "intermeeting_cuts") == []
    rows, names = turns(market, ListTerms())
    assert names == ["easing from 2003-06", "tightening from 2004-01", "easing from 2004-02", "tightening from 2004-06"]
    assert cycle_of(event_list(market, "cuts", ListTerms()).rows, rows, names) == ["easing from 2004-02"] * 2


@pytest.mark.parametrize("name", [name for name, kind in LISTS.items() if not kind.needs and not kind.is_hindsight])
def test_no_list_knows_what_comes_later(name: str) -> None:
    market = _world(CHANGES)
    terms = ListTerms(surge_of={"S": 1.0}, surge_over={"G": 1.0}, surge_gain=0.005)
    whole = event_list(market, name, terms).rows
    for end in range(10, 300, 17):
        cut = event_list(market.until(market.sessions[end]), name, terms).rows
        assert cut.tolist() == whole[whole <= end].tolist()


def test_days_of_ones_own_are_known_at_the_close_of_their_session_or_the_next() -> None:
    market = _world({"2003-06-25 14:15": -25})
    found = dated_list(market, "mine", [pd.Timestamp(d).date() for d in ("2004-01-10", "2004-01-07", "1999-01-01")])
    assert [f"{market.sessions[row]:%m-%d}" for row in found.rows] == ["01-07", "01-12"]


def test_a_window_begins_at_the_close_of_day_0_and_the_next_open_is_told_beside_it() -> None:
    market = _world(CHANGES, opens=0.99)
    prices = EventPrices.of(market, 0, Pair("S-G", ("S", "G"), PAIR["small"], PAIR["growth"]))
    events = EventList("mine", "one of mine", np.array([10, 290]))
    cell = cell_of(prices, events, (0, 20), turns(market, ListTerms()))
    assert cell.sample.rows.tolist() == [10]  # the other is not complete
    assert cell.sample.mean == pytest.approx(1.002**20 - 1.001**20)
    assert cell.unconditional == pytest.approx(1.002**20 - 1.001**20)
    assert cell.from_open == pytest.approx((1.002**19 - 1.001**19) / 0.99)
    assert np.count_nonzero(cell.curve) == 299  # every session, the incomplete window's as well


def test_paths_leave_day_0_out_of_both_halves() -> None:
    market = _world(CHANGES)
    found = paths_of(market, EventList("mine", "one", np.array([2])), Pair("S", ("S",), PAIR["small"], {}), 3, 5)
    assert np.isnan(found.before[0, 0])  # before the first price
    assert found.before[0, -1] == 0
    assert found.day0[0] == pytest.approx(0.002)
    assert found.after[0, 0] == 0
    assert found.after[0, 5] == pytest.approx(1.002**5 - 1)


def test_only_cycles_that_are_over_have_thirds() -> None:
    market = _world(CHANGES)
    daily = Pair("S-G", ("S", "G"), PAIR["small"], PAIR["growth"]).gain(market, 1)
    found = thirds_of(market, 0, {"S-G": daily}, 365)
    assert [third.part for third in found] == ["first", "middle", "last"]
    assert all(third.cycles.names == ("easing from 2004-02",) for third in found)
    open_ended = _world({key: change for key, change in CHANGES.items() if "06-30" not in key})
    early = open_ended.until(open_ended.sessions[200])
    assert thirds_of(early, 0, {"S-G": daily[:201]}, 365)[0].cycles.names == ()


def test_an_event_study_is_checked_and_other_commands_name_the_one_that_answers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shipped = ROOT / "configs" / "events_cuts.yaml"
    code, out, _ = _ask(capsys, "check", shipped)
    assert code == 0
    assert "right; an event study of 3 pairs: 34 cuts, 4 first_cuts and 40 hikes in all" in out
    for command in ("run", "compare", "sweep"):
        code, _, err = _ask(capsys, command, shipped, "--out", tmp_path / "out")
        assert code == 2
        assert "this is an event study, ask it with: backtest events events_cuts.yaml" in err
    assert not (tmp_path / "out").exists()
