"""Why is this held? The rule with every value and threshold, how far each is from flipping, and what was known when.

Reads:  a decision and its market. A flip is not computed from a formula but found by asking the signal itself what it
        would say of another value of the day, so that it holds for hysteresis, holds and looks as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.decision import Branch, Decision, Evidence, Scored, Standing
from backtest.market import Floats, Legs, Market
from backtest.result import holding_words
from backtest.series import CLOCKS
from backtest.signals.limits import WHOLE, Flip, Limit, nearest_flip
from backtest.text import listed, plural, quantity, setting

ANSWERS = {1.0: "yes", 0.0: "no"}
NOT_KNOWN, UNDECIDED, SILENT = "not known: abstains", "has not spoken yet", "says nothing alone"
"""Without a value; with one, but no answer so far; with one by which alone no leg is asked for."""


@dataclass(frozen=True, slots=True)
class RuleNode:
    """A line of the explanation. says: yes, no or not known; since: the session from which on it has said so.

    value, flip: of a signal. turns_rule: flipping this signal alone turns the answer of its tree.
    """

    words: str
    says: str
    since: pd.Timestamp
    value: float | None = None
    unit: str = ""
    thresholds: tuple[float, ...] = ()
    flip: Flip | None = None
    has_switch: bool = False
    turns_rule: bool = False
    held: int = 0
    children: tuple[RuleNode, ...] = ()

    @property
    def flips_at(self) -> float | None:
        """The threshold that flips it; of a count the count that does; None when none can."""
        if self.flip is None:
            return None
        return self.flip.value if self.unit in WHOLE else self.flip.limit

    @property
    def distance(self) -> float | None:
        """How far the value has to go to flip, in its own unit; None when it cannot."""
        return None if self.flip is None or self.value is None else self.flip.distance(self.value)


@dataclass(frozen=True, slots=True)
class KnownThen:
    """The newest observation of one kind at a close, with its clocks."""

    name: str
    happened: pd.Timestamp
    known_at: pd.Timestamp
    session: pd.Timestamp
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is held after the close of a session, since when, and why."""

    session: pd.Timestamp
    sessions: pd.DatetimeIndex
    legs: Legs
    shares: Floats
    since: pd.Timestamp
    reason: str
    trees: dict[str, RuleNode]
    standing: Standing | None
    known: tuple[KnownThen, ...]


def explain(decision: Decision, market: Market, legs: Legs, initial: str, row: int) -> Explanation:
    """Explain the decision of one row of the market."""
    shares = decision.held(legs, initial)
    since = _since(shares.T, row)
    standing = None if decision.standing is None else decision.standing(row)
    trees: dict[str, RuleNode] = {}
    if decision.rules:
        trees = {name: _node(root, row, [root], market) for name, root in decision.rules.items()}
    elif standing is None:
        alone = len(decision.evidence) == 1
        trees = {
            each.name: _leaf(each.label or each.name, each, each.leans, row, market, alone)
            for each in decision.evidence
        }
    return Explanation(
        session=market.sessions[row],
        sessions=market.sessions,
        legs=legs,
        shares=shares[row],
        since=market.sessions[since],
        reason=market.words(decision.why(row, legs)),
        trees=trees,
        standing=standing,
        known=tuple(known_at(market, row)),
    )


def _node(branch: Branch, row: int, path: list[Branch], market: Market) -> RuleNode:
    if branch.evidence is not None:
        return _leaf(branch.words, branch.evidence, branch.state, row, market, turns_root(path, row))
    children = tuple(_node(child, row, [*path, child], market) for child in branch.children)
    state = float(branch.state[row])
    return RuleNode(branch.words, _says(state), market.sessions[_since(branch.state[None], row)], children=children)


def _leaf(words: str, evidence: Evidence, state: Any, row: int, market: Market, turns: bool) -> RuleNode:
    values = np.asarray(evidence.values, dtype=np.float64)
    flip = None
    if evidence.switch is not None:
        flip = nearest_flip(evidence.switch, values, evidence.thresholds, row, is_whole=evidence.unit in WHOLE)
    said = state is not None
    answer = np.asarray(state, dtype=np.float64) if said else np.full(len(values), np.nan)
    return RuleNode(
        words=words,
        says=_says(float(answer[row]), NOT_KNOWN if np.isnan(values[row]) else UNDECIDED if said else SILENT),
        since=market.sessions[_since(answer[None], row)],
        value=None if np.isnan(values[row]) else float(values[row]),
        unit=evidence.unit,
        thresholds=evidence.thresholds,
        flip=flip,
        turns_rule=turns and flip is not None,
        has_switch=evidence.switch is not None,
        held=evidence.switch.sessions_held(values, row) if isinstance(evidence.switch, Limit) else 0,
    )


