"""A study's folder: the schema, the same bytes again, whole or not at all, however it ends."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import multiprocessing
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_studies import common_study, config, study
from work import calls_of, killed_at

from backtest.errors import ResultDiffers
from backtest.metrics import metric_keys
from backtest.pages.comparison import files
from backtest.pages.comparison.files import JSON_FILE, PAGE, TABLE, comparison_csv, hashes_of, write_comparison
from backtest.store.ledger import FILE as LEDGER
from backtest.store.ledger import Ledger
from backtest.store.provenance import Provenance
from backtest.study.as_json import comparison_json, plain
from backtest.study.comparison import Comparison
from strategies import REGISTRY

RUN = "test"

SCHEMA_KEYS = {
    *("schema", "name", "benchmark", "period", "trials", "variants", "best", "spa", "reality_check", "stepm"),
    *("model_confidence_set", "pbo", "static_mix", "verdict"),
}


@pytest.fixture(autouse=True)
def _no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has its own tests; here it is a line."""
    monkeypatch.setattr(files, "page_of", lambda comparison, context: f"<!doctype html>{context.hash8}\n")


def write(comparison: Comparison, root: Path, length: int = 0) -> Any:
    return write_comparison(comparison, REGISTRY, root, Provenance(command=RUN, ledger_length=length))


def test_the_document_has_the_schema_of_the_issue() -> None:
    found = comparison_json(common_study())
    assert found.keys() >= SCHEMA_KEYS
    assert found["schema"] == 2
    assert found["period"].keys() >= {"start", "end", "sessions"}
    assert found["spa"].keys() == {"lower", "consistent", "upper"}
    assert found["trials"] == 5
    assert found["static_mix"].keys() >= {"best_shares", "best_shares_by_cagr", "equal_exposure"}
    assert found["static_mix"]["equal_exposure"].keys() == found["variants"].keys()
    for variant in found["variants"].values():
        assert tuple(variant["metrics"]) == metric_keys(["growth", "small"])
        assert variant["active"].keys() >= {"sharpe", "psr", "dsr", "sharpe_ci", "cagr_difference_ci"}
        assert variant["active"]["sharpe_ci"][0] < variant["active"]["sharpe"] < variant["active"]["sharpe_ci"][1]
    assert found["best"] == max(found["variants"], key=lambda name: found["variants"][name]["active"]["sharpe"])
    assert found["verdict"].startswith(("Nothing", "Not", "Suggestive", "“"))


def test_the_table_has_a_row_per_variant_and_benchmark() -> None:
    comparison = common_study()
    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison))))
    assert list(rows[0]) == ["name", "kind", *metric_keys(["growth", "small"])]
    assert [row["kind"] for row in rows] == ["variant"] * 5 + ["benchmark"] * 3
    assert [row["name"] for row in rows] == [*comparison.names, "QQQ", "IWM", "static_mix_0.5"]
    assert float(rows[1]["cagr"]) == comparison.variants[1].metrics["cagr"]
    assert rows[0]["trades"] == str(comparison.variants[0].metrics["trades"])
    assert rows[5]["beta"] == ""


def test_a_name_that_a_spreadsheet_would_run_is_harmless() -> None:
    assert "\n'=1+1,variant" in comparison_csv(study({"=1+1": config()}))


