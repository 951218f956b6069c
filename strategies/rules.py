"""Rules: a rotation written wholly in YAML, as an ordered list of what to hold when, over trees of any signals."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtest.account.strategy import LegName, RotationStrategy, StrategyParams
from backtest.decision import Branch, Decision
from backtest.market import CASH, Floats, Legs, Market, Needs, first_rows
from backtest.signals.conditions import (
    Asked,
    Condition,
    Grower,
    Unknown,
    evidence_names,
    leaves_of,
    needs_of,
    signals_of,
    words_of,
)
from backtest.signals.exposure import inverse_volatility, invested_part
from backtest.signals.holding import CAUSES, Held, Hold, hold
from backtest.signals.signal import Label, mistake

OLD_KEYS = ("small_when", "growth_when", "cash_when", "min_hold_sessions", "cooldown_sessions", "max_hold_sessions")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class Entry(_Part):
    """A leg, or cash, and when to hold it."""

    leg: LegName = Field(description="a leg, or cash")
    when: Condition | None = Field(None, description="held when this says yes; only the last entry may be without")
    label: Label | None = Field(None, description="what reports call this entry")
    min_hold_sessions: int = Field(0, ge=0, description="no other switch, but to cash, for so many sessions after one")
    max_hold_sessions: int | None = Field(None, ge=1, description="it is left after so many sessions")
    cooldown_sessions: int = Field(0, ge=0, description="sessions between leaving it and the next time")

    @model_validator(mode="after")
    def _holds_agree(self) -> Entry:
        if self.max_hold_sessions is not None and self.max_hold_sessions < self.min_hold_sessions:
            raise mistake("max_hold_sessions: expected at least min_hold_sessions")
        return self

    @property
    def terms(self) -> Hold:
        """How long it may be held."""
        return Hold(self.min_hold_sessions, self.max_hold_sessions, self.cooldown_sessions, self.leg == CASH)


class VolatilityTarget(_Part):
    """Hold so much that the volatility is this, and the rest in cash (T-bills with idle_cash: tbill)."""

    annual: float = Field(gt=0, lt=2, description="volatility to aim at, a fraction a year (0.10)")
    window_sessions: int = Field(63, ge=5, description="daily returns it is estimated from")
    step: float = Field(0.1, gt=0, le=1, description="the part invested is a multiple of this, so that trades are few")


class InverseVolatility(_Part):
    """Weigh the tickers inside a leg by the inverse of their volatility, anew at each month's end."""

    window_sessions: int = Field(63, ge=5, description="daily returns it is estimated from")


