"""A real cluster on loopback: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from work import wait_until

ROOT = Path(__file__).parents[2]
PATHS = (ROOT, ROOT / "tests", ROOT / "tests" / "study")


@dataclass
class LoopbackCluster:
    """Processes by the order of their start, the scheduler first."""

    folder: Path
    address: str = ""
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def workers(self) -> list[subprocess.Popen[bytes]]:
        return self.processes[1:]

    def start(self, module: str, *arguments: str, paths: tuple[Path, ...] = PATHS, **variables: str) -> Path:
        """Start a process; gives its log."""
        log = self.folder / f"log-{len(self.processes)}"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), **variables}
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--no-dashboard", *arguments]
        with log.open("wb") as stream:
            process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=stream, stderr=stream)
        self.processes.append(process)
        return log

    def start_scheduler(self) -> None:
        log = self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show")
        self.address = "tcp://" + told(log, "Scheduler at:").split("tcp://")[1]

    def start_worker(self, paths: tuple[Path, ...] = PATHS, **variables: str) -> None:
        arguments = ("--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder))
        told(self.start("dask_worker", self.address, *arguments, paths=paths, **variables), "Starting established")

    @contextmanager
    def guest(self, *paths: Path) -> Iterator[None]:
        """One worker more, with other paths to import from."""
        self.start_worker(paths)
        try:
            yield
        finally:
            self.kill(self.processes[-1])
            told(self.folder / "log-0", f"Remove worker addr: {self.guests_address()}")

    def guests_address(self) -> str:
        """Of the worker that was started last."""
        line = told(self.folder / f"log-{len(self.processes) - 1}", "Start worker at:")
        return "tcp://" + line.split("tcp://")[1].strip()

    def kill(self, *processes: subprocess.Popen[bytes]) -> None:
        """End processes as a machine does that loses its power."""
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def loopback_cluster(folder: Path, workers: int = 2) -> Iterator[LoopbackCluster]:
    """A cluster that is gone afterwards."""
    cluster = LoopbackCluster(folder)
    try:
        cluster.start_scheduler()
        for _ in range(workers):
            cluster.start_worker()
        yield cluster
    finally:
        cluster.kill(*cluster.processes)


def told(log: Path, words: str) -> str:
    """The first line of a log with these words, waited for."""

    def lines() -> list[str]:
        return [line for line in log.read_text(encoding="utf-8").splitlines() if words in line]

    wait_until(lines)
    return lines()[0]
