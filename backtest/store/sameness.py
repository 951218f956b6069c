"""When is a new answer the one that stands in the folder already?

Equal bytes are the same answer. Between processors and versions of libraries the last bits of a sum differ: there every
figure of the JSON, CSV and YAML files has to agree within RELATIVE, and all else has to be equal. Pages and binary
tables are made from those figures and are then not compared.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from backtest.errors import DataError, ResultDiffers
from backtest.store.ledger import FILE as LEDGER
from backtest.store.manifest import MANIFEST, Manifest, parsed_json, read_manifest

RELATIVE = 1e-9
ABSOLUTE = 1e-12
"""Below it a figure is zero: what is left of a difference of two equal sums."""

CONFIG, STUDY, BASE, VARIANTS = "config.yaml", "study.yaml", "base.yaml", "variants.json"
QUESTIONS = (CONFIG, STUDY, BASE, VARIANTS)
"""Files that say what was asked, with the places of its data."""

LOCATION_KEYS = ("folder", "location", "snapshot")
"""Keys of these and of manifest.json whose values are places on this machine, or of files that go on beyond what the
run used of them: not compared."""


def is_unchanged(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Does the folder hold this answer: True for the same bytes, False for the same figures by other libraries?

    Raises ResultDiffers naming the first file that holds another answer.
    """
    stood = {name: _read(folder / name) for name in files}
    moved = [name for name, content in files.items() if _comparable(name, stood[name]) != _comparable(name, content)]
    if not moved:
        return True
    then, now = _manifests(folder, files)
    if then is None or now is None or _made_by(then) == _made_by(now):
        raise ResultDiffers(
            f"{folder / moved[0]}: this run gave other bytes for the same question, data, code, libraries and "
            "processor: it was changed by hand; the folder was left as it is, move it away and run again"
        )
    for name in moved:
        where = _changed_by_hand(then, name, stood[name]) or first_move(name, stood[name], files[name])
        if where:
            raise ResultDiffers(
                f"{folder / name}: {where}; it was written with {_other_programs(then, now)}: the folder was left as "
                "it is, move it away and run again"
            )
    return False


def _read(path: Path) -> bytes:
    try:
        if path.is_file():  # and no pipe, which would wait for ever
            return path.read_bytes()
    except OSError:
        pass
    raise ResultDiffers(f"{path}: missing or unreadable: move the folder away and run again")


def _comparable(name: str, content: bytes) -> Any:
    """What must be equal on a rerun by the same programs: all bytes, but for run fields and places on this machine."""
    try:
        if name == LEDGER:
            return None  # trials are known by accounts that agree within rounding, under any names
        if name == MANIFEST:
            return _without_locations(_without_run(parsed_json(content)))
        if name in QUESTIONS:
            read = parsed_json if name == VARIANTS else yaml.safe_load
            return _without_locations(read(content))
    except (yaml.YAMLError, ValueError, RecursionError):
        pass  # damaged: not equal to anything that is written
    return content


def _without_run(manifest: Any) -> Any:
    if not isinstance(manifest, dict):
        return manifest
    kept = {key: value for key, value in manifest.items() if key != "run"}
    if isinstance(files := kept.get("files"), dict):
        kept["files"] = {name: digest for name, digest in files.items() if name not in (*QUESTIONS, LEDGER)}
    return kept


def _without_locations(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_locations(value) for key, value in content.items() if key not in LOCATION_KEYS}
    if isinstance(content, list):
        return [_without_locations(value) for value in content]
    return content


def _manifests(folder: Path, files: Mapping[str, bytes]) -> tuple[Manifest | None, Manifest | None]:
    try:
        return read_manifest(folder), Manifest.model_validate_json(files[MANIFEST])
    except (DataError, KeyError, ValueError):
        return None, None


def _made_by(manifest: Manifest) -> dict[str, str]:
    return {**manifest.versions, "machine": manifest.run.machine}


def _other_programs(then: Manifest, now: Manifest) -> str:
    """The first three of what differs, as "pandas 2.2.0 (now 3.1.1)"."""
    made, makes = _made_by(then), _made_by(now)
    apart = [name for name in {**made, **makes} if made.get(name) != makes.get(name)]
    return ", ".join(f"{name} {made.get(name, 'unknown')} (now {makes.get(name, 'unknown')})" for name in apart[:3])


def _changed_by_hand(then: Manifest, name: str, stood: bytes) -> str:
    """What is wrong with a file that is not the one its manifest names."""
    if name == MANIFEST:
        return ""
    known = then.files.get(name)
    is_whole = known is not None and hashlib.sha256(stood).hexdigest() == known.sha256
    return "" if is_whole else "is not the file that was written (its sha256 differs from the manifest's)"