class Rules(RotationStrategy):
    """Hold the first leg of a list whose conditions say yes."""

    class Params(StrategyParams):
        """The list, how much, and what to do with signals not known yet."""

        model_config = ConfigDict(defer_build=True)  # only those who use rules wait for it

        hold: tuple[Entry, ...] = Field(description="what to hold when; the first that says yes is held")
        unknown: Unknown = Field("abstain", description="a signal not known yet: left out (abstain), or counted as no")
        proportional: bool = Field(False, description="share of the first entry = how much of it is fulfilled")
        volatility_target: VolatilityTarget | None = Field(None, description="how much to hold at all")
        inverse_volatility: InverseVolatility | None = Field(None, description="weights inside the legs")

        @classmethod
        def outdated(cls, given: Mapping[str, Any]) -> str | None:
            """What to write instead of keys that are no more."""
            old = [key for key in OLD_KEYS if key in given]
            return f"{', '.join(old)}: now an ordered list, here: {new_form(given)}" if old else None

        @model_validator(mode="after")
        def _agree(self) -> Rules.Params:
            for i, entry in enumerate(self.hold[:-1]):
                if entry.when is None:
                    raise mistake(f"hold[{i}]: missing when; only the last entry is held otherwise")
            if not self.hold or (len(self.hold) == 1 and self.hold[0].when is None):
                raise mistake("hold: found no entry with when, expected at least one")
            lasting = [i for i, entry in enumerate(self.hold) if entry.max_hold_sessions is not None]
            if lasting and (self.hold[-1].when is not None or lasting[-1] == len(self.hold) - 1):
                raise mistake(f"hold[{lasting[-1]}]: max_hold_sessions needs a last entry without when and without it")
            if self.proportional and (len(self.hold) != 2 or self.hold[1].when is not None or self._has_terms()):
                raise mistake("proportional: expected one entry with when, one without, and no holds or cooldown")
            return self

        def _has_terms(self) -> bool:
            return any(entry.terms != Hold(is_cash=entry.leg == CASH) for entry in self.hold)

        @cached_property
        def needs(self) -> Needs:
            """What the trees' signals read beside the prices of the legs."""
            needs = Needs()
            for entry in self.hold:
                needs = needs if entry.when is None else needs | needs_of(entry.when)
            return needs

    @staticmethod
    def decide(market: Market, legs: Legs, p: Params) -> Decision:
        """Grow the trees, hold what the list asks for, in the size asked for."""
        asked: list[Asked] = [(entry.leg, True) for entry in p.hold]
        trees = [(entry.when, about) for entry, about in zip(p.hold, asked, strict=True) if entry.when is not None]
        names = evidence_names(leaf for tree, about in trees for leaf in signals_of(tree, about))
        grower = Grower(market, legs, p.unknown, names)
        roots = [grower.grow(tree, about) for tree, about in trees]
        states = np.stack([np.nan_to_num(root.state) if p.unknown == "no" else root.state for root in roots])
        has_begun = [_has_begun(market, legs, entry.leg) for entry in p.hold]
        states = np.where(np.stack(has_begun[: len(states)]), states, 0.0)
        held = hold(states, [entry.terms for entry in p.hold])
        shares = _shares(legs, p, held, np.where(has_begun[0], roots[0].degree, 0.0))
        within = None
        if p.inverse_volatility is not None:
            within = inverse_volatility(market, legs, p.inverse_volatility.window_sessions)
        if p.volatility_target is not None:
            size = p.volatility_target
            part = invested_part(
                market, legs, shares, within, target=size.annual, window=size.window_sessions, step=size.step
            )
            shares = shares * part[:, None]
        rules = dict(zip(_titles(p, legs), roots, strict=False))
        leaves = [leaf.evidence for root in roots for leaf in leaves_of(root) if leaf.evidence is not None]
        evidence = list({each.name: each for each in leaves}.values())
        return Decision(shares, evidence, _reasons(legs, rules, held, p), rules, within)

    @staticmethod
    def rule(legs: Legs, p: Params) -> str:
        """In one sentence."""
        parts = []
        for entry, title in zip(p.hold, _titles(p, legs), strict=True):
            what = entry.label or title if entry.when is None else f"{title} when {words_of(entry.when, legs)}"
            parts.append(f"{'otherwise ' if entry.when is None else ''}{what}{_holds(entry)}")
        if p.hold[-1].when is not None:
            parts.append("what is held stays while none of them says yes")
        if p.unknown == "no":
            parts.append("a signal not known counting as no")
        if p.proportional:
            parts.append(f"as much of {legs.label(p.hold[0].leg)} as the conditions are fulfilled")
        if p.volatility_target is not None:
            parts.append(f"so much that the volatility is {p.volatility_target.annual:.0%}, the rest in cash")
        if p.inverse_volatility is not None:
            parts.append(f"tickers weighed by inverse volatility of {p.inverse_volatility.window_sessions} sessions")
        return f"It holds {'; '.join(parts)}."


def _holds(entry: Entry) -> str:
    """The least and longest hold and the pause, in words."""
    said = []
    if entry.min_hold_sessions:
        said.append(f"for at least {entry.min_hold_sessions} sessions")
    if entry.max_hold_sessions is not None:
        said.append(f"for at most {entry.max_hold_sessions} sessions")
    if entry.cooldown_sessions:
        said.append(f"again only {entry.cooldown_sessions} sessions after it was left")
    return f" ({', '.join(said)})" if said else ""


