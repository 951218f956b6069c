"""Rank: hold the best of several legs by score, and something defensive instead of those that fail a hurdle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field, model_validator

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Decision, Evidence, EvidenceWhenAsked, Scored, Standing
from backtest.errors import ConfigError
from backtest.market import CASH, Basket, Floats, Legs, Market, Needs
from backtest.signals import Period, last_of_period, measures
from backtest.signals.periods import how_often
from backtest.signals.scores import NONE, TBILL, TIE, Rows, ScoreRule, best, exceeds
from backtest.signals.signal import LegOrTicker, basket_of, mistake, name_of
from backtest.text import listed, percent, plural, quantity


def _one_is_a_list(value: object) -> object:
    """`IEF` is `[IEF]`, and 3 is `[3]`."""
    if isinstance(value, list):
        return tuple(value)
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


OneOrMoreLegs = Annotated[
    tuple[LegName, ...], BeforeValidator(_one_is_a_list, json_schema_input_type=str | tuple[str, ...])
]
OneOrMore = Annotated[
    tuple[LegOrTicker, ...], BeforeValidator(_one_is_a_list, json_schema_input_type=str | tuple[str, ...])
]
Length = Annotated[int, Field(ge=1, le=10_000)]
Lengths = Annotated[
    tuple[Length, ...], BeforeValidator(_one_is_a_list, json_schema_input_type=Length | tuple[Length, ...])
]


class Rank(RotationStrategy):
    """Hold the legs with the highest scores."""

    class Params(StrategyParams):
        """What is ranked, by what score, how many are held, and what a score has to exceed."""

        universe: OneOrMoreLegs | None = Field(
            None, description="legs that are ranked; without it, all but the defensive ones and the one in `above`"
        )
        score: Literal["returns", "twelve_one", "scaled", "moving_average"] = Field(
            "returns",
            description="what is ranked: returns; those over 12 months without the last; returns per unit of "
            "volatility; or the distance from a moving average",
        )
        lookback_months: Lengths | None = Field(
            None, description="calendar months that the score looks back, one length or several; without any, 12"
        )
        lookback_sessions: Lengths | None = Field(None, description="the same in sessions, instead of months")
        score_weights: tuple[float, ...] | None = Field(
            None, description="weight of each length in the sum, taken as they are; without them 1 / how many"
        )
        top: int = Field(1, ge=1, le=1000, description="how many legs are held; each has a slot of the same size")
        weights: Literal["equal", "inverse_volatility"] = Field(
            "equal", description="size of the slots: all equal, or by the inverse of the legs' volatility"
        )
        volatility_sessions: int = Field(63, ge=5, description="daily returns that a volatility is estimated from")
        above: float | Literal["tbill"] | LegOrTicker | None = Field(
            None,
            union_mode="left_to_right",
            description="what a score must exceed: a number, T-bills (tbill), or the score of a leg or a ticker",
        )
        defensive: OneOrMoreLegs = Field(
            (), description="legs of which the best takes the slots of those that fail; without any, cash"
        )
        canary: OneOrMore = Field(
            (), description="legs or tickers that must all exceed `above`, instead of each leg that is held"
        )
        decide: Period = Field("monthly", description="after which closes to look")

        @model_validator(mode="after")
        def _agree(self) -> Rank.Params:
            lengths = self.lookback_months or self.lookback_sessions
            if self.lookback_months is not None and self.lookback_sessions is not None:
                raise mistake("found both lookback_months and lookback_sessions, expected one of them")
            if () in (self.universe, self.lookback_months, self.lookback_sessions):
                raise mistake("found an empty list in universe or lookback, expected at least one")
            if self.score == "twelve_one" and (lengths or self.score_weights):
                raise mistake("score: twelve_one looks back 12 months, expected no lookback and no score_weights")
            if self.score_weights is not None and len(self.score_weights) != len(lengths or (12,)):
                wanted = plural(len(lengths or (12,)), "number")
                raise mistake(f"score_weights: expected {wanted}, one for each lookback")
            if self.canary and self.above is None:
                raise mistake("canary: expected `above` as well, which the canaries have to exceed")
            if self.above == TBILL and self.score in ("scaled", "moving_average"):
                raise mistake(f"above: found tbill, but T-bills have no score {self.score}: expected a number or a leg")
            named = (*(self.universe or ()), *self.defensive, *self.canary, self.above)
            if CASH in named:
                raise mistake("found cash, which has no score; what fails is held in cash without `defensive`")
            for key in ("universe", "defensive", "canary"):
                names = getattr(self, key) or ()
                if len(set(names)) < len(names):
                    raise mistake(f"{key}: found {', '.join(names)}, expected each once")
            return self

        @cached_property
        def needs(self) -> Needs:
            """Canaries and a hurdle that may be tickers without a leg."""
            hurdle = (self.above,) if isinstance(self.above, LegOrTicker) else ()
            return Needs((*self.canary, *hurdle))

        @cached_property
        def scored(self) -> ScoreRule:
            """How legs are scored."""
            if self.score == "twelve_one":
                return ScoreRule("twelve_one", (), "month", (), 0)
            spans = self.lookback_sessions or self.lookback_months or (12,)
            weights = self.score_weights or (1.0 / len(spans),) * len(spans)
            return ScoreRule(
                self.score, spans, "session" if self.lookback_sessions else "month", weights, self.volatility_sessions
            )

        def ranked(self, legs: Legs) -> tuple[str, ...]:
            """The legs that are ranked, in order."""
            left = [name for name in legs.names if name not in self.defensive and name != self.above]
            return self.universe or tuple(left)

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Score, choose and test the legs at each look; in between, what was decided stays."""
        if not p.ranked(legs):
            there = ", ".join(legs.names)
            raise ConfigError(
                f"strategy.params: found no leg that is left to be ranked, expected some of {there} in universe"
            )
        table = _scores(market, legs, p)
        looks = market.memo.get(("looks", p.decide), lambda: np.flatnonzero(last_of_period(market, p.decide)))
        # How many sessions lie before the first look, and from each one to the next.
        sessions = market.memo.get(
            ("between looks", p.decide), lambda: np.diff(looks, prepend=0, append=len(market.close))
        )
        choice = _chosen(market, legs, p, table, looks)
        # Which look counts, before the first one (NONE, which is the last row below: of NaN) and from each one on.
        counts = np.maximum.accumulate(np.where(choice.is_known, np.arange(len(looks)), NONE))
        counts = np.concatenate([[NONE], counts])
        shares = np.vstack([choice.shares, np.full(len(legs.names), np.nan)])[counts]
        evidence = EvidenceWhenAsked(lambda: _evidence(legs, p, table, sessions, shares, choice, counts))
        told = _Told(market, legs, p, table, looks, choice, counts)
        return Decision(np.repeat(shares, sessions, axis=0), evidence, told.reason, standing=told.standing)

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        ranked = p.ranked(legs)
        best_of = f"the best {p.top}" if p.top > 1 else "the best"
        names = listed([legs.label(name) for name in ranked])
        sized = " weighed by inverse volatility" if p.weights == "inverse_volatility" else ""
        sized += f" of {p.volatility_sessions} sessions" if sized else ""
        spare = p.top - len(ranked)
        idle = f" ({plural(spare, 'slot')} more than there are legs, never filled)" if spare > 0 else ""
        text = f"It holds {best_of} of {names}{idle}{sized} by {p.scored.words()}, looked at {how_often(p.decide)}"
        instead = listed([legs.label(name) for name in p.defensive], word="or") or "cash"
        instead = f"the best of {instead}" if len(p.defensive) > 1 else instead
        if p.canary:
            birds = listed([name_of(name, legs) for name in p.canary])
            verb = "are all" if len(p.canary) > 1 else "is"
            return f"{text}, while {birds} {verb} above {_hurdle_words(legs, p)}, otherwise {instead}."
        if p.above is not None:
            return f"{text}; {instead} in place of each that is not above {_hurdle_words(legs, p)}."
        return f"{text}; {instead} in place of those whose score is not known." if p.defensive else f"{text}."


