"""The kinds of value a config or study is made of: names, tickers, dates, weights, benchmarks.

A kind says itself what would be right: `errorMessage` in its JSON schema, which editors show and `explain` repeats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError, core_schema

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
_LEG_NAME = re.compile(r"[A-Za-z0-9^._-]{1,64}")
_A_LEG_NAME: Final = "a name such as bonds (letters, digits and ^ . _ -, at most 64, not cash)"
MAX_LABEL_LETTERS: Final = 80
_A_LABEL: Final = f"one line of words, at most {MAX_LABEL_LETTERS} letters"
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


def _label(text: str) -> str:
    if not text.isprintable() or text != text.strip() or not 0 < len(text) <= MAX_LABEL_LETTERS:
        raise unexpected(_A_LABEL)
    return text


def _ticker(text: str) -> str:
    if not _TICKER.fullmatch(text):
        raise unexpected(f"{_A_TICKER}{in_capitals(text)}")
    return text


def in_capitals(*texts: str) -> str:
    """`, did you mean SPY?` for a ticker in small letters; nothing for what is none in capitals either."""
    meant = [text.upper() for text in texts if _TICKER.fullmatch(text.upper())]
    return f", did you mean {', '.join(meant)}?" if meant and len(meant) == len(texts) else ""


def _date(value: object) -> object:
    """ISO dates only: pydantic would read the text "1577836800" as seconds since 1970."""
    found = iso_date(value)
    if found is None:
        raise unexpected(_A_DATE)
    return found


def iso_date(value: object) -> date | None:
    """The date that a value is, or is the ISO text of; None where it is no date, or far from any market."""
    try:
        found = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else value
    except ValueError:
        return None
    return found if type(found) is date and _FIRST_DATE <= found <= _LAST_DATE else None


def sum_mistake(weights: Mapping[str, float]) -> str | None:
    """What is wrong with the sum of a basket's weights, if anything is: it is at most 1, the rest is cash."""
    total = math.fsum(weights.values())
    return None if total <= 1.0 + WEIGHTS_TOLERANCE else f"the weights sum to {total:.12g}, expected at most 1"


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights in the order of their tickers, so that order in the file does not matter.

    A sum that is meant to be 1 (three times 0.3333333333) becomes 1; a smaller one stays, the rest is cash.
    """
    wrong = sum_mistake(weights)
    if wrong:
        raise mistake(wrong)
    total = math.fsum(weights.values())
    is_one = abs(total - 1.0) <= WEIGHTS_TOLERANCE
    scale = total if is_one and abs(total - 1.0) > _ROUNDING else 1.0
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
Label = Annotated[str, AfterValidator(_label), Field(json_schema_extra=expected(_A_LABEL))]
IsoDate = Annotated[date, BeforeValidator(_date), Field(json_schema_extra=expected(_A_DATE))]
Weight = Annotated[float, Field(gt=0, le=1)]


class LegName(str):
    """The name of a leg, or `cash`, in a strategy's parameters; a config in which no leg is called so is refused."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Text in, this type out; plain text when it is written."""
        text = core_schema.str_schema(strict=True)
        written = core_schema.plain_serializer_function_ser_schema(lambda value: "".join(value))
        return core_schema.no_info_after_validator_function(cls, text, serialization=written)


class LegOrTicker(LegName):
    """The name of a leg, or a ticker."""

    __slots__ = ()


def leg_names(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], LegName]]:
    """Every name of a leg in a model, with its path; of models, lists and maps inside it too."""
    if isinstance(value, LegName):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from leg_names(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple | list):
        for i, each in enumerate(value):
            yield from leg_names(each, (*path, i))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if isinstance(key, LegName):
                yield (*path, str(key)), key
            yield from leg_names(each, (*path, str(key)))


def is_ticker(text: str) -> bool:
    """Whether it can be a ticker."""
    return _TICKER.fullmatch(text) is not None