def _titles(p: Rules.Params, legs: Legs) -> list[str]:
    """What to call each entry: its label, else its leg's; numbered where two are called alike."""
    titles: list[str] = []
    for entry in p.hold:
        title = entry.label or legs.label(entry.leg)
        titles.append(title if title not in titles else f"{title} ({len(titles) + 1})")
    return titles


def _has_begun(market: Market, legs: Legs, name: str) -> npt.NDArray[np.bool_]:
    """Whether every ticker of a leg has a price, (sessions,): an entry is passed over until then, whatever it says."""
    tickers = tuple(legs[name]) if name in legs.names else ()
    first = first_rows(market, tickers).max() if tickers else 0
    return np.arange(len(market.sessions)) >= first


def _shares(legs: Legs, p: Rules.Params, held: Held, degree: Floats) -> Floats:
    """What is held by leg, (sessions, legs): all of one entry's leg, or of the first as much as `degree`."""
    table = np.stack([*(legs.alone(entry.leg) for entry in p.hold), np.full(len(legs.names), np.nan)])
    if not p.proportional:
        return table[held.entry]
    shares = legs.between(p.hold[1].leg, p.hold[0].leg, degree).array()
    return shares if p.unknown == "abstain" else np.where(np.isnan(shares), table[1], shares)


def _reasons(legs: Legs, rules: Mapping[str, Branch], held: Held, p: Rules.Params) -> Callable[[int], str]:
    titles = _titles(p, legs)

    def waits(cause: str, row: int) -> str:
        now = int(held.entry[row])
        if cause == "min_hold":
            return f"the switch to {titles[now]} was less than {p.hold[now].min_hold_sessions} sessions ago"
        if cause == "cooldown":
            return f"{_passed_over(row)} was left only a few sessions ago"
        if cause == "max_hold":
            return f"{_passed_over(row)} was held for as long as it may be"
        return "no signal is known yet: the initial holding"

    def _passed_over(row: int) -> str:
        """The entry that says yes, or did, and is not held."""
        for i, root in enumerate(rules.values()):
            if root.state[row] == 1.0 and i != held.entry[row]:
                return titles[i]
        past = held.entry[: row + 1]
        before = past[past != past[-1]]
        return titles[int(before[-1])] if len(before) and before[-1] >= 0 else "what was asked for"

    def reason(row: int) -> str:
        cause = CAUSES[int(held.cause[row])]
        if cause != "rule" and not p.proportional:
            return waits(cause, row)
        now = int(held.entry[row])
        if 0 <= now < len(rules):
            title = titles[now]
            return f"{title}: {_said(rules[title], row)}" if len(p.hold) > 2 else _said(rules[title], row)
        return "; ".join(_said(root, row) for root in rules.values())

    return reason


def _said(root: Branch, row: int) -> str:
    """The signals that say what the tree says; the whole tree when none of them alone does."""
    leaves = [leaf for leaf in leaves_of(root) if leaf.evidence is not None]
    asking = [leaf for leaf in leaves if leaf.state[row] == root.state[row]]
    return "; ".join(leaf.evidence.say(row) for leaf in asking or leaves if leaf.evidence is not None)


def new_form(given: Mapping[str, Any]) -> str:
    """A config of the old keys, as the list that means the same, in one line of YAML."""
    holds = {key: given[key] for key in ("min_hold_sessions", "max_hold_sessions", "cooldown_sessions") if key in given}
    entries: list[dict[str, Any]] = []
    if "cash_when" in given:
        entries.append({"leg": "cash", "when": given["cash_when"]})
    if "small_when" in given:
        entries.append({"leg": "small", "when": given["small_when"], **holds})
    least = {key: value for key, value in holds.items() if key == "min_hold_sessions"}
    if "growth_when" in given:
        entries.append({"leg": "growth", "when": given["growth_when"], **least})
    if "growth_when" not in given:
        entries.append({"leg": "growth", **least})
    elif "small_when" not in given:
        entries.append({"leg": "small", **holds})
    elif "max_hold_sessions" in holds:
        entries.append({"leg": "growth", **least})
    text = re.sub(r'"([A-Za-z_][\w.-]*)"', r"\1", json.dumps({"hold": entries}))  # JSON is YAML; words need no quotes
    return text[1:-1]