def test_a_rerun_finds_its_own_folder_unchanged(tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    first = write(study(ledger=ledger), tmp_path, 5)
    again = write(study(ledger=ledger), tmp_path, 5)
    assert (first.is_new, again.is_new) == (True, False)
    assert first.folder == again.folder
    assert first.folder.name.startswith("small-study-")
    manifest = json.loads((first.folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["run"]["ledger_length"]) == ("comparison", 5)
    assert manifest["page"] in manifest["files"]
    check_whole(first.folder)
    assert manifest["period"] == {"start": "2004-06-01", "end": "2006-10-31", "sessions": 631}
    assert (tmp_path / "index.html").exists()


def test_other_trials_make_another_result(tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    before = write(study(ledger=ledger), tmp_path)
    study({"one more": config("strategy.params.lookback_sessions=99")}, ledger=ledger)
    after = write(study(ledger=ledger), tmp_path)
    assert before.folder != after.folder
    assert after.is_new


def test_what_the_hash_depends_on() -> None:
    own = hashes_of(common_study(), REGISTRY)
    assert own == hashes_of(study(), REGISTRY)
    assert own["question"] != hashes_of(study(seed=2), REGISTRY)["question"]
    assert own["question"] != hashes_of(study(benchmark="IWM"), REGISTRY)["question"]


def test_a_folder_that_was_changed_by_hand_is_never_replaced(tmp_path: Path) -> None:
    folder = write(common_study(), tmp_path).folder
    (folder / TABLE).write_text("name\n", encoding="utf-8", newline="\n")
    with pytest.raises(ResultDiffers, match=TABLE):
        write(common_study(), tmp_path)
    assert (folder / TABLE).read_text(encoding="utf-8") == "name\n"


def test_a_shortened_ledger_is_told(tmp_path: Path) -> None:
    ledger = tmp_path / LEDGER
    write(study(ledger=ledger), tmp_path, 5)
    ledger.unlink()
    told = study({"alone": config()}, ledger=ledger, recorded=5).verdict.sentences
    assert any("the ledger knew 4 trials more" in sentence for sentence in told)


def test_a_lost_ledger_makes_another_result(tmp_path: Path) -> None:
    before = write(study(ledger=tmp_path / LEDGER), tmp_path)
    after = write(study(ledger=tmp_path / LEDGER, recorded=9), tmp_path)
    assert after.is_new
    assert before.folder != after.folder


def test_plain_values_are_numpys_own_in_twelve_digits() -> None:
    given = {"a": np.float64(1 / 3), "b": np.array([1, 2]), "c": (np.bool_(True), None), "d": float("nan"), "e": True}
    assert plain(given) == {"a": 0.333333333333, "b": [1, 2], "c": [True, None], "d": None, "e": True}


# ----------------------------------------------------------------------------------------------------------- kill -9


def compare_and_write(root: Path, attempt: int) -> None:
    given = {f"m{attempt}-{n}": config(f"strategy.params.lookback_sessions={5 * attempt + n}") for n in (2, 3, 4)}
    written = write(study(given, ledger=root / LEDGER), root, len(Ledger(root / LEDGER)))
    (root / f"told-{attempt}").write_text(written.folder.name, encoding="utf-8", newline="\n")


def check_whole(folder: Path) -> None:
    """The manifest is there, and every file it names with the bytes it names."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, known in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == known["sha256"]
    assert {JSON_FILE, TABLE, PAGE} <= manifest["files"].keys()


def kill_studies(root: Path, times: int) -> None:
    fork, rng = multiprocessing.get_context("fork"), random.Random(4)
    most = calls_of(lambda: compare_and_write(root, times))
    for attempt in range(times):
        child = fork.Process(target=killed_at, args=(rng.randrange(most), compare_and_write, root, attempt))
        child.start()
        child.join()
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for folder in folders:
        check_whole(folder)
    known = len(Ledger(root / LEDGER))
    for folder in folders:  # a study that stands has all its trials in the ledger
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["trials"]["here"] == 3
        assert manifest["run"]["ledger_length"] <= known
    told = [path.read_text(encoding="utf-8") for path in root.glob("told-*")]
    assert {folder.name for folder in folders} >= set(told)


@pytest.mark.posix
def test_a_study_killed_at_any_moment_leaves_no_half_of_it(tmp_path: Path) -> None:
    kill_studies(tmp_path, 10)


@pytest.mark.posix
@pytest.mark.slow
def test_a_study_killed_at_100_moments_leaves_no_half_of_it(tmp_path: Path) -> None:
    kill_studies(tmp_path, 100)