class _ByName(dict[str, Floats]):
    """Scores, (sessions,) each, by what was scored."""

    @property
    def nbytes(self) -> int:
        """Of all, which this keeps alive when what is remembered of each has made room."""
        return sum(each.nbytes for each in self.values())


@dataclass(frozen=True, slots=True)
class _Table:
    """Scores by what was scored, (sessions,) each. hurdle: None without `above`."""

    by_name: dict[str, Floats]
    hurdle: Floats | None

    def of(self, names: tuple[str, ...], rows: Rows) -> Floats:
        """(rows, names)."""
        return np.stack([self.by_name[name][rows] for name in names], axis=1)


@dataclass(frozen=True, slots=True)
class _Choice:
    """What is decided at each look. picks: places in the universe by slot, (looks, top), NONE where too few are known;
    passes: the same shape; refuge: the place of the best defensive leg, NONE for cash; shares: by leg.
    """

    picks: Rows
    passes: npt.NDArray[np.bool_]
    refuge: Rows
    shares: Floats
    is_known: npt.NDArray[np.bool_]


def _scores(market: Market, legs: Legs, p: Rank.Params) -> _Table:
    names = (*p.ranked(legs), *p.defensive, *p.canary)
    by_name = market.memo.get(
        ("scores by name", p.scored, names, legs.key),
        lambda: _ByName({name: p.scored.of(market, basket_of(name, legs)) for name in names}),
    )
    if p.above is None:
        return _Table(by_name, None)
    if isinstance(p.above, float):
        return _Table(by_name, np.broadcast_to(np.float64(p.above), len(market.close)))
    if p.above == TBILL and TBILL in legs.names:
        raise ConfigError(
            "strategy.params.above: found tbill, which is both T-bills and a leg: call the leg something else"
        )
    basket: Basket = {TBILL: 1.0} if p.above == TBILL else basket_of(p.above, legs)
    return _Table(by_name, p.scored.of(market, basket))


