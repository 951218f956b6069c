"""The trial ledger: nothing that was tried is forgotten, nothing counts twice, whatever happens to the writers."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import select
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from backtest.store.trial_ledger import (
    LEDGER,
    Place,
    SweptTrials,
    Trial,
    TrialLedger,
    ledger_length,
    record_run,
    trial_hash,
)
from backtest.study.trials import search_size
from hypothesis import given, settings
from hypothesis import strategies as st
from small_studies import config, market

from backtest.errors import WriteError
from backtest.pipeline import run
from backtest.statistics.sharpe import Trials
from backtest.store.manifest import longest_ledger
from strategies import REGISTRY

PLACE = Place(("IWM", "QQQ"), "real total_return")
OTHER = Place(("IWN", "IVW"), "real total_return")


def trial(question: str, place: Place = PLACE, **fields: object) -> Trial:
    given = {"family": "rate_cut", "data_sha256": "d", "benchmark": "QQQ", "active_sharpe": 0.1, "sharpe": 0.5}
    return Trial(place=place, question_sha256=question, sessions=100, **{**given, **fields})  # type: ignore[arg-type]


def sweep(name: str, variants: int, **fields: object) -> SweptTrials:
    given = {
        "place": PLACE,
        "family": "rate_cut",
        "data_sha256": "d",
        "benchmark": "QQQ",
        "mean": 0.2,
        "variance": 0.01,
    }
    return SweptTrials(sweep_sha256=name, variants=variants, sessions=100, **{**given, **fields})  # type: ignore[arg-type]


def ledger_of(path: Path, *entries: Trial | SweptTrials) -> TrialLedger:
    ledger = TrialLedger(path)
    for entry in entries:
        ledger.record(entry)
    return ledger


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    entries = [trial("a", active_sharpe=None), sweep("s", 9), trial("b", benchmark=None, sharpe=0.1 + 0.2)]
    ledger_of(tmp_path / LEDGER, *entries)
    again = TrialLedger(tmp_path / LEDGER)
    assert (again.trials, again.sweeps) == ([entries[0], entries[2]], [entries[1]])
    assert again.length == ledger_length(tmp_path) == 3
    first = json.loads((tmp_path / LEDGER).read_text().splitlines()[0])
    assert first["schema"] == 1
    assert first["key"] == {"tickers": ["IWM", "QQQ"], "prices": "real total_return", "family": "rate_cut"}


def test_the_same_question_counts_once(tmp_path: Path) -> None:
    more_data, other_benchmark = trial("a", data_sha256="e"), trial("a", benchmark="IWM")
    ledger = ledger_of(tmp_path / LEDGER, trial("a"), trial("a"), more_data, other_benchmark, trial("b"))
    assert ledger.length == 4  # the second line is the first again
    assert ledger.count(PLACE) == 2


def test_a_sweep_counts_its_variants_and_only_once(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path / LEDGER, sweep("s", 400), sweep("s", 400, data_sha256="e"), sweep("t", 10), trial("a"))
    assert ledger.count(PLACE) == 411


def test_other_tickers_and_other_families_are_counted_apart(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path / LEDGER, trial("a"), trial("b", family="momentum"), trial("c", OTHER))
    assert ledger.count(PLACE) == 2
    assert ledger.count(PLACE, "momentum") == 1
    assert ledger.count(OTHER) == 1


def test_a_name_and_other_benchmarks_make_no_other_trial() -> None:
    assert trial_hash(config("name=renamed", "benchmarks=[IWM]")) == trial_hash(config())
    assert trial_hash(config("strategy.params.lookback_sessions=22")) != trial_hash(config())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(cut=st.integers(0, 400))
def test_a_torn_last_line_costs_at_most_that_line(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("ledger") / LEDGER
    ledger_of(path, trial("a"), trial("b"))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(0, len(whole) - cut)])
    survivors = path.read_bytes().count(b"\n")
    ledger = TrialLedger(path)
    assert [t.question_sha256 for t in ledger.trials] == ["a", "b"][:survivors]
    ledger.record(trial("c"))
    again = TrialLedger(path)
    # A line that lost only its end-of-line is whole again once the next one has begun.
    names = [t.question_sha256 for t in again.trials]
    assert names[-1] == "c"
    assert names[:-1] in (["a", "b"][:survivors], ["a", "b"][: survivors + 1])


def test_what_is_no_trial_is_passed_over_and_counted_as_such(tmp_path: Path) -> None:
    path = tmp_path / LEDGER
    ledger_of(path, trial("a"))
    line = path.read_text()
    other = [line.replace('"schema":1', '"schema":2'), line.replace("0.5", '"x"'), "[]\n", "{}\n", "\xff\n", "\n"]
    path.write_text(line + "".join(other), encoding="latin-1")
    ledger = TrialLedger(path)
    assert (ledger.length, ledger.unreadable) == (1, 5)


def test_a_ledger_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / LEDGER).mkdir()
    with pytest.raises(WriteError, match=r"trials\.jsonl"):
        TrialLedger(tmp_path / LEDGER)


def test_a_run_is_recorded_once_and_tells_the_length(tmp_path: Path) -> None:
    result = run(config(), REGISTRY, market=market())
    assert [record_run(result, tmp_path), record_run(result, tmp_path)] == [1, 1]
    known = TrialLedger(tmp_path / LEDGER).trials[0]
    assert known.active_sharpe == result.metrics["information_ratio"]
    assert known.sharpe == result.metrics["sharpe"]
    assert (known.benchmark, known.sessions) == ("QQQ", len(result.sessions) - 1)
    assert known.place == Place(("IVW", "IWM", "IWN", "QQQ"), "real total_return")


def test_a_shortened_ledger_shows(tmp_path: Path) -> None:
    hashes = dict.fromkeys(("hash", "question_sha256", "data_sha256", "code_sha256"), "0" * 64)
    for name, length in (("a", 7), ("b", 3), ("c", None), ("d", -9), ("e", "12"), ("f", 1e400)):
        (tmp_path / name).mkdir()
        run_fields = {"finished": "2026", "ledger_length": length}
        manifest = {"name": name, "kind": "run", "is_simulated": False, "files": {}, **hashes, "run": run_fields}
        (tmp_path / name / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "manifest.json").write_text("torn {")
    assert longest_ledger(tmp_path) == 7


# --------------------------------------------------------------------------------------------- the size of a search


def test_the_search_counts_the_ledger_beside_what_is_here(tmp_path: Path) -> None:
    ledger = ledger_of(
        tmp_path / LEDGER,
        trial("a", active_sharpe=9.0),  # here as well: the ratio measured now counts
        trial("b", active_sharpe=0.4),
        trial("b", data_sha256="later", active_sharpe=0.5),  # the last line of a question counts
        trial("c", benchmark="IWM", active_sharpe=7.0),  # against something else: counts, but its ratio says nothing
        trial("d", OTHER),
        sweep("s", 3, mean=0.2, variance=0.01),
    )
    size = search_size(ledger, {PLACE}, "QQQ", {"a": 0.1, "e": 0.3})
    assert (size.here, size.ledger, size.swept, size.count) == (2, 2, 3, 7)
    # 0.1, 0.3, 0.5 and three with mean 0.2 and variance 0.01, say 0.1, 0.2, 0.3
    known = np.array([0.1, 0.3, 0.5, 0.1, 0.2, 0.3])
    assert size.annual.mean == pytest.approx(known.mean())
    assert size.annual.variance == pytest.approx(known.var(ddof=1))
    assert size.per_session(252).variance == pytest.approx(known.var(ddof=1) / 252)


def test_a_search_is_as_large_after_it_was_recorded_as_before(tmp_path: Path) -> None:
    before = ledger_of(tmp_path / LEDGER, trial("z", active_sharpe=0.7))
    own = {"a": 0.1, "b": 0.2}
    first = search_size(before, {PLACE}, "QQQ", own)
    after = ledger_of(tmp_path / LEDGER, *(trial(name, active_sharpe=value) for name, value in own.items()))
    assert search_size(after, {PLACE}, "QQQ", own) == first
    assert search_size(None, {PLACE}, "QQQ", own).annual == Trials(2, pytest.approx(0.15), pytest.approx(0.005))


# ------------------------------------------------------------------------------------------- many writers, and kill


def write_many(path: Path, name: str, count: int) -> None:
    ledger = TrialLedger(path)
    for i in range(count):
        ledger.record(trial(f"{name}-{i}"))


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    path = tmp_path / LEDGER
    writers = [fork.Process(target=write_many, args=(path, f"writer {i % 3}", 40)) for i in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    ledger = TrialLedger(path)
    assert ledger.unreadable == 0
    assert ledger.length == 3 * 40  # two writers of each name: the same trials
    assert len({t.question_sha256 for t in ledger.trials}) == 3 * 40


def record_until_killed(path: Path, name: str, report: int) -> None:
    """Record trials for ever; say of each, once it is recorded, that it is."""
    ledger = TrialLedger(path)
    i = 0
    while True:
        ledger.record(trial(f"{name}-{i}"))
        os.write(report, f"{name}-{i}\n".encode())
        i += 1


def kill_writers(path: Path, times: int) -> None:
    fork, rng = multiprocessing.get_context("fork"), random.Random(3)
    finished: list[str] = []
    for attempt in range(times):
        reading, writing = os.pipe()
        writer = fork.Process(target=record_until_killed, args=(path, f"w{attempt}", writing))
        writer.start()
        os.close(writing)
        select.select([reading], [], [])  # it has begun
        time.sleep(rng.uniform(0.005, 0.05))
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        with os.fdopen(reading) as pipe:
            finished += pipe.read().splitlines()
    known = {t.question_sha256 for t in TrialLedger(path).trials}
    assert set(finished) <= known
    assert len(finished) > times


def test_no_finished_trial_is_lost_when_its_writer_is_killed(tmp_path: Path) -> None:
    kill_writers(tmp_path / LEDGER, 10)


@pytest.mark.slow
def test_no_finished_trial_is_lost_when_100_writers_are_killed(tmp_path: Path) -> None:
    kill_writers(tmp_path / LEDGER, 100)


def test_an_entry_knows_what_it_is() -> None:
    assert trial("a").identity == replace(trial("a"), sharpe=1.0).identity
    assert trial("s").identity != sweep("s", 1).identity
