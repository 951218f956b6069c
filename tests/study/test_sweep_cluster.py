"""A sweep on a cluster: the local table to the last bit, whoever is lost; what is wrong is one line; nothing hangs."""

from __future__ import annotations

import pickle
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from clusters import PATHS, ROOT, LoopbackCluster, loopback_cluster
from fatal_strategy import Fatal
from small_studies import TEXT, market

from backtest.cli import main
from backtest.config import Study, study_from_text
from backtest.errors import BacktestError, ConfigError, NetworkError, RunError
from backtest.study import cluster as cluster_module
from backtest.study.cluster import check_address, check_same, cut, figures_of, identity_of, task_size
from backtest.study.settings import Settings
from backtest.study.sweep import Sweep, sweep
from strategies import REGISTRY

MOMENTUM = "{name: relative_momentum, params: {lookback_sessions: 21}}"
GRID = """
grid:
  strategy.params.lookback_sessions: {from: 5, to: 60, step: 5}
  strategy.params.threshold: {from: 0.0, to: 0.045, count: 10}
  execution.slippage_bps: [0, 20]
  execution.rebalance: [on_change, {drift: 0.03}]
"""


def study(tmp: Path, grid: str = GRID) -> Study:
    (tmp / "base.yaml").write_text(TEXT, encoding="utf-8", newline="\n")
    text = f"name: small-sweep\nbase: base.yaml\nbenchmark: QQQ\n{grid}"
    return study_from_text(text, str(tmp / "study.yaml"), strategies=REGISTRY)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("distributed", reason="no distributed: pip install -e '.[cluster]'")
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def local(folder: Path) -> Sweep:
    return sweep(study(folder), REGISTRY, market=market())


@pytest.fixture(scope="module")
def cluster(folder: Path, local: Sweep) -> Iterator[LoopbackCluster]:
    """Two workers that no test may harm; they find the machine code that `local` has left on disk."""
    with loopback_cluster(folder) as running:
        yield running


@pytest.fixture
def own_cluster(tmp_path: Path, local: Sweep) -> Iterator[LoopbackCluster]:
    with loopback_cluster(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "SMALLEST_TASK", 16)
    monkeypatch.setattr(cluster_module, "LOOK_SECONDS", 0.2)


def on(
    cluster: LoopbackCluster, local: Sweep, keep: Path | None = None, told: Callable[[int, int], None] | None = None
) -> Sweep:
    return sweep(local.study, REGISTRY, market=market(), cluster=cluster.address, keep=keep, progress=told)


def test_the_table_is_the_local_one_byte_for_byte(cluster: LoopbackCluster, local: Sweep) -> None:
    done: list[int] = []
    result = on(cluster, local, told=lambda now, size: done.append(now))
    assert result.table.tobytes() == local.table.tobytes()
    assert len(done) >= 16
    assert result.problems == local.problems == {}


def test_both_workers_worked(cluster: LoopbackCluster, local: Sweep, tmp_path: Path) -> None:
    from distributed import Client

    on(cluster, local)
    with Client(cluster.address, set_as_default=False) as client:
        counts = client.run(lambda dask_worker: dask_worker.state.executed_count)
    assert len(counts) == 2
    assert min(counts.values()) > 3


def test_points_that_fail_are_told_as_they_are_locally(cluster: LoopbackCluster, tmp_path: Path) -> None:
    asked = study(tmp_path, "grid: {benchmarks: [[QQQ], [IWM]], strategy.params.lookback_sessions: [5, 21, 600, 6000]}")
    here, there = (sweep(asked, REGISTRY, market=market(), cluster=each) for each in (None, cluster.address))
    assert there.table.tobytes() == here.table.tobytes()
    assert there.problems == here.problems


def test_settings_that_were_sent_load_no_data(local: Sweep) -> None:
    sent = pickle.loads(pickle.dumps(Settings(local.study, REGISTRY, market())))
    assert sent.of(*local.study.grid_parts(0)).market.close.equals(market().close)
    sent = pickle.loads(pickle.dumps(Settings(local.study, REGISTRY)))
    with pytest.raises(RunError, match="not among those sent"):
        sent.of(*local.study.grid_parts(0))