def _chosen(market: Market, legs: Legs, p: Rank.Params, table: _Table, looks: Rows) -> _Choice:
    def scores_of(names: tuple[str, ...]) -> Floats:
        return market.memo.get(("scores", p.scored, p.decide, names, legs.key), lambda: table.of(names, looks))

    def best_of(names: tuple[str, ...], top: int) -> Rows:
        return market.memo.get(("best", p.scored, p.decide, names, top, legs.key), lambda: best(scores_of(names), top))

    picks = best_of(p.ranked(legs), p.top)
    refuge = best_of(p.defensive, 1)[:, 0] if p.defensive else np.full(len(looks), NONE)
    hurdle = None if table.hurdle is None else table.hurdle[looks]
    canaries = scores_of(p.canary) if p.canary else None
    slots = _slots(market, legs, p, looks, picks)
    return _choose(legs, p, scores_of(p.ranked(legs)), picks, refuge, hurdle, canaries, slots)


def _choose(
    legs: Legs,
    p: Rank.Params,
    scores: Floats,
    picks: Rows,
    refuge: Rows,
    hurdle: Floats | None,
    canaries: Floats | None,
    slots: Floats,
) -> _Choice:
    """Test the picks, or the canaries, and fill the slots. Arrays as in `_Choice`; scores: (looks, universe)."""
    rows, nowhere = np.arange(len(picks)), len(legs.names)
    passes: npt.NDArray[np.bool_] = np.not_equal(picks, NONE)
    is_known = np.asarray(passes.any(axis=1))
    if hurdle is not None:
        is_known = is_known & ~np.isnan(hurdle)
        if canaries is not None:
            is_known = is_known & ~np.isnan(canaries).any(axis=1)
            passes = passes & exceeds(canaries, hurdle[:, None]).all(axis=1, keepdims=True)
        else:
            passes = passes & exceeds(scores[rows[:, None], picks], hurdle[:, None])
    # NONE is the last place: a column beside those of the legs, which nobody reads.
    shares = np.zeros((len(picks), nowhere + 1))
    columns = np.array([*(legs.names.index(name) for name in p.ranked(legs)), nowhere])
    shares[rows[:, None], columns[picks]] = np.where(passes, slots, 0.0)
    if p.defensive:
        columns = np.array([*(legs.names.index(name) for name in p.defensive), nowhere])
        shares[rows, columns[refuge]] += np.where(passes, 0.0, slots).sum(axis=1)
    return _Choice(picks, passes, refuge, shares[:, :nowhere] / p.top, is_known)


def _slots(market: Market, legs: Legs, p: Rank.Params, looks: Rows, picks: Rows) -> Floats:
    """The size of each slot, (looks, top), 1 on average. A missing one has 1; the others share what they have together
    by the inverse of their volatility, or equally while one of these is not known.
    """
    if p.weights == "equal":
        return np.ones(picks.shape)
    names = p.ranked(legs)
    deviations = [measures.volatility(market, legs[name], p.volatility_sessions)[looks] for name in names]
    inverse = 1.0 / np.maximum(np.stack(deviations, axis=1), 1e-12)
    is_there = np.not_equal(picks, NONE)
    mine = np.where(is_there, np.take_along_axis(inverse, np.maximum(picks, 0), axis=1), 0.0)
    total = mine.sum(axis=1, keepdims=True)
    is_weighed = is_there & (total > 0.0)  # not where the total is NaN
    return np.where(is_weighed, is_there.sum(axis=1, keepdims=True) * mine / np.where(total > 0.0, total, 1.0), 1.0)


