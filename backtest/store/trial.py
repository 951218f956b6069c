"""A trial: one question asked of one data set, and how it stands as a line in the ledger.

Made of a config, its market and what was measured; a sweep is many trials of one family as one line.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backtest.config import Config, question
from backtest.market import Market

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a search happens: the tickers rotated between (sorted), and the kind of prices, "real total_return"."""

    tickers: tuple[str, ...]
    prices: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One question asked of one data set; Sharpe ratios are annual, None where undefined.

    question_sha256: of the config without name and benchmarks, so that a renamed variant is the same trial.
    active_sharpe: of the returns over `benchmark` (None without one); sharpe: of those over T-bills.
    """

    place: Place
    family: str
    question_sha256: str
    data_sha256: str
    benchmark: str | None
    active_sharpe: float | None
    sharpe: float | None
    sessions: int

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What makes it another line; what makes it another trial is `question_sha256` alone."""
        return ("trial", self.question_sha256, self.data_sha256, self.benchmark)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Many variants of one family as one line: their number, and mean and variance of their annual active ratios."""

    place: Place
    family: str
    sweep_sha256: str
    data_sha256: str
    benchmark: str | None
    variants: int
    mean: float
    variance: float
    sessions: int

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What makes it another line; what makes it another sweep is `sweep_sha256` alone."""
        return ("sweep", self.sweep_sha256, self.data_sha256, self.benchmark)


Entry = Trial | Sweep


def trial_of(config: Config, market: Market, data_sha256: str, **measured: Any) -> Trial:
    """The trial that a config is; measured: the fields `benchmark`, `active_sharpe`, `sharpe` and `sessions`."""
    return Trial(
        place=place_of(config, market),
        family=config.strategy.name,
        question_sha256=trial_hash(config),
        data_sha256=data_sha256,
        **measured,
    )


def place_of(config: Config, market: Market) -> Place:
    """Where a config searches."""
    kind = "simulated" if market.is_simulated else "real"
    tickers = set(config.tickers)
    return Place(tuple(sorted(tickers)), f"{kind} {config.execution.accounting}")


def trial_hash(config: Config) -> str:
    """sha256 (hex) of what is asked of the data, whatever it is called and held against."""
    asked = question(config.model_copy(update={"name": "trial", "benchmarks": ()}))
    return hashlib.sha256(asked.encode()).hexdigest()


def line_of(entry: Entry) -> bytes:
    """The entry as a line of JSON, with the time of writing."""
    content = asdict(entry)
    place = content.pop("place")
    key = {"tickers": place["tickers"], "prices": place["prices"], "family": content.pop("family")}
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    document = {"schema": SCHEMA, "key": key, **content, "when": when}
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def parsed(line: bytes) -> Entry | None:
    """The trial or sweep of a line; None when it is neither."""
    try:
        document: Mapping[str, Any] = json.loads(line)
        if document["schema"] != SCHEMA:
            return None
        key = document["key"]
        place = Place(tuple(key["tickers"]), key["prices"])
        kind = Sweep if "sweep_sha256" in document else Trial
        values = {name: _checked(name, document[name]) for name in kind.__slots__ if name not in ("place", "family")}
        return kind(place=place, family=str(key["family"]), **values)
    except (ValueError, KeyError, TypeError):
        return None


def _checked(name: str, value: Any) -> Any:
    """The value of a field, or TypeError for one that nothing could be computed with."""
    if name in ("sessions", "variants", "mean", "variance") or (name.endswith("sharpe") and value is not None):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(name)
    elif name.endswith("sha256") and not isinstance(value, str):
        raise TypeError(name)
    return value
