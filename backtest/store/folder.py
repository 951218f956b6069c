"""The result folder: written whole or not at all, never replaced, the same bytes for the same question.

`results/<name>-<hash8>/`: the hash is of the question (resolved config without locations), the data by content, and the
code that answers. A folder that exists is compared with the new run: equal, it stays; different is an error.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import backtest
from backtest.errors import ResultDiffers, WriteError
from backtest.store.tables import json_text

MANIFEST = "manifest.json"
HASH_LENGTH = 8
ABANDONED_SECONDS = 24 * 3600
LOCATION_KEYS = ("folder", "location", "snapshot")
"""Keys of config.yaml and manifest.json whose values are places on this machine, or of files that go on beyond what the
run used of them: not compared."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where a result stands; is_new is False when the same result stood there already."""

    folder: Path
    is_new: bool


def code_hash(strategy: type) -> str:
    """sha256 (hex) of every source file of the library, by relative path, and of the file that defines the strategy."""
    package = Path(backtest.__file__).parent
    files = sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for name, path in [
        *((path.relative_to(package).as_posix(), path) for path in files),
        ("strategy", _file_of(strategy)),
    ]:
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _file_of(strategy: type) -> Path:
    return Path(inspect.getfile(strategy))


Content = str | bytes
"""Of a file: text (UTF-8), or bytes as they are."""


def write_folder(root: Path, name: str, files: Mapping[str, Content]) -> Written:
    """Write `root/name` with these files in one rename; or compare with what stands there.

    Raises ResultDiffers naming the first file that differs from the folder's, WriteError when it cannot be written.
    """
    target = root / name
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        if os.path.lexists(target):
            return _compare(target, files)
        with _temporary_folder(root, name) as temporary:
            for file, content in files.items():
                _write_durably(temporary / file, content)
            _sync_folder(temporary)
            try:
                os.rename(temporary, target)
            except OSError:
                if not target.is_dir():
                    raise
                return _compare(target, files)  # another process was first
        _sync_folder(root)
    except OSError as error:
        place = error.filename or target
        raise WriteError(f"{place}: {error.strerror or error}: the result was not written") from None
    return Written(target, is_new=True)


def replace_file(path: Path, text: str) -> None:
    """Write a single file so that a reader sees the old or the new one, never a part."""
    temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _write_durably(temporary, text)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WriteError(f"{path}: {error.strerror or error}") from None


@contextmanager
def _temporary_folder(root: Path, name: str) -> Iterator[Path]:
    temporary = root / f".tmp-{name}-{os.getpid()}-{secrets.token_hex(4)}"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_durably(path: Path, content: Content) -> None:
    with path.open("xb") as file:
        file.write(_encoded(content))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encoded(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _compare(folder: Path, files: Mapping[str, Content]) -> Written:
    for file, content in files.items():
        path = folder / file
        try:
            found = path.read_bytes() if isinstance(content, bytes) else path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise ResultDiffers(f"{path}: missing or unreadable: move the folder away and run again") from None
        if _comparable(file, found) != _comparable(file, content):
            raise ResultDiffers(
                f"{path}: this run gave other bytes for the same question, data and code: it was changed by hand, or a "
                "library differs; the folder was left as it is, move it away and run again"
            )
    return Written(folder, is_new=False)


def _comparable(file: str, text: Content) -> Any:
    """What must be equal on a rerun: all bytes, but for the manifest's run fields and places on this machine."""
    if file == MANIFEST:
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            return text
        if not isinstance(content, dict) or not isinstance(content.get("files", {}), dict):
            return text
        content.pop("run", None)
        files = content.get("files", {})
        for name in ("config.yaml",):
            files.pop(name, None)
        return _without_locations(content)
    if file == "config.yaml":
        try:
            return _without_locations(yaml.safe_load(text))
        except (yaml.YAMLError, ValueError, RecursionError):
            return text
    return text


def _without_locations(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_locations(value) for key, value in content.items() if key not in LOCATION_KEYS}
    if isinstance(content, list):
        return [_without_locations(value) for value in content]
    return content


def _sweep(root: Path) -> None:
    """Remove temporary folders of runs that died more than a day ago."""
    for path in root.glob(".tmp-*"):
        try:
            if time.time() - path.lstat().st_mtime > ABANDONED_SECONDS and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue


def file_digests(files: Mapping[str, Content]) -> dict[str, dict[str, Any]]:
    """File name -> sha256 and size, for the manifest."""
    encoded = {name: _encoded(content) for name, content in files.items()}
    return {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in encoded.items()}


def manifest_json(content: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """The manifest; everything that differs from run to run stands under `run`."""
    return json_text({**content, "run": dict(run)})
