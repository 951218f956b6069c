"""The list of all results: what it says of each, what tells them apart, and how it looks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_up_index import LONG, VERDICT, a_run, make, one
from made_up_results import CONTENT, DAMAGES, result
from test_page_browser import browser, opened, requests_of

from backtest.commands.results import list_results
from backtest.pages.index import render_index, rows_of, spark_path, write_index
from backtest.store.manifest import MANIFEST, METRICS
from backtest.store.tables import json_text

__all__ = ["browser"]


def at(folder: Path, when: str) -> Path:
    """The result as if made then."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["run"]["finished"] = when
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8", newline="\n")
    return folder


def test_results_are_listed_newest_first_with_their_figures(tmp_path: Path) -> None:
    older = at(a_run(tmp_path, 0.1), "2026-01-01T10:20:30+00:00")
    newer = at(a_run(tmp_path, 0.13, lookback_sessions=9), "2026-01-02T10:20:30+00:00")
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert page.index(f'href="{newer.name}/report.html"') < page.index(f'href="{older.name}/report.html"')
    for shown in ("10.0%", "13.0%", "−50.0%", "QQQ 12.0%", "2001-07-31", "2026-01-02", "10:20"):
        assert shown in page
    first, second = rows_of(tmp_path)[0]
    assert first.ahead == pytest.approx(0.01)
    assert second.ahead == pytest.approx(-0.02)


def test_results_of_one_name_say_what_each_has_otherwise(tmp_path: Path) -> None:
    make(tmp_path)
    rows, damaged = rows_of(tmp_path)
    told = {(row.kind, row.apart) for row in rows}
    assert told == {
        ("run", "lookback_sessions 63, threshold 0"),
        ("run", "lookback_sessions 126, threshold 0"),
        ("run", "lookback_sessions 126, threshold 0.01"),
        ("run", "lookback_sessions 252, threshold 0"),
        ("comparison", "data aaaaaa"),
        ("comparison", "data bbbbbb"),
        ("sweep", ""),
        ("walk-forward", ""),
    }
    assert [line.split(": ")[0] for line in damaged] == [str(next(tmp_path.glob("damaged-*")) / MANIFEST)]


def test_many_differences_are_cut_and_long_values_shortened(tmp_path: Path) -> None:
    for k in range(2):
        one(tmp_path, "sweep", "s", {f"strategy.params.p{j}": [k, *range(9)] for j in range(6)}, "sweep.html")
    apart = rows_of(tmp_path)[0][0].apart
    assert apart in [f"p0 {k} to 8 (10), p1 {k} to 8 (10), p2 {k} to 8 (10) and 3 more" for k in range(2)]


def test_the_same_question_by_other_code_says_so(tmp_path: Path) -> None:
    for code in "ef":
        one(tmp_path, "run", "again", {"strategy.name": "rate_cut"}, "report.html", hashes={"code": code * 64},
            files={METRICS: json_text(CONTENT), "report.html": ""})  # fmt: skip
    assert {row.apart for row in rows_of(tmp_path)[0]} == {"code eeeeee", "code ffffff"}


def test_every_kind_has_its_verdict_and_its_link(tmp_path: Path) -> None:
    make(tmp_path)
    rows, _ = rows_of(tmp_path)
    assert all(row.verdict for row in rows)
    page = write_index(tmp_path).read_text(encoding="utf-8")
    for row in rows:
        assert f'href="{row.folder}/{row.page}"' in page
        assert (tmp_path / row.folder / row.page).is_file()
    assert VERDICT in page


def test_a_name_and_a_verdict_are_text_and_no_markup(tmp_path: Path) -> None:
    one(tmp_path, "comparison", "a", {"<b>": "<i>"}, "comparison.html", headline="Like holding <script>QQQ</script>.")
    one(tmp_path, "comparison", "a", {"<b>": "<u>"}, "comparison.html")
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert "Like holding &lt;script&gt;QQQ&lt;/script&gt;." in page
    assert "&lt;b&gt; &lt;i&gt;" in page


def test_results_of_schema_1_are_listed_with_a_verdict_from_their_figures(tmp_path: Path) -> None:
    folder = result(tmp_path, "old").folder
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for key in ("page", "headline", "asked"):
        del manifest[key]
    (folder / MANIFEST).write_text(json.dumps({**manifest, "schema": 1}), encoding="utf-8", newline="\n")
    (row,), damaged = rows_of(tmp_path)
    assert (row.page, row.verdict, damaged) == ("report.html", "10.0% a year, 2.0 points less than QQQ.", [])


