"""Where strategies are found: in the folder `strategies/` that a user works beside, else in the installed one."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from backtest.errors import ConfigError

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