def _evidence(
    legs: Legs, p: Rank.Params, table: _Table, sessions: Rows, shares: Floats, choice: _Choice, counts: Rows
) -> list[Evidence]:
    """The score of each leg, whether it is held, and the hurdle, whether all that were asked to exceed it do.

    sessions: how long each row of shares lasts; counts: the look that it came from.
    """
    passes = np.append(choice.passes.all(axis=1), np.nan)[counts]
    unit, what = p.scored.value_unit, p.scored.words()
    held = np.where(np.isnan(shares), np.nan, shares > 0.0)
    leans = np.repeat(np.column_stack([held, passes]).T, sessions, axis=1)
    leans_of = dict(zip(legs.names, leans, strict=False))
    thresholds = (p.above,) if isinstance(p.above, float) else ()
    evidence = []
    for name, values in table.by_name.items():
        label = f"Score of {name_of(name, legs)}: {what}"
        leg = name if name in leans_of else ""
        evidence.append(Evidence(f"score_{name}", values, unit, thresholds, label, leans_of.get(name), leg))
    if table.hurdle is not None and not isinstance(p.above, float):
        label = f"Hurdle {_hurdle_words(legs, p)}: {what}"
        evidence.append(Evidence("hurdle", table.hurdle, unit, label=label, leans=leans[-1]))
    return evidence


def _hurdle_words(legs: Legs, p: Rank.Params) -> str:
    if isinstance(p.above, float):
        return quantity(p.above, p.scored.value_unit, digits=None if p.scored.kind == "scaled" else 2)
    return "T-bills" if p.above == TBILL else name_of(str(p.above), legs)


@dataclass(frozen=True, slots=True)
class _Told:
    """A decision in words and figures. counts: the look in force before the first one and from each one on."""

    market: Market
    legs: Legs
    p: Rank.Params
    table: _Table
    looks: Rows
    choice: _Choice
    counts: Rows

    def reason(self, row: int) -> str:
        """Why this is held, in a few words."""
        at = self._look(row)
        if at == NONE:
            return "no score is known yet: the initial holding"
        p, look, universe = self.p, int(self.looks[at]), self.p.ranked(self.legs)
        instead = self._instead(at)
        picked = self._picked(at)
        failed = [name for name, ok in picked if not ok]
        if p.canary and failed:
            weak = [self._scored(name, look) for name in p.canary if not self._is_above(name, look)]
            return f"{listed(weak)} not above {self._hurdle(look)}: all in {instead}"
        parts = []
        held = [self._scored(name, look) for name, ok in picked if ok]
        if held:
            when = "" if look == row else f" on {self.market.sessions[look]:%Y-%m-%d}"
            parts.append(f"{listed(held)} {'lead' if len(held) > 1 else 'leads'} {plural(len(universe), 'leg')}{when}")
        if failed:
            weak = [self._scored(name, look) for name in failed]
            parts.append(f"{listed(weak)} not above {self._hurdle(look)}: {instead} instead")
        missing = p.top - len(picked)
        if missing:
            parts.append(f"{plural(missing, 'slot')} without a leg whose score is known: {instead}")
        return "; ".join(parts)

    def standing(self, row: int) -> Standing:
        """All scores at a close, the slots of the look that decided, and what would flip a look at this close."""
        p, at = self.p, self._look(row)
        look = NONE if at == NONE else int(self.looks[at])
        values = {name: float(series[row]) for name, series in self.table.by_name.items()}
        hurdle = None if self.table.hurdle is None else float(self.table.hurdle[row])
        if hurdle is not None and not isinstance(p.above, float):
            values.setdefault(str(p.above), hurdle)
        now, flips = _flips(self.legs, p, values, hurdle)
        universe = p.ranked(self.legs)
        order = best(np.array([[values[name] for name in universe]]), len(universe))[0].tolist()
        places = {universe[pick]: place for place, pick in enumerate(order, 1) if pick != NONE}
        roles = {"ranked": universe, "defensive": p.defensive, "canary": p.canary, "hurdle": (p.above,)}

        def then(name: str) -> float:
            series = self.table.by_name.get(name, self.table.hurdle)
            return np.nan if look == NONE or series is None else float(series[look])

        rows = [
            Scored(
                name, "T-bills" if name == TBILL else name_of(name, self.legs),
                tuple(role for role, names in roles.items() if name in names),
                value, then(name), places.get(name, 0), *flips.get(name, (np.nan, ())),
            )
            for name, value in values.items()
        ]  # fmt: skip
        rows.sort(key=lambda each: each.place or len(universe) + 1)
        words = None if hurdle is None else (_hurdle_words(self.legs, p), hurdle)
        return Standing(look, p.scored.value_unit, tuple(rows), words, self._slots(at), now)

    def _look(self, row: int) -> int:
        return int(self.counts[np.searchsorted(self.looks, row, side="right")])

    def _picked(self, at: int) -> list[tuple[str, bool]]:
        universe = self.p.ranked(self.legs)
        slots = zip(self.choice.picks[at].tolist(), self.choice.passes[at].tolist(), strict=True)
        return [(universe[pick], ok) for pick, ok in slots if pick != NONE]

    def _instead(self, at: int) -> str:
        refuge = int(self.choice.refuge[at])
        return CASH if refuge == NONE else self._scored(self.p.defensive[refuge], int(self.looks[at]))

    def _slots(self, at: int) -> tuple[str, ...]:
        if at == NONE:
            return ()
        picked, refuge = self._picked(at), int(self.choice.refuge[at])
        instead = CASH if refuge == NONE else name_of(self.p.defensive[refuge], self.legs)
        slots = [
            name_of(name, self.legs) if ok else f"{instead} instead of {name_of(name, self.legs)}"
            for name, ok in picked
        ]
        return (*slots, *[f"{instead}: too few scores are known"] * (self.p.top - len(picked)))

    def _scored(self, name: str, row: int) -> str:
        return f"{name_of(name, self.legs)} {_value(self.p, float(self.table.by_name[name][row]))}"

    def _hurdle(self, row: int) -> str:
        words = _hurdle_words(self.legs, self.p)
        if isinstance(self.p.above, float) or self.table.hurdle is None:
            return words
        return f"{words} {_value(self.p, float(self.table.hurdle[row]))}"

    def _is_above(self, name: str, row: int) -> bool:
        assert self.table.hurdle is not None
        return bool(exceeds(self.table.by_name[name], self.table.hurdle)[row])