def test_a_worker_killed_midway_does_not_change_a_bit_and_without_any_it_ends(
    own_cluster: LoopbackCluster,
    local: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lost: list[int] = []

    def kill(done: int, size: int) -> None:
        if not lost and done < size // 2:
            own_cluster.kill(own_cluster.workers[0])
            lost.append(done)

    assert on(own_cluster, local, told=kill).table.tobytes() == local.table.tobytes()
    assert lost
    monkeypatch.setattr(cluster_module, "PATIENCE_SECONDS", 1.0)
    with pytest.raises(NetworkError, match="no workers for 1 s"):
        on(own_cluster, local, tmp_path, lambda done, size: own_cluster.kill(own_cluster.workers[1]))
    assert "no workers, waiting 1 s for one" in caplog.text
    assert_goes_on(local, tmp_path)


def assert_goes_on(local: Sweep, keep: Path, cluster: str | None = None) -> None:
    """What is kept is used, by any size of chunks, and the table is the same."""
    kept = list(keep.glob(".sweep-*/*-*"))
    assert kept
    done: list[int] = []
    again = sweep(
        local.study, REGISTRY, market=market(), cluster=cluster, keep=keep, progress=lambda now, size: done.append(now)
    )
    assert again.table.tobytes() == local.table.tobytes()
    assert len(done) > len(kept)
    spans = sorted(tuple(map(int, each.name.split("-"))) for each in kept)
    assert done[: len(kept)] == list(accumulate(stop - start for start, stop in spans))


@pytest.mark.slow
def test_a_worker_that_comes_when_all_are_lost_goes_on(own_cluster: LoopbackCluster, local: Sweep) -> None:
    """The parcel is lost with the workers as well: the scheduler has it made again."""
    later: list[threading.Thread] = []

    def replace(done: int, size: int) -> None:
        if not later:
            own_cluster.kill(*own_cluster.workers)
            later.append(threading.Thread(target=own_cluster.start_worker))
            later[0].start()

    result = on(own_cluster, local, told=replace)
    later[0].join()
    assert result.table.tobytes() == local.table.tobytes()


@pytest.mark.slow
def test_a_scheduler_killed_midway_is_told(own_cluster: LoopbackCluster, local: Sweep, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="the scheduler is gone"):
        on(own_cluster, local, tmp_path, lambda done, size: own_cluster.kill(own_cluster.processes[0]))
    own_cluster.kill(*own_cluster.workers)
    assert_goes_on(local, tmp_path)


@pytest.mark.slow
def test_points_that_are_the_end_of_every_worker_end_the_sweep(tmp_path: Path, local: Sweep) -> None:
    strategies: dict[str, type] = {"fatal": Fatal}
    (tmp_path / "base.yaml").write_text(TEXT.replace(MOMENTUM, "{name: fatal}"), encoding="utf-8", newline="\n")
    text = "name: small-sweep\nbase: base.yaml\ngrid: {strategy.params.level: {from: 0, to: 63, step: 1}}"
    asked = study_from_text(text, str(tmp_path / "study.yaml"), strategies=strategies)
    with (
        loopback_cluster(tmp_path, workers=5) as running,
        pytest.raises(RunError, match=r"points 0 to 15: 4 workers died running them, the last tcp://127\.0\.0\.1:"),
    ):
        sweep(asked, strategies, market=market(), cluster=running.address, keep=tmp_path)


def test_an_interrupted_sweep_leaves_the_cluster_idle(cluster: LoopbackCluster, local: Sweep, tmp_path: Path) -> None:
    from distributed import Client

    def stop(done: int, size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on(cluster, local, tmp_path, stop)
    with Client(cluster.address, set_as_default=False) as client:
        tasks = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
    assert tasks <= 2  # what runs at this moment


def refused(cluster: LoopbackCluster, local: Sweep) -> str:
    with pytest.raises(BacktestError) as error:
        on(cluster, local)
    (line,) = error.value.problems
    assert "\n" not in line
    return line


def test_a_worker_with_other_code_is_refused_by_name(cluster: LoopbackCluster, local: Sweep, tmp_path: Path) -> None:
    for package in ("backtest", "strategies"):
        shutil.copytree(ROOT / package, tmp_path / "other" / package, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "other" / "backtest" / "units.py").open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    with cluster.guest(tmp_path / "other", *PATHS[1:]):
        line = refused(cluster, local)
    code = identity_of(REGISTRY)["code of rate_cut"]
    assert line.startswith("worker tcp://127.0.0.1:")
    assert "code of rate_cut is" in line
    assert f"here {code}" in line


def test_a_worker_without_the_project_is_refused(cluster: LoopbackCluster, local: Sweep, tmp_path: Path) -> None:
    hidden = "raise ModuleNotFoundError(\"No module named 'backtest'\")\n"  # it may be installed for all of this Python
    (tmp_path / "backtest.py").write_text(hidden, encoding="utf-8", newline="\n")
    with cluster.guest(tmp_path):
        line = refused(cluster, local)
    assert "cannot run this project: ModuleNotFoundError(\"No module named 'backtest'\")" in line


def test_a_worker_with_another_version_is_refused() -> None:
    own = identity_of(REGISTRY)
    check_same("tcp://there", dict(own), own)
    with pytest.raises(RunError, match=rf"worker tcp://there: numpy is 1\.0, here {np.__version__}"):
        check_same("tcp://there", own | {"numpy": "1.0"}, own)


def test_a_worker_with_other_last_bits_is_refused(
    cluster: LoopbackCluster, local: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "figures_of", lambda settings: "0" * 12)
    line = refused(cluster, local)
    assert "worker tcp://127.0.0.1:" in line
    assert f"checksum {figures_of(local.settings)}, here 000000000000" in line
    assert "NUMBA_CPU_NAME=generic" in line


@pytest.mark.slow
def test_code_for_another_processor_is_noticed(own_cluster: LoopbackCluster, local: Sweep, tmp_path: Path) -> None:
    own_cluster.start_worker(NUMBA_CPU_NAME="generic", NUMBA_CACHE_DIR=str(tmp_path / "code"))
    own_cluster.kill(*own_cluster.workers[:2])
    assert "figures differ in the last bits" in refused(own_cluster, local)


def test_no_scheduler_is_one_line_and_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed", reason="no distributed: pip install -e '.[cluster]'")
    study(tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(f"name: small-sweep\nbase: base.yaml\n{GRID}", encoding="utf-8", newline="\n")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            main(["sweep", str(path), "--out", str(tmp_path / "results"), "--cluster", f"tcp://127.0.0.1:{port}"])
    assert end.value.code == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tcp://127.0.0.1:{port}: no scheduler answers")
    assert not list(tmp_path.glob("results/.sweep-*"))


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"])
def test_what_is_no_scheduler_is_told(
    tmp_path: Path, local: Sweep, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as connection:
                connection.sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(NetworkError, match="no scheduler"):
            sweep(local.study, REGISTRY, market=market(), cluster=address)
        thread.join()


def test_a_cluster_without_workers_is_waited_for_and_then_told(
    tmp_path: Path, local: Sweep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cluster_module, "PATIENCE_SECONDS", 0.5)
    with loopback_cluster(tmp_path, workers=0) as empty:
        assert "no workers for 0 s" in refused(empty, local)
        assert f"start one in the project's environment: dask worker {empty.address}" in caplog.text


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8786", "tcp://:8786", "tcp://host", "http://host:1", "tcp://host:99999"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    check_address("tcp://[::1]:8786")
    with pytest.raises(ConfigError, match="expected a scheduler's address such as tcp://"):
        check_address(address)


def test_without_distributed_it_says_what_to_install(
    tmp_path: Path, local: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"pip install -e '\.\[cluster\]'"):
        sweep(local.study, REGISTRY, market=market(), cluster="tcp://127.0.0.1:1")


def test_a_strategy_of_the_main_script_cannot_be_sent(local: Sweep) -> None:
    settings = Settings(local.study, {"mine": type("Mine", (), {"__module__": "__main__"})}, market())
    with pytest.raises(RunError, match="strategy mine is defined in __main__"):
        cluster_module.parcel_of(settings)


def test_tasks_keep_all_threads_busy_and_are_no_larger_than_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert task_size(1_000, 2) == 256
    assert task_size(10_000, 2) == 625
    assert task_size(10_000_000, 100) == 2048
    assert list(cut([(0, 5), (7, 9)], 2)) == [(0, 2), (2, 4), (4, 5), (7, 9)]
