"""Questions: what a config asks of the data, whatever it is called and held against, as a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property

from pydantic import BaseModel

from backtest.config import Config, question


def trial_hash(config: Config) -> str:
    """sha256 (hex) of what is asked of the data."""
    asked = question(config.model_copy(update={"name": "trial", "benchmarks": ()}))
    return hashlib.sha256(asked.encode()).hexdigest()


class Questions:
    """Hashes of the configs that differ from a template in parameters alone: `trial_hash`, but fast."""

    def __init__(self, template: Config) -> None:
        self.template = template

    @cached_property
    def _around(self) -> list[str]:
        asked = json.loads(question(self.template.model_copy(update={"name": "trial", "benchmarks": ()})))
        asked["strategy"]["params"] = "\0"
        return _canonical(asked).split(_canonical("\0"))

    def of(self, params: BaseModel) -> str:
        """sha256 (hex) of the question with these parameters."""
        return hashlib.sha256(_canonical(params.model_dump(mode="json")).join(self._around).encode()).hexdigest()


_canonical: Callable[[object], str] = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode
