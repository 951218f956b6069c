"""The result folder `results/<name>-<hash8>/`: written whole or not at all, never replaced.

The hash is of the question (resolved config without locations), the data by content, the code that answers and the
trials known. A folder that exists is compared with the new answer (`sameness`).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtest.errors import DataError, ResultDiffers, WriteError
from backtest.store.manifest import MANIFEST, SCHEMA, Kind, Manifest, read_manifest
from backtest.store.provenance import Provenance, sha256_text, versions
from backtest.store.sameness import is_unchanged
from backtest.store.tables import json_text

HASH_LENGTH = 8
ABANDONED_SECONDS = 24 * 3600
HELD_OPEN_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Waits between attempts to move a file that somebody has open, which Windows refuses meanwhile."""

Content = str | bytes
"""Of a file: text (UTF-8), or bytes as they are."""

_ILLEGAL = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a result answers. hashes: what was hashed -> sha256 (hex); question, data and code are always there."""

    kind: Kind
    name: str
    hashes: Mapping[str, str]

    @property
    def key(self) -> str:
        """sha256 (hex) of all."""
        return sha256_text("".join(f"{what} {digest}\n" for what, digest in {"kind": self.kind, **self.hashes}.items()))

    @property
    def hash8(self) -> str:
        """What is shown of the key."""
        return self.key[:HASH_LENGTH]

    @property
    def folder_name(self) -> str:
        """A name that every system allows, Windows' devices included."""
        name = _ILLEGAL.sub("_", f"{self.name}-{self.hash8}")
        return f"_{name}" if _DEVICE.fullmatch(name) or name.startswith(".") else name


@dataclass(frozen=True, slots=True)
class Written:
    """Where a result stands, and how it came there: "written", "unchanged" or "same figures, other libraries"."""

    folder: Path
    state: str

    @property
    def is_new(self) -> bool:
        """False when the same result stood there already."""
        return self.state == "written"


def write(
    root: Path, identity: Identity, files: Mapping[str, Content], about: Mapping[str, Any], provenance: Provenance
) -> Written:
    """Write the files and their manifest as `root/<name>-<hash8>/`, or compare them with the folder that stands there.

    about: the fields of `manifest.Manifest` that only the caller knows, and what else is worth keeping.
    Raises ResultDiffers when the folder holds another answer to the question, WriteError when it cannot be written.
    """
    content = {
        "schema": SCHEMA,
        "name": identity.name,
        "kind": identity.kind,
        "hash": identity.key,
        **{f"{what}_sha256": digest for what, digest in identity.hashes.items()},
        **about,
        "versions": versions(),
        "files": file_digests(files),
        "run": provenance.fields(),
    }
    manifest = json_text(content)
    Manifest.model_validate_json(manifest)  # what is written is what the reader takes
    written = write_folder(root, identity.folder_name, {**files, MANIFEST: manifest})
    try:
        read_manifest(written.folder)  # its run fields were not compared
    except DataError as error:
        raise ResultDiffers(*error.problems) from None
    return written


def write_folder(root: Path, name: str, files: Mapping[str, Content]) -> Written:
    """Write `root/name` with these files in one rename; or compare with what stands there. Raises as `write` does."""
    target, encoded = root / name, {file: _encoded(content) for file, content in files.items()}
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        if not os.path.lexists(target) and _written(root, target, encoded):
            return Written(target, "written")
        return Written(target, "unchanged" if is_unchanged(target, encoded) else "same figures, other libraries")
    except OSError as error:
        place = error.filename or target
        raise WriteError(f"{place}: {error.strerror or error}: the result was not written") from None


def _written(root: Path, target: Path, files: Mapping[str, bytes]) -> bool:
    """Whether the folder is ours; False when another process was first."""
    with _temporary_folder(root, target.name) as temporary:
        for file, content in files.items():
            _write_durably(temporary / file, content)
        _sync_folder(temporary)
        try:
            _patiently(os.rename, temporary, target)
        except OSError:
            if not target.is_dir():
                raise
            return False
    _sync_folder(root)
    return True


def replace_file(path: Path, content: Content) -> None:
    """Write a single file so that a reader sees the old or the new one, never a part."""
    temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _write_durably(temporary, _encoded(content))
        _patiently(os.replace, temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise WriteError(f"{path}: {error.strerror or error}") from None


def _patiently(move: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    """Move; where a reader holds the target open, and the system minds, try again for a while."""
    for seconds in HELD_OPEN_SECONDS:
        try:
            return move(source, target)
        except PermissionError:
            time.sleep(seconds)
    return move(source, target)


@contextmanager
def _temporary_folder(root: Path, name: str) -> Iterator[Path]:
    temporary = root / f".tmp-{name}-{os.getpid()}-{secrets.token_hex(4)}"
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):  # Windows opens no folder; NTFS keeps renames in its journal
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _encoded(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _sweep(root: Path) -> None:
    """Remove what runs that died more than a day ago left behind."""
    for path in root.glob(".tmp-*"):
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def file_digests(files: Mapping[str, Content]) -> dict[str, dict[str, Any]]:
    """File name -> sha256 and size, for the manifest."""
    encoded = {name: _encoded(content) for name, content in files.items()}
    return {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in encoded.items()}


def write_text(path: Path, text: str) -> None:
    """Write one file that the user named; WriteError, in one line, where that cannot be done."""
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror}; expected a file that can be written") from None