def turns_root(path: Sequence[Branch], row: int) -> bool:
    """Whether the other answer of the last branch of a path, alone, turns that of the first one."""
    answer = 1.0 - float(path[-1].state[row])
    for child, parent in zip(reversed(path[1:]), reversed(path[:-1]), strict=True):
        states = [answer if each is child else float(each.state[row]) for each in parent.children]
        assert parent.merge is not None
        answer = parent.merge(states, row)
    before = float(path[0].state[row])
    return not np.isnan(answer) and answer != before


def _says(state: float, otherwise: str = NOT_KNOWN) -> str:
    return ANSWERS.get(state, otherwise)


def _since(series: npt.NDArray[np.float64], row: int) -> int:
    """The row from which on all of these series (shape (series, sessions)) are what they are at `row`."""
    past = series[:, : row + 1]
    same = ((past == past[:, -1:]) | (np.isnan(past) & np.isnan(past[:, -1:]))).all(axis=0)
    differs = np.flatnonzero(~same)
    return int(differs[-1]) + 1 if len(differs) else 0


def known_at(market: Market, row: int) -> Iterator[KnownThen]:
    """The newest decision and the newest observation of each series that a close could know."""
    session = market.sessions[row]
    policy = market.policy[market.policy["session"] <= session]
    if len(policy):
        last = policy.iloc[-1]
        change = int(last["change_bps"])
        text = f"target {last['lower']:.2f}-{last['upper']:.2f}%, {f'{change:+d} bps' if change else 'unchanged'}"
        yield KnownThen("policy decision", last["date"], last["announced_at"], last["session"], text)
    for name, series in market.series.items():
        frame = series.until(session).frame
        if not len(frame):
            continue
        last = frame.iloc[len(frame) - 1 - int(frame["happened"].to_numpy()[::-1].argmax())]
        is_table = len(series.numbers) + len(CLOCKS) < len(frame.columns)
        numbers = ", ".join(f"{column} {setting(float(last[column]))}" for column in series.numbers)
        if is_table:
            numbers = f"{int((frame['happened'] == last['happened']).sum())} rows of that day"
        yield KnownThen(name, last["happened"], last["known_at"], last["session"], numbers)


def lines(explanation: Explanation) -> Iterator[str]:
    """For people."""
    held = holding_words(explanation.legs, explanation.shares)
    yield f"{explanation.session:%Y-%m-%d}: {held}; so decided since {explanation.since:%Y-%m-%d}"
    yield f"because: {explanation.reason}"
    for name, node in explanation.trees.items():
        yield f"{name}:"
        yield from _told(node, 1)
    if explanation.standing is not None:
        yield from _table(explanation, explanation.standing)
    yield "known then:"
    for each in explanation.known:
        yield (f"  {each.name}: of {each.happened:%Y-%m-%d}, known {each.known_at:%Y-%m-%d %H:%M}, "
               f"usable at the close of {each.session:%Y-%m-%d}: {each.text}")  # fmt: skip


def _table(explanation: Explanation, standing: Standing) -> Iterator[str]:
    """The scores, who has the slots, and what would change them."""
    unit, session = standing.unit, explanation.session
    looked = explanation.sessions[standing.looked] if standing.looked >= 0 else None
    then = "" if looked in (None, session) else f" (in brackets those of {looked:%Y-%m-%d}, which decided)"
    yield f"scores at this close{then}:"
    for each in standing.rows:
        place = f"{each.place}." if each.place else "-"
        others = [role for role in each.roles if role != "ranked"]
        was = "" if looked in (None, session) else f" ({quantity(each.at_look, unit)})"
        yield (f"  {place} {each.label}{f' [{listed(others)}]' if others else ''}: {quantity(each.value, unit)}{was}"
               f"{_flip_of(each, explanation.legs, unit)}")  # fmt: skip
    if standing.hurdle is not None:
        words, value = standing.hurdle
        yield f"  to exceed: {words}" + (
            "" if words == quantity(value, unit, digits=2) else f", {quantity(value, unit)}"
        )
    for number, slot in enumerate(standing.slots, 1):
        yield f"  slot {number}: {slot}"
    if looked is not None and looked != session:
        now = "nothing" if standing.now is None else holding_words(explanation.legs, np.array(standing.now))
        yield f"  a look at this close would decide: {now}"