RENAMED = {
    "max_drawdown_sessions": "longest_drawdown_sessions",
    "growth": "total_return",
    "benchmark_growth": "benchmark_total_return",
}
"""Names of schema 1 -> those of schema 2, in tables and JSON."""

ANEW = "exposure_"
"""Begins the names of what schema 1 measured otherwise."""


def in_one_schema(name: str, then: bytes, now: bytes) -> tuple[bytes, bytes]:
    """Two files to be compared: one of schema 1 under the names of schema 2, and of both what both have.

    Any other pair as it is. Raises ValueError for invalid JSON.
    """
    if name.endswith(".json"):
        old, new = parsed_json(then), parsed_json(now)
        if isinstance(old, dict) and isinstance(new, dict) and (old.get("schema"), new.get("schema")) == (1, 2):
            old, new = _in_both(old | {"schema": 2}, new)
            return json.dumps(old).encode(), json.dumps(new).encode()
    elif name.endswith(".csv"):
        rows = [list(csv.reader(io.StringIO(content.decode()))) for content in (then, now)]
        heads = [[RENAMED.get(column, column) for column in table[0]] if table else [] for table in rows]
        if not heads[0] or heads[0] == rows[0][0]:
            return then, now
        shared = [column for column in heads[0] if column in heads[1] and not column.startswith(ANEW)]
        tables = ([[row[head.index(each)] for each in shared] for row in table[1:]]
                  for head, table in zip(heads, rows, strict=True))  # fmt: skip
        old_text, new_text = ("\n".join(",".join(row) for row in [shared, *table]).encode() for table in tables)
        return old_text, new_text
    return then, now


def _in_both(then: Any, now: Any) -> tuple[Any, Any]:
    if isinstance(then, dict) and isinstance(now, dict):
        renamed = {RENAMED.get(str(key), str(key)): value for key, value in then.items()}
        pairs = {k: _in_both(v, now[k]) for k, v in renamed.items() if k in now and not k.startswith(ANEW)}
        return {k: pair[0] for k, pair in pairs.items()}, {k: pair[1] for k, pair in pairs.items()}
    return then, now


def first_move(name: str, then: bytes, now: bytes) -> str:
    """Where two files differ by more than the last bits; empty where they do not."""
    moves = _moves(name, then, now)
    return next(moves, "")


def _moves(name: str, then: bytes, now: bytes) -> Iterator[str]:
    if name == MANIFEST:
        contents = [_about(json.loads(content)) for content in (then, now)]
        yield from _json_moves("", *contents)
    elif name in QUESTIONS:
        yield from _json_moves("", *(_comparable(name, content) for content in (then, now)))
    elif name.endswith(".json"):
        yield from _json_moves("", json.loads(then), json.loads(now))
    elif name.endswith(".csv"):
        yield from _csv_moves(then.decode(), now.decode())


def _about(manifest: dict[str, Any]) -> Any:
    """Without what follows from other libraries: their versions and the files' checksums."""
    kept = {key: value for key, value in manifest.items() if key not in ("run", "versions")}
    return _without_locations(kept | {"files": sorted(manifest["files"])})


def _json_moves(where: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict) and then.keys() == now.keys():
        for key in then:
            yield from _json_moves(f"{where}.{key}" if where else str(key), then[key], now[key])
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for place, pair in enumerate(zip(then, now, strict=True)):
            yield from _json_moves(f"{where}[{place}]", *pair)
    elif not _is_same(then, now):
        yield f"{where or 'content'}: {_shown(then)} then, {_shown(now)} now"


def _csv_moves(then: str, now: str) -> Iterator[str]:
    rows = [list(csv.reader(io.StringIO(text))) for text in (then, now)]
    if len(rows[0]) != len(rows[1]) or rows[0][:1] != rows[1][:1]:
        yield f"{len(rows[0])} lines then, {len(rows[1])} now, or other columns"
        return
    for line, (before, after) in enumerate(zip(*rows, strict=True), start=1):
        if before == after:
            continue
        if len(before) != len(after):
            yield f"line {line}: {len(before)} cells then, {len(after)} now"
        for column, one, other in zip(rows[0][0], before, after, strict=False):
            if one != other and not _is_same(_figure(one), _figure(other)):
                yield f"line {line}, {column}: {_shown(one)} then, {_shown(other)} now"


def _figure(cell: str) -> object:
    """A cell's number where it is a fraction; counts, dates and words stay text and have to be equal."""
    try:
        return cell if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        return cell


def _is_same(then: object, now: object) -> bool:
    if isinstance(then, float) and isinstance(now, float):
        return math.isclose(then, now, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(then) is type(now) and then == now


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "..."
