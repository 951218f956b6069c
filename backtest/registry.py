"""Where strategies are found: in the folder `strategies/` that a user works beside, else in the installed one."""

from __future__ import annotations

import importlib
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backtest.errors import ConfigError, RunError

STRATEGIES = "strategies"
"""The package that holds the strategies, in the current folder or installed beside the library."""


@cache
def registry() -> Mapping[str, type]:
    """Name -> strategy: the current folder's `strategies/` where there is one, else the one that was installed.

    Raises ConfigError when there is none, when it cannot be imported, and when its REGISTRY is no map of classes.
    """
    here = Path.cwd()
    if (here / STRATEGIES / "__init__.py").is_file():
        sys.path.insert(0, str(here))
    try:
        module = importlib.import_module(STRATEGIES)
    except Exception as error:  # whatever a user's own file raises while it is imported
        raise ConfigError(_unimportable(error)) from error
    found = getattr(module, "REGISTRY", None)
    if not isinstance(found, Mapping) or not all(isinstance(each, type) for each in found.values()):
        raise ConfigError(f"{module.__file__}: REGISTRY: found {found!r:.60}, expected a dict from names to classes")
    return found


def _unimportable(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name == STRATEGIES:
        return f"{STRATEGIES}/: found none here and none installed, expected {STRATEGIES}/__init__.py with a REGISTRY"
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if STRATEGIES in Path(frame.filename).parts]
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else f"{STRATEGIES}/"
    return f"{place}: {type(error).__name__}: {' '.join(str(error).split())}"


@dataclass(frozen=True, slots=True)
class SourceCode:
    """What a strategy was written in: a file, or a notebook's cell.

    name: as tracebacks call it. content: all of it, the strategy and what stands beside it.
    """

    name: str
    content: bytes
    is_file: bool


def source_of(strategy: type) -> SourceCode:
    """The file or cell that defines a strategy.

    Raises RunError where there is none to be read, as for a class typed at a bare prompt.
    """
    for name in dict.fromkeys(_names_of_source(strategy)):
        if Path(name).is_file():
            return SourceCode(name, Path(name).read_bytes(), is_file=True)
        if lines := linecache.getlines(name):
            return SourceCode(name, "".join(lines).encode(), is_file=False)
    raise RunError(
        f"strategy {strategy.__name__}: its source cannot be read, so that a result could not say what made it: "
        f"write it into a file of {STRATEGIES}/ or a notebook's cell, not at a prompt"
    )


def _names_of_source(strategy: type) -> Iterator[str]:
    """Where its own functions were compiled, then its module's file; a class without either: the last cell with it.

    `inspect.getfile` alone asks the module, which in a notebook has no file, and in a script that executes text has
    another one.
    """
    codes = [getattr(inspect.unwrap(getattr(v, "__func__", v)), "__code__", None) for v in vars(strategy).values()]
    own = [code for code in codes if code and code.co_qualname.startswith(f"{strategy.__qualname__}.")]
    yield from (code.co_filename for code in own)
    if file := getattr(sys.modules.get(strategy.__module__), "__file__", None):
        yield file
    elif not own:
        written = re.compile(rf"class {strategy.__name__}\b")
        cells = reversed(list(linecache.cache))
        yield from (name for name in cells if any(map(written.match, linecache.getlines(name))))
