"""The ledger of everything tried: a trial is its account; nothing is lost, nothing counts twice, whatever happens."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backtest.errors import WriteError
from backtest.statistics import search
from backtest.statistics.search import add_up, luck
from backtest.store import ledger as ledger_module
from backtest.store.ledger import VARIABLE, Ledger, default_ledger, listed
from backtest.store.trials import Batch, used_hash

Array = NDArray[np.float64]
FILE = "trials.ledger"


def returns(seed: int, trials: int = 3, sessions: int = 60) -> Array:
    return np.asarray(np.random.default_rng(seed).standard_t(5, (sessions, trials)) * 0.01)


def batch(active: Array, timing: Array | None = None, first: int = 2905, **fields: object) -> Batch:
    positions = np.arange(first, first + len(active))
    count = active.shape[1]
    made = Batch(
        prices="real",
        command="sweep",
        study="grid",
        benchmark="QQQ",
        begin=f"position {first}",
        end=f"position {first + len(active)}",
        periods_per_year=252,
        names=tuple(f"variant {i}" for i in range(count)),
        questions=tuple(f"question {i}" for i in range(count)),
        ahead=add_up(active, positions),
        timing=add_up(active - active.mean(axis=0) if timing is None else timing, positions),
        active=active,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    made = batch(returns(1))
    ids, new = Ledger(tmp_path / FILE).record(made)
    again = Ledger(tmp_path / FILE)
    record = again.records[0]
    assert (new, len(again), again.damaged) == (3, 3, [])
    curves = again.curves(record, 0)
    assert np.array_equal(curves.sums, made.ahead.sums)
    assert np.array_equal(curves.squares, made.ahead.squares)
    assert np.array_equal(again.curves(record, 1).sums, made.timing.sums)
    assert (curves.first, curves.last, curves.counts.tolist()) == (2905, 2964, made.ahead.counts.tolist())
    assert curves.keys.tolist() == ids.tolist()
    daily = again.daily(record)
    assert daily is not None
    assert np.abs(daily - made.active).max() < 1e-8
    assert next(iter(listed(again)))["benchmark"] == "QQQ"


def test_the_same_account_is_one_trial_whatever_it_is_called(tmp_path: Path) -> None:
    active, ledger = returns(1), Ledger(tmp_path / FILE)
    ids, _ = ledger.record(batch(active))
    renamed = batch(active[:, ::-1], command="run", study="other", names=("a", "b", "c"), questions=("x", "y", "z"))
    again, new = ledger.record(renamed)
    assert (new, again.tolist(), len(ledger), len(ledger.records)) == (0, ids.tolist()[::-1], 3, 1)


def test_a_refined_grid_adds_what_is_new(tmp_path: Path) -> None:
    active, ledger = returns(1, 9), Ledger(tmp_path / FILE)
    assert ledger.record(batch(active[:, ::2]))[1] == 5
    assert ledger.record(batch(active))[1] == 4
    assert ledger.record(batch(active))[1] == 0
    assert len(ledger) == 9


@pytest.mark.parametrize(("difference", "new"), [(1e-15, 0), (1e-12, 0), (4e-9, 0), (3e-8, 1), (1e-6, 1)])
def test_accounts_within_a_hundred_millionth_a_day_are_the_same(tmp_path: Path, difference: float, new: int) -> None:
    rng = np.random.default_rng(3)
    active = np.round(rng.standard_normal((2500, 1)) * 0.01, 8) + 0.5e-8  # on the edge of every rounding
    other = active + rng.uniform(-1, 1, active.shape) * difference
    ledger = Ledger(tmp_path / FILE)
    first, _ = ledger.record(batch(active))
    second, added = ledger.record(batch(other))
    assert added == new
    assert (first.tolist() == second.tolist()) == (new == 0)


def test_other_sessions_or_no_benchmark_are_another_trial_and_a_benchmarks_spelling_is_none(tmp_path: Path) -> None:
    active, ledger = returns(1, 1), Ledger(tmp_path / FILE)
    ledger.record(batch(active))
    assert ledger.record(batch(active[:-1]))[1] == 1
    assert ledger.record(batch(active, first=2906))[1] == 1
    assert ledger.record(batch(active, benchmark=""))[1] == 1
    assert ledger.record(batch(active, benchmark="mix_growth_1"))[1] == 0


def test_two_benchmarks_are_two_trials_of_being_ahead_and_one_of_timing(tmp_path: Path) -> None:
    ledger, timing = Ledger(tmp_path / FILE), returns(9, 1)
    ledger.record(batch(returns(1, 1), timing))
    made = batch(returns(2, 1), timing, benchmark="IWM")
    ledger.record(made)
    ahead, timed = ledger.known(made.context)
    assert len({key for each in ahead for key in each.keys.tolist()}) == 2
    assert len({key for each in timed for key in each.keys.tolist()}) == 1


def test_variants_that_never_trade_are_one_trial(tmp_path: Path) -> None:
    active = np.concatenate([np.zeros((60, 216)), returns(1, 2), np.full((60, 3), 4e-9)], axis=1)
    ledger = Ledger(tmp_path / FILE)
    ids, new = ledger.record(batch(active))
    assert (new, len(set(ids.tolist()))) == (3, 3)


def test_the_simulated_and_the_monthly_are_searches_of_their_own(tmp_path: Path) -> None:
    ledger, made = Ledger(tmp_path / FILE), batch(returns(1))
    for each in (made, batch(returns(1), prices="simulated"), batch(returns(1), periods_per_year=12)):
        assert ledger.record(each)[1] == 3
    assert [len(group) for group in ledger.known(made.context)[0]] == [3]


def test_a_remembered_curve_answers_as_a_fresh_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / FILE)
    shown, parts = batch(returns(1, 2, 400)), [batch(returns(seed, 5, 400), study=str(seed)) for seed in range(2, 5)]
    short = batch(returns(7, 4, 200))
    for each in (shown, *parts, short):
        ledger.record(each)
    for family in (0, 1):
        fresh = [each.timing if family else each.ahead for each in (shown, *parts, short)]
        fresh = [replace(c, keys=c.keys + np.uint64(100 * i)) for i, c in enumerate(fresh)]
        remembered = luck(fresh[0], ledger.known(shown.context)[family], 199)
        assert np.array_equal(remembered.p, luck(fresh[0], fresh[1:], 199).p)
        assert np.array_equal(remembered.upper, luck(fresh[0], fresh[1:], 199).upper)


def test_of_a_ledger_too_large_only_what_is_drawn_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path / FILE)
    made = batch(returns(1, 60, 200))
    for begin in range(0, 60, 6):
        ledger.record(batch(returns(1, 60, 200)[:, begin : begin + 6]))
    monkeypatch.setattr(search, "MOST_CURVES", 20)
    drawn = luck(made.ahead.take(np.array([0])), ledger.known(made.context)[0], 199)
    assert drawn.family <= 21
    assert drawn.factor == pytest.approx(3.0, abs=0.06)


def test_a_sweep_beyond_two_thousand_keeps_its_block_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MOST_DAILY", 10)
    active, ledger = returns(1, 11), Ledger(tmp_path / FILE)
    ledger.record(batch(active))
    record = ledger.records[0]
    assert ledger.daily(record) is None
    assert np.array_equal(ledger.curves(record, 0).sums, batch(active).ahead.sums)
    assert ledger.record(batch(active[:, 3:5] + 1e-10))[1] == 0
    assert ledger.record(batch(active[:, 3:5] + 1e-5))[1] == 2


def test_what_is_forgotten_is_left_out_and_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / FILE)
    made = batch(returns(1, 4))
    ledger.record(made)
    ledger.record(batch(returns(2, 2)))
    assert ledger.forget(ledger.records[:1]) == 4
    again = Ledger(tmp_path / FILE)
    assert (len(again), again.forgotten) == (2, 4)
    assert sum(len(group) for group in again.known(made.context)[0]) == 2
    assert again.record(made)[1] == 4  # tried again is known again
    assert len(again) == 6


def test_ledgers_merge_and_nothing_counts_twice(tmp_path: Path) -> None:
    one, two = Ledger(tmp_path / FILE), Ledger(tmp_path / "other")
    one.record(batch(returns(1, 4)))
    two.record(batch(returns(1, 4)))
    two.record(batch(returns(2, 3), command="compare"))
    assert one.merge(two) >= 1
    assert one.merge(two) == 0
    assert (len(one), len(Ledger(tmp_path / FILE))) == (7, 7)


@pytest.mark.parametrize("cut", [1, 5, 60, 300, 900])
def test_a_torn_end_costs_only_the_last_record(tmp_path: Path, cut: int) -> None:
    path = tmp_path / FILE
    ledger = Ledger(path)
    ledger.record(batch(returns(1)))
    first = path.stat().st_size
    ledger.record(batch(returns(2)))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(first, len(whole) - cut)])
    torn = Ledger(path)
    assert (len(torn), len(torn.damaged)) == (3, 1)
    assert "torn or damaged" in torn.damaged[0]
    torn.record(batch(returns(3)))
    again = Ledger(path)
    assert (len(again), len(again.damaged)) == (6, 1)


def test_a_damaged_record_is_named_and_those_after_it_are_found(tmp_path: Path) -> None:
    path = tmp_path / FILE
    ledger, made = Ledger(path), batch(returns(1))
    ends = []
    for seed in (1, 2, 3):
        ledger.record(batch(returns(seed)))
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    for place in range(ends[0], ends[1], 37):
        broken = bytearray(whole)
        broken[place] ^= 0xFF
        path.write_bytes(broken)
        found = Ledger(path)
        ahead, _ = found.known(made.context)
        sums = np.concatenate([group.take(np.arange(len(group))).sums for group in ahead])
        daily = [found.daily(record) for record in found.records]
        assert len(found.damaged) == 1, place
        assert len(sums) in (6, 9)
        assert sum(each is None for each in daily) <= 1


def test_every_byte_of_a_head_is_checked(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Ledger(path).record(batch(returns(1)))
    whole = path.read_bytes()
    for place in range(ledger_module.HEAD.size + ledger_module.CHECK.size):
        broken = bytearray(whole)
        broken[place] ^= 0x10
        path.write_bytes(broken)
        assert len(Ledger(path)) == 0, place


def write_many(path: Path, seed: int) -> None:
    ledger = Ledger(path)
    for i in range(20):
        ledger.record(batch(returns(100 * seed + i, 1)))


@pytest.mark.posix
def test_writers_side_by_side_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=write_many, args=(tmp_path / FILE, i % 2)) for i in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    ledger = Ledger(tmp_path / FILE)
    assert (len(ledger), len(ledger.records), ledger.damaged) == (40, 40, [])


def write_until_killed(path: Path, report: int) -> None:
    ledger, seed = Ledger(path), 0
    while True:
        ledger.record(batch(returns(seed, 40, 500)))
        os.write(report, b".")
        seed += 1


@pytest.mark.posix
@pytest.mark.parametrize("after", [1, 3, 8])
def test_what_was_recorded_survives_kill_9(tmp_path: Path, after: int) -> None:
    read, write = os.pipe()
    writer = multiprocessing.get_context("fork").Process(target=write_until_killed, args=(tmp_path / FILE, write))
    writer.start()
    os.close(write)
    told = 0
    while told < after:
        told += len(os.read(read, after - told))
    writer.kill()
    writer.join()
    while rest := os.read(read, 4096):
        told += len(rest)
    os.close(read)
    ledger = Ledger(tmp_path / FILE)
    assert len(ledger) >= 40 * told
    assert ledger.record(batch(returns(-1 + 10**6, 2, 500)))[1] == 2


def test_a_ledger_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(WriteError, match=FILE):
        Ledger(tmp_path / FILE)
    (tmp_path / "file").write_text("", encoding="utf-8", newline="\n")
    with pytest.raises(WriteError, match="was not counted"):
        Ledger(tmp_path / "file" / FILE).record(batch(returns(1)))


def test_the_place_is_the_users_data_folder_or_what_the_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_ledger().name == FILE
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    assert default_ledger() == tmp_path / "mine"


def test_the_hash_of_what_was_used_knows_no_order() -> None:
    a, b = np.array([3, 1], np.uint64), np.array([2], np.uint64)
    assert used_hash([a, b]) == used_hash([b, a[::-1], a]) != used_hash([a])


@pytest.mark.slow
def test_a_million_trials_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, made = Ledger(tmp_path / FILE), None
    for seed in range(100):
        made = batch(returns(seed, 10_000, 42))
        ledger.record(made)
    assert made is not None
    again = Ledger(tmp_path / FILE)
    assert len(again) == 1_000_000
    null = luck(made.ahead.take(np.arange(2)), again.known(made.context)[0], 199)
    assert null.family == pytest.approx(5000, abs=3)
    assert again.record(made)[1] == 0


@pytest.mark.parametrize("missing", [1, 7, 3000])
def test_a_record_added_after_a_torn_one_is_not_swallowed_by_it(tmp_path: Path, missing: int) -> None:
    path = tmp_path / FILE
    Ledger(path).record(batch(returns(1, 40)))
    path.write_bytes(path.read_bytes()[:-missing])
    Ledger(path).record(batch(returns(2)))
    Ledger(path).record(batch(returns(3)))
    again = Ledger(path)
    assert (len(again), len(again.damaged)) == (6, 1)


def test_a_record_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Ledger(path).record(batch(returns(1)))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    reader = Ledger(path)
    assert (len(reader), len(reader.damaged)) == (0, 1)
    path.write_bytes(whole)
    assert reader.record(batch(returns(2)))[1] == 3
    assert (len(reader), reader.damaged) == (6, [])
