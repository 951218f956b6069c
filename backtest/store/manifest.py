"""manifest.json and metrics.json of a result: what is written, and the one reader, which trusts no file.

Every command that looks at old results reads them here: a folder that is damaged is named and left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backtest.errors import ConfigError, DataError

MANIFEST, METRICS = "manifest.json", "metrics.json"
SCHEMA = 2
LARGEST_BYTES = 64 << 20
"""Of a file that is read whole: none of ours comes near it."""

Kind = Literal["run", "comparison", "sweep", "walk-forward", "events"]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Positive = Annotated[float, Field(gt=0)]
Figures = dict[str, float | dict[str, float | None] | None]


class _Stored(BaseModel):
    """Strict and finite; keys that are not known are kept, as a later version may write them."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="allow")


class Digest(_Stored):
    """Of a file as it was written."""

    sha256: Hex
    bytes: int


class Period(_Stored):
    """First and last session, as ISO dates."""

    start: str
    end: str
    sessions: int | None = None


class RunFields(_Stored):
    """What differs from run to run; see `provenance.Provenance`."""

    command: str = ""
    finished: str
    machine: str = ""
    ledger_length: Annotated[int, Field(ge=0)] | None = None


class SourceRecord(_Stored):
    """Where one series came from; see `market.Source`."""

    name: str
    snapshot: str = ""


class Manifest(_Stored):
    """What stands in a result's folder and what it was made from; schema 1 lacks `page` for runs, `asked`, `machine`.

    asked: dotted key of the question -> value, by which results of one name are told apart.
    sparkline: the equity as multiples of its first value, for the index.
    """

    name: str
    kind: Kind
    page: FileName = "report.html"
    headline: str = ""
    asked: dict[str, Any] = {}
    hash: Hex
    question_sha256: Hex
    data_sha256: Hex
    code_sha256: Hex
    period: Period | None = None
    is_simulated: bool
    is_monthly: bool = False
    sources: list[SourceRecord] = []
    versions: dict[str, str] = {}
    files: dict[FileName, Digest]
    sparkline: list[Positive] = []
    run: RunFields


class Metrics(_Stored):
    """metrics.json of schema 1 or 2, as far as readers need it."""

    period: Period
    strategy: Figures
    benchmarks: dict[str, Figures]


@dataclass(frozen=True, slots=True)
class Stored:
    """A finished result; metrics of a run only."""

    folder: Path
    manifest: Manifest
    metrics: Metrics | None


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a result's folder; DataError when it is damaged, ConfigError when there is none."""
    return _read(folder / MANIFEST, Manifest)


def read_stored(folder: Path) -> Stored:
    """The result of a folder; DataError when it is damaged, ConfigError when there is none."""
    manifest = read_manifest(folder)
    return Stored(folder, manifest, _read(folder / METRICS, Metrics) if manifest.kind == "run" else None)


def finished(root: Path) -> tuple[list[Stored], list[str]]:
    """Every result of a folder of results, newest first, and one line for each that is damaged."""
    found: list[Stored] = []
    damaged: list[str] = []
    for folder in sorted(_folders(root)):
        try:
            found.append(read_stored(folder))
        except (ConfigError, DataError) as error:
            damaged += error.problems
    found.sort(key=lambda stored: (stored.manifest.run.finished, stored.folder.name), reverse=True)
    return found, damaged


def longest_ledger(root: Path) -> int:
    """The largest length of the ledger that a manifest records; where the ledger is shorter now, it was cut."""
    lengths = [0]
    for folder in _folders(root):
        try:
            lengths.append(read_manifest(folder).run.ledger_length or 0)
        except (ConfigError, DataError):
            continue  # the index names it
    return max(lengths)


def _folders(root: Path) -> Sequence[Path]:
    """Those with a manifest; of what is half-written the name begins with a dot."""
    try:
        return [path.parent for path in root.glob(f"*/{MANIFEST}") if not path.parent.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{error.filename or root}: {error.strerror or error}") from None


_Model = TypeVar("_Model", bound=_Stored)


def _read(path: Path, model: type[_Model]) -> _Model:
    try:
        if not path.is_file():
            raise ConfigError(f"{path}: found no such file, expected a folder of results")
        if path.stat().st_size > LARGEST_BYTES:
            raise DataError(f"{path}: is damaged (larger than any that is written); {_ADVICE}")
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); {_ADVICE}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        found = f"{where}: {first['msg']}" if where else first["msg"]
        raise DataError(f"{path}: is damaged ({_one_line(found)}); {_ADVICE}") from None


_ADVICE = "it was left out: move its folder away and run the question again"


def _one_line(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 120 else line[:117] + "..."


def parsed_json(data: bytes) -> Any:
    """Parse any JSON; ValueError if it is invalid or nested too deeply."""
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
