"""Rules: a rotation written wholly in YAML, as trees of conditions over any signals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.account.strategy import RotationStrategy, StrategyParams
from backtest.decision import Branch, Decision
from backtest.market import Floats, Legs, Market, Needs
from backtest.signals.conditions import Condition, Unknown
from backtest.signals.exposure import inverse_volatility, volatility_cash
from backtest.signals.holding import CAUSES, Held, hold, wanted
from backtest.signals.signal import mistake
from backtest.signals.tree import Grower, Leans, evidence_names, leaves_of, needs_of, signals_of, words_of

TREES: Mapping[str, Leans] = {"small_when": "small", "growth_when": "growth", "cash_when": "cash"}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class VolatilityTarget(_Part):
    """Hold so much that the volatility is this, and the rest in cash (T-bills with idle_cash: tbill)."""

    annual: float = Field(gt=0, lt=2, description="volatility to aim at, a fraction a year (0.10)")
    window_sessions: int = Field(63, ge=5, description="daily returns it is estimated from")
    step: float = Field(0.1, gt=0, le=1, description="the part invested is a multiple of this, so that trades are few")


class InverseVolatility(_Part):
    """Weigh the tickers inside a leg by the inverse of their volatility, anew at each month's end."""

    window_sessions: int = Field(63, ge=5, description="daily returns it is estimated from")