def _flips(
    legs: Legs, p: Rank.Params, values: dict[str, float], hurdle: float | None
) -> tuple[tuple[float, ...] | None, dict[str, tuple[float, tuple[float, ...]]]]:
    """What these scores decide, and for each name the least change of its own that decides otherwise, and what then.

    Every score is tried just below, at and just above each of the others and the hurdle, slots being of equal size.
    """
    levels = [level for level in dict.fromkeys((*values.values(), hurdle)) if level is not None and not np.isnan(level)]
    tries = [(name, level + step) for name in values for level in levels for step in (-2 * TIE, 0.0, 2 * TIE)]
    tries = [("", np.nan), *(each for each in tries if not np.isnan(values[each[0]]))]  # the first one as it is
    table = {name: np.full(len(tries), value) for name, value in values.items()}
    limits = None if hurdle is None else np.full(len(tries), hurdle)
    for i, (name, value) in enumerate(tries[1:], 1):
        table[name][i] = value
        if limits is not None and name == p.above:
            limits[i] = value

    def of(names: tuple[str, ...]) -> Floats:
        return np.stack([table[name] for name in names], axis=1)

    scores, refuge = of(p.ranked(legs)), np.full(len(tries), NONE)
    if p.defensive:
        refuge = best(of(p.defensive), 1)[:, 0]
    picks = best(scores, p.top)
    choice = _choose(legs, p, scores, picks, refuge, limits, of(p.canary) if p.canary else None, np.ones(picks.shape))
    if not choice.is_known[0]:
        return None, {}
    differs = choice.is_known & (choice.shares != choice.shares[0]).any(axis=1)
    flips: dict[str, tuple[float, tuple[float, ...]]] = {}
    for i in np.flatnonzero(differs).tolist():
        name, value = tries[i]
        change = value - values[name]
        if name not in flips or abs(change) < abs(flips[name][0]):
            flips[name] = change, tuple(choice.shares[i].tolist())
    return tuple(choice.shares[0].tolist()), flips


def _value(p: Rank.Params, value: float) -> str:
    if p.scored.kind == "scaled":
        return quantity(value, "sd")
    return percent(value, 1, "+")