class LegConfig(Model):
    """A basket: tickers and weights that sum to at most 1 (the rest is cash), and what pages call it."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"propertyNames": {"pattern": f"^(label|{_TICKER.pattern})$"}, **expected(_A_LEG)},
    )
    __pydantic_extra__: dict[str, Weight]

    label: Label | None = Field(None, description="what pages call it instead of its name")

    @model_validator(mode="after")
    def _is_a_basket(self) -> LegConfig:
        weights = self.__pydantic_extra__
        if not weights:
            raise unexpected(_A_LEG)
        wrong = [f"found {t!r}, expected {_A_TICKER}{in_capitals(t)}" for t in weights if not is_ticker(t)]
        if wrong:
            raise mistake("; ".join(wrong))
        object.__setattr__(self, "__pydantic_extra__", normalised(weights))
        return self

    @property
    def weights(self) -> Mapping[str, float]:
        """Ticker -> weight, by ticker."""
        return self.__pydantic_extra__

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {**({} if self.label is None else {"label": self.label}), **self.weights}


def _leg_name(text: str) -> str:
    if not _LEG_NAME.fullmatch(text) or text.casefold() == "cash":
        raise unexpected(_A_LEG_NAME)
    return text


def _one_leg_a_ticker(value: object) -> object:
    """`[SPY, IWD]` is one leg a ticker."""
    if not isinstance(value, list | tuple):
        return value
    wrong = [each for each in value if not (isinstance(each, str) and is_ticker(each))]
    if wrong:
        meant = in_capitals(*map(str, wrong))
        raise mistake(f"found {', '.join(map(repr, wrong))} in the list, expected {_A_TICKER}{meant}")
    twice = sorted({each for each in value if value.count(each) > 1})
    if twice:
        raise mistake(f"{', '.join(twice)} stands in the list twice")
    return {ticker: {ticker: 1.0} for ticker in value}


def _distinct(legs: Mapping[str, LegConfig]) -> Mapping[str, LegConfig]:
    if not legs:
        raise unexpected("at least one leg")
    folded: dict[str, str] = {}
    for name in legs:
        other = folded.setdefault(name.casefold(), name)
        if other != name:
            raise mistake(f"{name} and {other} differ in capital letters only, expected names that differ")
    called: dict[str, str] = {}
    for name, leg in legs.items():
        other = called.setdefault(leg.label or name, name)
        if other != name:
            raise mistake(f"{name} and {other} are both called {leg.label or name!r}, expected labels that differ")
    return legs


LegsConfig = Annotated[
    Mapping[Annotated[str, AfterValidator(_leg_name)], LegConfig],
    BeforeValidator(_one_leg_a_ticker),
    AfterValidator(_distinct),
    Field(json_schema_extra=expected("legs such as {growth: {QQQ: 1}, small: {IWM: 1}}, or a list [SPY, IWD]")),
]


class TwoLegMix(Model):
    """A benchmark that always holds the same share of the second of two legs, rebalanced monthly."""

    static_mix: float = Field(ge=0, le=1, description="share of the second leg, as a fraction; the rest is the first")


class Mix(Model):
    """A benchmark that always holds the same weights of legs or tickers, rebalanced monthly."""

    mix: Mapping[LegOrTicker, Weight] = Field(
        min_length=1, description="legs or tickers and their weights; the rest is cash"
    )

    def __hash__(self) -> int:
        """Of its parts: pydantic's own would hash the map, which has no hash."""
        return hash(tuple(self.mix.items()))

    @field_validator("mix")
    @classmethod
    def _sums(cls, weights: Mapping[str, float]) -> Mapping[str, float]:
        wrong = sum_mistake(weights)
        if wrong:
            raise mistake(wrong)
        return weights


_MIX, _STATIC = "(mix)", "(static mix)"


def _which_benchmark(value: object) -> str:
    if isinstance(value, Mix) or (isinstance(value, dict) and "mix" in value):
        return _MIX
    return _STATIC if isinstance(value, dict | BaseModel) else _TEXT


Benchmark = Annotated[
    Annotated[Ticker, Tag(_TEXT)] | Annotated[TwoLegMix, Tag(_STATIC)] | Annotated[Mix, Tag(_MIX)],
    Discriminator(_which_benchmark),
    Field(json_schema_extra=expected("a ticker such as QQQ, {mix: {SPY: 0.6, IEF: 0.4}} or {static_mix: 0.5}")),
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
    Annotated[Literal["irx", "fred", "french"], Tag(_TEXT)] | Annotated[AnnualRate, Tag(_MAP)],
    Discriminator(text_or_map),
    Field(json_schema_extra=expected("irx, fred, french or {annual: 0.02}")),
]


class Drift(Model):
    """Rebalance when a weight at the close is off its target by more than a band."""

    drift: float = Field(gt=0, lt=1, description="the band, as a fraction of equity")


class EverySessions(Model):
    """Every so many sessions, counted on the exchange's calendar from 1990-01-02, wherever data or test begin."""

    every_sessions: int = Field(ge=1, le=2520, description="sessions from one to the next")

    def __str__(self) -> str:
        """As words: `every 5 sessions`."""
        return "every session" if self.every_sessions == 1 else f"every {self.every_sessions} sessions"


PeriodName = Literal["daily", "weekly", "monthly", "quarterly", "annual"]

Period = Annotated[
    Annotated[PeriodName, Tag(_TEXT)] | Annotated[EverySessions, Tag(_MAP)],
    Discriminator(text_or_map),
    Field(json_schema_extra=expected("daily, weekly, monthly, quarterly, annual or {every_sessions: 5}")),
]
"""After which closes to look: the last of each day, week, ..., or every so many sessions."""


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
