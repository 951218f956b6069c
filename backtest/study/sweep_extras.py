"""What may be asked for beside a sweep's table: whole curves of chosen points, and the table as parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from backtest.config import Study
from backtest.errors import ConfigError, RunError
from backtest.store.provenance import sha256_text
from backtest.study.sweep import Sweep
from backtest.study.sweep_findings import Findings

MISSING = "--parquet: found no pyarrow, expected it installed: pip install -e '.[parquet]'"


@dataclass(frozen=True, slots=True)
class Extras:
    """curves: points, ascending, whose curves are written beside the finalists'; parquet: whether sweep.parquet is."""

    curves: tuple[int, ...] = ()
    parquet: bool = False

    @classmethod
    def of(cls, curves: Sequence[int], *, parquet: bool) -> Extras:
        """As asked for, in any order and more than once."""
        return cls(tuple(sorted(set(curves))), parquet)

    def check(self, study: Study) -> None:
        """Raise ConfigError for a point the study does not have, or without pyarrow, before anything is run."""
        wrong = next((point for point in self.curves if not 0 <= point < study.size), None)
        if wrong is not None:
            raise ConfigError(f"--curve {wrong}: found no such point, expected one of 0 to {study.size - 1}")
        if self.parquet:
            _pyarrow_version()

    def hashes(self) -> dict[str, str]:
        """Their part of the folder's name: none when nothing is asked for.

        Parquet's bytes depend on the program that wrote them, so that its version is part of it.
        """
        asked = [f"curve {point}" for point in self.curves]
        if self.parquet:
            asked.append(f"parquet by pyarrow {_pyarrow_version()}")
        return {"extras": sha256_text("\n".join(asked))} if asked else {}


NO_EXTRAS = Extras()


def curves_frame(sweep: Sweep, findings: Findings, asked: Sequence[int]) -> pd.DataFrame:
    """A row per session, USD: `point_<N>` for each finalist and each point asked for, `benchmark_<NAME>`.

    BenchmarkCurves are on the terms of the best one.
    NaN before the first session of a point that starts later. Raises RunError for a point that could not be run.
    """
    curves: dict[str, pd.Series] = {}
    for each in findings.finalists:
        curves[f"point_{each.number}"] = pd.Series(each.curve, index=each.result.sessions)
    for point in asked:
        if point in sweep.problems:
            raise RunError(f"--curve {point}: found a point that could not be run: {sweep.problems[point]}")
        curves.setdefault(f"point_{point}", sweep.equity(point))
    if findings.finalists:
        best = findings.finalists[0].result
        curves |= {f"benchmark_{n}": pd.Series(b.equity, index=best.sessions) for n, b in best.benchmarks.items()}
    return pd.DataFrame(curves).rename_axis("date")


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as one parquet file: whole numbers int64, others float64 (NaN as null), yes and no bool, else text.

    The same bytes for the same frame and the same pyarrow. Raises ConfigError without pyarrow.
    """
    _pyarrow_version()
    import pyarrow
    from pyarrow import parquet

    def column(own: pd.Series) -> object:
        kind = {"i": pyarrow.int64(), "f": pyarrow.float64(), "b": pyarrow.bool_()}.get(own.dtype.kind)
        if kind is None:
            return pyarrow.array([str(cell) for cell in own.tolist()], type=pyarrow.string())
        return pyarrow.array(own.to_numpy(), type=kind, from_pandas=True)

    table = pyarrow.table({str(name): column(own) for name, own in frame.items()})
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="snappy", use_dictionary=False, store_schema=False)
    return sink.getvalue()


def _pyarrow_version() -> str:
    try:
        import pyarrow
    except ImportError:
        raise ConfigError(MISSING) from None
    return str(pyarrow.__version__)