def _flip_of(each: Scored, legs: Legs, unit: str) -> str:
    if np.isnan(each.value):
        return ""
    if np.isnan(each.flip):
        return "; no change of it alone changes what is held"
    way = quantity(each.flip, "return" if unit == "share" else unit, signed=True)
    return f"; {way} from here: {holding_words(legs, np.array(each.then))}"


def _told(node: RuleNode, depth: int) -> Iterator[str]:
    head = f"{'  ' * depth}[{node.says}] {node.words}"
    if node.children:
        yield f"{head}, since {node.since:%Y-%m-%d}"
        for child in node.children:
            yield from _told(child, depth + 1)
        return
    value = "not known" if node.value is None else quantity(node.value, node.unit)
    yield f"{head}: {value}; {flip_words(node)}, since {node.since:%Y-%m-%d}"


def flip_words(node: RuleNode) -> str:
    """`flips above 0.0 points, +4.2 points from here, which alone turns the rule`."""
    if node.flip is None or node.distance is None:
        if node.held:
            return f"holds for {plural(node.held, 'more session')}"
        if node.value is None:
            return "abstains"
        return "no value of this session flips it" if node.has_switch else "at which value it would turn is not said"
    turns = ", which alone turns the rule" if node.turns_rule else ""
    if node.unit in WHOLE:
        way = "more" if node.distance > 0 else "fewer"
        count, _, word = quantity(abs(node.distance), node.unit).partition(" ")
        return f"flips with {f'{count} {way} {word}'.strip()}, at {quantity(node.flip.value, node.unit)}{turns}"
    side = "above" if node.distance > 0 else "below"
    away = quantity(node.distance, "return" if node.unit in ("share", "probability") else node.unit, signed=True)
    return f"flips {side} {quantity(node.flip.limit, node.unit)}, {away} from here{turns}"


def why_json(explanation: Explanation) -> dict[str, Any]:
    """For scripts."""
    return {
        "date": f"{explanation.session:%Y-%m-%d}",
        "schema": 2,
        "shares": dict(zip(explanation.legs.names, explanation.shares.tolist(), strict=True)),
        "cash": max(1.0 - float(explanation.shares.sum()), 0.0),
        "since": f"{explanation.since:%Y-%m-%d}",
        "reason": explanation.reason,
        "rules": {name: _rule_json(node) for name, node in explanation.trees.items()},
        "scores": None if explanation.standing is None else _scores(explanation, explanation.standing),
        "known": [
            {
                "name": each.name,
                "happened": f"{each.happened:%Y-%m-%d}",
                "known_at": f"{each.known_at:%Y-%m-%dT%H:%M}",
                "session": f"{each.session:%Y-%m-%d}",
                "text": each.text,
            }
            for each in explanation.known
        ],
    }


def _scores(explanation: Explanation, standing: Standing) -> dict[str, Any]:
    names = explanation.legs.names
    look = explanation.sessions[standing.looked] if standing.looked >= 0 else None
    return {
        "looked_at": None if look is None else f"{look:%Y-%m-%d}",
        "unit": standing.unit,
        "hurdle": None if standing.hurdle is None else _number(standing.hurdle[1]),
        "slots": list(standing.slots),
        "now": None if standing.now is None else dict(zip(names, standing.now, strict=True)),
        "of": [
            {
                "name": each.name,
                "roles": list(each.roles),
                "place": each.place or None,
                "score": _number(each.value),
                "score_at_look": _number(each.at_look),
                "flips_by": _number(each.flip),
                "then": dict(zip(names, each.then, strict=True)) if each.then else None,
            }
            for each in standing.rows
        ],
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _rule_json(node: RuleNode) -> dict[str, Any]:
    common: dict[str, Any] = {"words": node.words, "says": node.says, "since": f"{node.since:%Y-%m-%d}"}
    if node.children:
        return {**common, "of": [_rule_json(child) for child in node.children]}
    return {
        **common,
        "value": node.value,
        "unit": node.unit,
        "thresholds": list(node.thresholds),
        "flips_at": node.flips_at,
        "distance": node.distance,
        "turns_rule": node.turns_rule,
        "held_sessions": node.held,
    }
