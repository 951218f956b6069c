"""Parts: several rules side by side, each deciding about its own share of the whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Branch, Decision, Evidence
from backtest.market import CASH, Legs, Market, Needs
from backtest.signals.signal import Label, mistake
from backtest.text import percent
from strategies.rank import Rank
from strategies.rules import Rules

WITHIN_ROUNDING = 1e-9


class Part(BaseModel):
    """A share of the whole, and what decides about it: a rank, rules, or a leg (or cash) that is always held."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    share: float = Field(gt=0, le=1, description="its share of the whole, a fraction")
    label: Label | None = Field(None, description="what reports call it")
    rank: Rank.Params | None = Field(None, description="the parameters of a rank")
    rules: Rules.Params | None = Field(None, description="the parameters of rules; sizes of theirs are not for parts")
    leg: LegName | None = Field(None, description="a leg, or cash, that is always held")

    @model_validator(mode="after")
    def _one_decides(self) -> Part:
        given = [name for name in ("rank", "rules", "leg") if getattr(self, name) is not None]
        if len(given) != 1:
            raise mistake(f"found {' and '.join(given) or 'none of them'}, expected one of rank, rules and leg")
        if self.rules is not None and self.rules.inverse_volatility is not None:
            raise mistake("rules: found inverse_volatility, which is for all tickers of a leg at once, not for a part")
        return self

    def decide(self, market: Market, legs: Legs) -> Decision:
        """As if it were all."""
        if self.rank is not None:
            return Rank.decide(market, legs, self.rank)
        if self.rules is not None:
            return Rules.decide(market, legs, self.rules)
        held = np.tile(legs.alone(str(self.leg)), (len(market.sessions), 1))
        return Decision(held, reason=lambda row: f"always {self.leg}")

    def rule(self, legs: Legs) -> str:
        """In one sentence."""
        if self.rank is not None:
            return Rank.rule(legs, self.rank)
        if self.rules is not None:
            return Rules.rule(legs, self.rules)
        return f"It holds {CASH if self.leg == CASH else legs.label(str(self.leg))}, always."


class Parts(RotationStrategy):
    """Hold what several rules say, each about its own share of the whole."""

    class Params(StrategyParams):
        """The parts; what their shares leave is cash."""

        model_config = ConfigDict(defer_build=True)

        parts: tuple[Part, ...] = Field(description="the shares and what decides about each")

        @model_validator(mode="after")
        def _agree(self) -> Parts.Params:
            if not self.parts:
                raise mistake("parts: found an empty list, expected at least one part")
            total = sum(part.share for part in self.parts)
            if total > 1.0 + WITHIN_ROUNDING:
                raise mistake(f"parts: the shares sum to {total:.12g}, expected at most 1")
            return self

        @cached_property
        def needs(self) -> Needs:
            """What the parts read beside the prices of the legs."""
            needs = Needs()
            for part in self.parts:
                decides = part.rank or part.rules
                needs = needs if decides is None else needs | decides.needs
            return needs

        @property
        def titles(self) -> list[str]:
            """What to call each part."""
            return [part.label or f"part {number}" for number, part in enumerate(self.parts, 1)]

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """The sum of share x what each part says; not known until all are."""
        decisions = [part.decide(market, legs) for part in p.parts]
        shares = np.zeros((len(market.sessions), len(legs.names)))
        for part, decision in zip(p.parts, decisions, strict=True):
            shares = shares + part.share * decision.by_leg
        evidence: dict[str, Evidence] = {}
        rules: dict[str, Branch] = {}
        for number, (title, decision) in enumerate(zip(p.titles, decisions, strict=True), 1):
            for each in decision.evidence:
                name = each.name if each.name not in evidence else f"{each.name}_part{number}"
                evidence[name] = replace(each, name=name, label=f"{title}: {each.label or each.name}")
            rules |= {f"{title}: {name}": root for name, root in decision.rules.items()}

        def reason(row: int) -> str:
            said = zip(p.titles, decisions, strict=True)
            return "; ".join(f"{title}: {each.reason(row)}" for title, each in said if each.reason)

        return Decision(shares, list(evidence.values()), reason, rules if _all_are_rules(p) else {})

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        parts = zip(p.titles, p.parts, strict=True)
        told = [f"with {percent(part.share, 0)} ({title}): {_part_of(part.rule(legs))}" for title, part in parts]
        return f"It decides {'; '.join(told)}."


def _all_are_rules(p: Parts.Params) -> bool:
    """`why` shows trees or series: trees where they tell all."""
    return all(part.rank is None for part in p.parts)


def _part_of(sentence: str) -> str:
    """A sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")