def test_metrics_of_schema_2_are_read(tmp_path: Path) -> None:
    figures = {**CONTENT["strategy"], "exposure_small": 0.4, "shares": {"small": 0.4, "cash": None}}  # type: ignore[dict-item]
    result(tmp_path, files={METRICS: json_text({**CONTENT, "schema": 2, "strategy": figures})})
    (row,), damaged = rows_of(tmp_path)
    assert (row.figures["cagr"], row.figures["exposure_small"], damaged) == (0.1, 0.4, [])


def test_a_damaged_folder_is_named_and_hides_no_other(tmp_path: Path) -> None:
    good = a_run(tmp_path, 0.1)
    DAMAGES["manifest: torn"](result(tmp_path, "bad").folder)
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert "Damaged, and left out" in page
    assert "/manifest.json: is damaged" in page
    assert f'href="{good.name}/report.html"' in page


def test_an_unfinished_temporary_folder_is_not_listed(tmp_path: Path) -> None:
    a_run(tmp_path, 0.1).rename(tmp_path / ".tmp-x-1-abc")
    assert "No results yet" in write_index(tmp_path).read_text(encoding="utf-8")


def test_an_empty_list_says_so() -> None:
    assert "No results yet." in render_index([], [])


def test_the_line_of_a_doubling_twice_is_straight_on_a_log_scale() -> None:
    assert spark_path([1.0, 2.0, 4.0]) == "M0.0,28.0L52.0,15.0L104.0,2.0"
    assert spark_path([1.0]) == ""


def test_the_terminal_lists_what_the_page_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path)
    list_results(tmp_path, as_json=False)
    shown = capsys.readouterr()
    list_results(tmp_path, as_json=True)
    documents = json.loads(capsys.readouterr().out)
    rows, damaged = rows_of(tmp_path)
    assert [Path(each["folder"]).name for each in documents] == [row.folder for row in rows]
    assert shown.err.splitlines() == damaged
    for row, document in zip(rows, documents, strict=True):
        assert (document["kind"], document["verdict"], document["apart"]) == (row.kind, row.verdict, row.apart)
        assert Path(document["page"]).is_file()
        for said in (row.name, row.apart, row.verdict, f"{row.begin} to {row.end}", row.made):
            assert said in shown.out
    list_results(tmp_path / "nowhere", as_json=False)
    assert capsys.readouterr().out.startswith("no results in")


# ---------------------------------------------------------------------------------------------------- in the browser


def shown_rows(page: Any) -> list[str]:
    script = "return [...document.querySelectorAll('#results tbody tr')].filter(r => !r.hidden).map(r => r.innerText)"
    return list(page.execute_script(script))


@pytest.mark.browser
@pytest.mark.parametrize(("width", "is_dark"), [(390, True), (390, False), (1024, False), (1440, False), (1440, True)])
def test_it_is_silent_and_no_wider_than_the_screen(browser: Any, tmp_path: Path, width: int, is_dark: bool) -> None:
    make(tmp_path)
    page = opened(browser, write_index(tmp_path).as_uri(), width, is_dark=is_dark)
    assert len(shown_rows(page)) == 8
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    too_wide = (
        "return [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    )
    assert page.execute_script(f"{too_wide}.length") == 0
    assert requests_of(page) == []
    assert page.get_log("browser") == []


@pytest.mark.browser
def test_it_is_sorted_and_filtered(browser: Any, tmp_path: Path) -> None:
    make(tmp_path)
    page = opened(browser, write_index(tmp_path).as_uri())
    page.execute_script("document.querySelector('[data-side=\"sweep\"]:is(button)').click()")
    (row,) = shown_rows(page)
    assert LONG in row
    page.execute_script("document.querySelector('[data-side=\"\"]').click()")
    page.execute_script("const i = document.querySelector('.tools input'); i.value = 'threshold 0.01'; i.oninput()")
    (row,) = shown_rows(page)
    assert "10.4%" in row
    page.execute_script("const i = document.querySelector('.tools input'); i.value = ''; i.oninput()")
    heads = "[...document.querySelectorAll('#results thead th')]"
    page.execute_script(f"{heads}.find(h => h.innerText.startsWith('Return')).querySelector('button').click()")
    returns = [next(cell for cell in row.split() if cell.endswith("%")) for row in shown_rows(page)[:4]]
    assert returns == ["13.1%", "10.4%", "9.2%", "8.0%"]
