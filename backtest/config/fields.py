"""The kinds of value a config or study is made of: names, tickers, dates, weights, benchmarks.

A kind says itself what would be right: `errorMessage` in its JSON schema, which editors show and `explain` repeats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

EXPECTED: Final = "errorMessage"
"""The keyword of a JSON schema that says what would be right."""

TOLD_AS_IS: Final = "mistake"
TOLD_AS_EXPECTED: Final = "unexpected"
"""Types of this package's own errors: the whole text, and what completes "found x, expected ..."."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.\-=]{0,14}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_DATE: Final = date(1900, 1, 1)
_LAST_DATE: Final = date(2199, 12, 31)

_A_NAME: Final = "a name such as rate-cut_2 (letters, digits and . _ -, at most 64, no name of a Windows device)"
_A_TICKER: Final = "a ticker such as QQQ, ^IRX or BRK-B (capital letters and digits)"
_A_DATE: Final = f"a date such as 2001-07-31, from {_FIRST_DATE} to {_LAST_DATE}"
_A_LEG: Final = "a map of tickers and weights such as {QQQ: 0.5, IVW: 0.5}"

WEIGHTS_TOLERANCE: Final = 1e-9
"""How far from 1 the weights of a leg may sum; three times 0.3333333333 is meant to be 1."""

_ROUNDING: Final = 2.0**-51
"""What a normalised leg's sum may be off by; below it the weights stay as they are, so that reading back is exact."""


class Model(BaseModel):
    """Frozen, strict, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def expected(text: str) -> JsonDict:
    """`json_schema_extra` of a field that says itself what would be right."""
    return {EXPECTED: text}


def mistake(text: str) -> PydanticCustomError:
    """An error whose text is told as it is."""
    return PydanticCustomError(TOLD_AS_IS, "{text}", {"text": text})


def unexpected(text: str) -> PydanticCustomError:
    """An error told as "found ..., expected <text>"."""
    return PydanticCustomError(TOLD_AS_EXPECTED, "{text}", {"text": text})


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or _DEVICE.fullmatch(text):
        raise unexpected(_A_NAME)
    return text


def _ticker(text: str) -> str:
    if not _TICKER.fullmatch(text):
        raise unexpected(_A_TICKER)
    return text


def _date(value: object) -> object:
    """ISO dates only: pydantic would read the text "1577836800" as seconds since 1970."""
    found = iso_date(value)
    if found is None:
        raise unexpected(_A_DATE)
    return found


def iso_date(value: object) -> date | None:
    """The date that a value is, or is the ISO text of; None where it is none or far from any market."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else value
    except ValueError:
        return None
    return found if type(found) is date and _FIRST_DATE <= found <= _LAST_DATE else None


def sum_mistake(weights: Mapping[str, float]) -> str | None:
    """What is wrong with the sum of a leg's weights, if anything is."""
    total = math.fsum(weights.values())
    return None if abs(total - 1.0) <= WEIGHTS_TOLERANCE else f"the weights sum to {total:.12g}, expected 1"


def _normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights in the order of their tickers, so that order in the file does not matter, summing to 1."""
    wrong = sum_mistake(weights)
    if wrong:
        raise mistake(wrong)
    total = math.fsum(weights.values())
    scale = total if abs(total - 1.0) > _ROUNDING else 1.0
    return {ticker: weights[ticker] / scale for ticker in sorted(weights)}


_TEXT, _MAP = "(text)", "(map)"  # pydantic puts these into paths, where no key should look like them


def text_or_map(value: object) -> str:
    """Which of two forms a value has: a word, or a map with one key."""
    return _MAP if isinstance(value, dict | BaseModel) else _TEXT


Name = Annotated[
    str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$", **expected(_A_NAME)})
]
Ticker = Annotated[
    str, AfterValidator(_ticker), Field(json_schema_extra={"pattern": f"^{_TICKER.pattern}$", **expected(_A_TICKER)})
]
IsoDate = Annotated[date, BeforeValidator(_date), Field(json_schema_extra=expected(_A_DATE))]
Weight = Annotated[float, Field(gt=0, le=1)]
Leg = Annotated[
    Mapping[Ticker, Weight],
    AfterValidator(_normalised),
    Field(json_schema_extra={"additionalProperties": False, **expected(_A_LEG)}),
]


class StaticMix(Model):
    """A benchmark that always holds the same share of small caps, rebalanced monthly."""

    static_mix: float = Field(ge=0, le=1, description="share of the small leg, as a fraction; the rest is growth")


Benchmark = Annotated[
    Annotated[Ticker, Tag(_TEXT)] | Annotated[StaticMix, Tag(_MAP)],
    Discriminator(text_or_map),
    Field(json_schema_extra=expected("a ticker such as QQQ, or {static_mix: 0.5}")),
]


class AnnualRate(Model):
    """The same T-bill yield for the whole period."""

    annual: float = Field(
        ge=-0.05,
        le=0.5,
        description="bond-equivalent yield a year, as a fraction",
        json_schema_extra=expected("a fraction from -0.05 to 0.5 (0.02 is 2%, 2 would be 200%)"),
    )


TbillSource = Annotated[
    Annotated[Literal["irx", "fred"], Tag(_TEXT)] | Annotated[AnnualRate, Tag(_MAP)],
    Discriminator(text_or_map),
    Field(json_schema_extra=expected("irx, fred or {annual: 0.02}")),
]


class Drift(Model):
    """Rebalance when a weight at the close is off its target by more than a band."""

    drift: float = Field(gt=0, lt=1, description="the band, as a fraction of equity")


class EverySessions(Model):
    """Rebalance every so many sessions, counted on the exchange's calendar from 1990-01-02."""

    every_sessions: int = Field(ge=1, le=2520, description="sessions from one to the next")


def _rule_kind(value: object) -> str:
    keys = value if isinstance(value, Mapping) else getattr(value, "model_fields_set", ())
    return _EVERY if "every_sessions" in keys else text_or_map(value)


_EVERY = "(every)"
Rebalance = Annotated[
    Annotated[Literal["on_change", "daily", "weekly", "monthly", "quarterly", "annual"], Tag(_TEXT)]
    | Annotated[Drift, Tag(_MAP)]
    | Annotated[EverySessions, Tag(_EVERY)],
    Discriminator(_rule_kind),
    Field(
        json_schema_extra=expected(
            "on_change, daily, weekly, monthly, quarterly, annual, {every_sessions: 21} or {drift: 0.05}"
        )
    ),
]