class Rules(RotationStrategy):
    """Hold what trees of conditions over any signals ask for."""

    class Params(StrategyParams):
        """The trees, how long to hold, how much."""

        model_config = ConfigDict(defer_build=True)  # only those who use rules wait for it

        small_when: Condition | None = Field(None, description="when to hold small caps")
        growth_when: Condition | None = Field(None, description="when to hold growth; without it, when not small_when")
        cash_when: Condition | None = Field(None, description="when to hold cash, whatever the others say")
        unknown: Unknown = Field("abstain", description="a signal not known yet: left out (abstain), or counted as no")
        min_hold_sessions: int = Field(0, ge=0, description="no other switch for so many sessions after one")
        cooldown_sessions: int = Field(0, ge=0, description="sessions between leaving small caps and the next time")
        max_hold_sessions: int | None = Field(None, ge=1, description="small caps are left after so many sessions")
        proportional: bool = Field(False, description="small share = how much of small_when is fulfilled, not 0 or 1")
        volatility_target: VolatilityTarget | None = Field(None, description="how much to hold at all")
        inverse_volatility: InverseVolatility | None = Field(None, description="weights inside the legs")

        @model_validator(mode="after")
        def _agree(self) -> Rules.Params:
            if self.small_when is None and self.growth_when is None:
                raise mistake("found neither small_when nor growth_when, expected one of them")
            if self.max_hold_sessions is not None and self.max_hold_sessions < self.min_hold_sessions:
                raise mistake("max_hold_sessions: expected at least min_hold_sessions")
            if self.proportional and (self.small_when is None or self.growth_when is not None):
                raise mistake("proportional: expected small_when alone, without growth_when")
            return self

        @cached_property
        def needs(self) -> Needs:
            """What the trees' signals read beside the prices of the legs."""
            needs = Needs()
            for name in TREES:
                condition = getattr(self, name)
                needs = needs if condition is None else needs | needs_of(condition)
            return needs

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Grow the trees, hold what they ask for, in the size asked for."""
        trees = {name: getattr(p, name) for name in TREES if getattr(p, name) is not None}
        names = evidence_names(leaf for name, tree in trees.items() for leaf in signals_of(tree, TREES[name]))
        grower = Grower(market, legs, p.unknown, names)
        rules = {name: grower.grow(tree, TREES[name]) for name, tree in trees.items()}
        states = {name: _settled(rules[name], p.unknown) if name in rules else None for name in TREES}
        asked = wanted(states["small_when"], states["growth_when"])
        held = hold(asked, min_hold=p.min_hold_sessions, cooldown=p.cooldown_sessions, max_hold=p.max_hold_sessions)
        small = held.small
        if p.proportional:
            small = np.where(small == 1.0, np.nan_to_num(rules["small_when"].degree), small)
        cash = np.zeros(len(market.sessions))
        if p.volatility_target is not None:
            size = p.volatility_target
            cash = volatility_cash(market, legs, small, target=size.annual, window=size.window_sessions, step=size.step)
        if states["cash_when"] is not None:
            cash = np.where(states["cash_when"] == 1.0, 1.0, cash)
        within = None
        if p.inverse_volatility is not None:
            within = inverse_volatility(market, legs, p.inverse_volatility.window_sessions)
        leaves = [leaf.evidence for root in rules.values() for leaf in leaves_of(root) if leaf.evidence is not None]
        evidence = list({each.name: each for each in leaves}.values())
        return Decision(small, evidence, cash, _reasons(rules, held, cash, p), rules, within)

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        parts = [f"{side} when {words_of(getattr(p, name))}" for name, side in
                 (("small_when", "small caps"), ("growth_when", "growth"), ("cash_when", "cash"))
                 if getattr(p, name) is not None]  # fmt: skip
        if p.small_when is None or p.growth_when is None:
            parts.append(f"otherwise {'growth' if p.small_when is not None else 'small caps'}")
        if p.unknown == "no":
            parts.append("a signal not known counting as no")
        if p.cooldown_sessions:
            parts.append(f"small caps again only after {p.cooldown_sessions} sessions without")
        if p.proportional:
            parts.append("as much of small caps as the conditions are fulfilled")
        if p.volatility_target is not None:
            parts.append(f"so much that the volatility is {p.volatility_target.annual:.0%}, the rest in cash")
        if p.inverse_volatility is not None:
            parts.append(f"tickers weighed by inverse volatility of {p.inverse_volatility.window_sessions} sessions")
        if p.min_hold_sessions:
            parts.append(f"each switch for at least {p.min_hold_sessions} sessions")
        if p.max_hold_sessions is not None:
            parts.append(f"small caps for at most {p.max_hold_sessions} sessions")
        return f"It holds {'; '.join(parts)}."


def _settled(root: Branch, unknown: Unknown) -> Floats:
    """What a whole tree says; an abstention is a no where that was asked for."""
    return np.nan_to_num(root.state) if unknown == "no" else root.state


def _reasons(rules: dict[str, Branch], held: Held, cash: Floats, p: Rules.Params) -> Callable[[int], str]:
    waits = {
        "min_hold": f"the last switch was less than {p.min_hold_sessions} sessions ago",
        "cooldown": f"small caps were left less than {p.cooldown_sessions} sessions ago",
        "max_hold": f"small caps were held for {p.max_hold_sessions} sessions",
        "unknown": "no signal is known yet: the initial holding",
    }

    def reason(row: int) -> str:
        if "cash_when" in rules and rules["cash_when"].state[row] == 1.0:
            return f"cash: {_said(rules['cash_when'], row)}"
        cause = CAUSES[int(held.cause[row])]
        if cause != "rule":
            return waits[cause]
        sides = {name: rules[name] for name in ("small_when", "growth_when") if name in rules}
        asking = "small_when" if held.small[row] == 1.0 else "growth_when"
        if asking in sides and sides[asking].state[row] == 1.0:
            sides = {asking: sides[asking]}
        said = [_said(root, row) for root in sides.values()]
        kept = f"; {cash[row]:.0%} in cash for the volatility target" if cash[row] > 0 else ""
        return "; ".join(said) + kept

    return reason


def _said(root: Branch, row: int) -> str:
    """The signals that agree with what their tree says at this row; all of them when none does."""
    state = root.state[row]
    leaves = [leaf for leaf in leaves_of(root) if leaf.evidence is not None]
    agreeing = [leaf for leaf in leaves if leaf.state[row] == state] or leaves
    return "; ".join(leaf.evidence.say(row) for leaf in agreeing if leaf.evidence is not None)
