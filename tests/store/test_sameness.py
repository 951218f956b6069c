"""A rerun on another processor or with other libraries: the same figures are the same answer, other ones are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up_results import CONTENT, EQUITY, result

from backtest.errors import ResultDiffers
from backtest.store import folder as store
from backtest.store import provenance
from backtest.store.manifest import MANIFEST, METRICS
from backtest.store.sameness import first_move, in_one_schema
from backtest.store.tables import json_text

OTHER = "same figures, other libraries"


def metrics(cagr: Any) -> str:
    return json_text({**CONTENT, "strategy": {**CONTENT["strategy"], "cagr": cagr}})  # type: ignore[dict-item]


@pytest.fixture(params=["libraries", "processor"])
def upgrade(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Calling it makes every later result one of other libraries, or of another processor."""

    def change() -> None:
        if request.param == "libraries":
            others = {**provenance.versions(), "pandas": "99.1"}
            monkeypatch.setattr(store, "versions", lambda: others)
        else:
            monkeypatch.setattr(provenance, "machine", lambda: "Linux, another processor")

    return change


def test_the_last_bits_may_differ_and_the_folder_stays(tmp_path: Path, upgrade: Callable[[], None]) -> None:
    first = result(tmp_path, files={"sweep.parquet": b"\x00\x01"})
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    upgrade()
    moved = {
        METRICS: metrics(0.1 * (1 + 9e-10)),
        "equity.csv": EQUITY.replace("100123.45678901234", "100123.45678901235"),
        "report.html": "<!doctype html>another chart library\n",
        "sweep.parquet": b"\x00\x02",
    }
    again = result(tmp_path, files=moved)
    assert (again.folder, again.state, again.is_new) == (first.folder, OTHER, False)
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (METRICS, metrics(0.1 * (1 + 2e-9)), r"strategy\.cagr: 0\.1 then, 0\.10000000"),
        (METRICS, metrics(None), r"strategy\.cagr: 0\.1 then, None now"),
        (METRICS, metrics("0.1"), r"strategy\.cagr"),
        (METRICS, json_text({**CONTENT, "warnings": ["beware"]}), "warnings"),
        (METRICS, json_text({**CONTENT, "more": 1}), "content"),
        ("equity.csv", EQUITY.replace("100123.4", "100123.5"), r"line 3, equity: 100123\.4567"),
        ("equity.csv", EQUITY.replace(",2\n", ",3\n"), "line 3, rebalances: 2 then, 3 now"),
        ("equity.csv", EQUITY.replace("2020-01-03", "2020-01-06"), "line 3, date"),
        ("equity.csv", EQUITY.replace("equity", "value"), "lines then"),
        ("equity.csv", EQUITY + "2020-01-06,1.0,2\n", "3 lines then, 4 now"),
        ("equity.csv", EQUITY.replace(",2\n", ",2,9\n"), "line 3: 3 cells then, 4 now"),
    ],
)
def test_more_than_the_last_bits_is_another_answer(
    tmp_path: Path, upgrade: Callable[[], None], file: str, content: str, told: str
) -> None:
    result(tmp_path)
    upgrade()
    with pytest.raises(ResultDiffers, match=told) as caught:
        result(tmp_path, files={file: content})
    assert str(tmp_path / "made-up-") in str(caught.value)
    assert file in str(caught.value)


def test_nothing_may_differ_with_the_same_libraries_on_the_same_processor(tmp_path: Path) -> None:
    result(tmp_path)
    with pytest.raises(ResultDiffers, match=r"metrics\.json: this run gave other bytes"):
        result(tmp_path, files={METRICS: metrics(0.1 * (1 + 9e-10))})


def test_a_zero_may_be_what_is_left_of_a_difference(tmp_path: Path, upgrade: Callable[[], None]) -> None:
    result(tmp_path, files={METRICS: metrics(0.0)})
    upgrade()
    assert result(tmp_path, files={METRICS: metrics(-1.9e-16)}).state == OTHER


def test_a_file_changed_by_hand_is_told_by_other_libraries_too(tmp_path: Path, upgrade: Callable[[], None]) -> None:
    folder = result(tmp_path).folder
    page = folder / "report.html"
    page.write_text(page.read_text(encoding="utf-8") + "<p>ten times as much</p>", encoding="utf-8", newline="\n")
    upgrade()
    with pytest.raises(ResultDiffers, match=r"report\.html: is not the file that was written"):
        result(tmp_path)


def test_another_line_in_the_manifest_is_another_answer(tmp_path: Path, upgrade: Callable[[], None]) -> None:
    result(tmp_path)
    upgrade()
    with pytest.raises(ResultDiffers, match=r"manifest\.json: headline: It was\. then, It was not\. now"):
        result(tmp_path, headline="It was not.")


def test_versions_stand_in_the_manifest_alone(tmp_path: Path) -> None:
    manifest = json.loads((result(tmp_path).folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["versions"]["pandas"] == provenance.versions()["pandas"]
    assert manifest["run"]["machine"] == provenance.machine()


def test_what_stands_in_schema_1_is_compared_under_the_names_of_schema_2() -> None:
    def document(schema: int, longest: str, **more: float) -> bytes:
        return json_text({"schema": schema, "strategy": {"cagr": 0.1, longest: 12, **more}}).encode()

    old = document(1, "max_drawdown_sessions", exposure_small=0.4)
    new = document(2, "longest_drawdown_sessions", exposure_growth=0.5, exposure_small=0.3)
    same, other = in_one_schema(METRICS, old, new)
    assert same == other
    assert b"longest_drawdown_sessions" in same
    then, now = in_one_schema(METRICS, old, new.replace(b"12", b"13"))
    assert first_move(METRICS, then, now) == "strategy.longest_drawdown_sessions: 12 then, 13 now"
    assert in_one_schema(METRICS, new, new) == (new, new)
    table = b"name,max_drawdown_sessions,exposure_small,trades\na,12,0.4,3\n"
    then, now = in_one_schema(
        "sweep.csv", table, b"name,longest_drawdown_sessions,exposure_growth,trades\na,12,0.6,4\n"
    )
    assert then == b"name,longest_drawdown_sessions,trades\na,12,3"
    assert first_move("sweep.csv", then, now) == "line 2, trades: 3 then, 4 now"
