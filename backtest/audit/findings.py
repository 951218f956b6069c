"""What an audit found: each thing that changed with the future, and the report of all of them.

The flow: `audit` -> FINDINGS -> the terminal, exit code 5 when there are any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from backtest.audit.clocks import Challenge

Method = Literal["cut", "poison"]


@dataclass(frozen=True, slots=True)
class LookAhead:
    """One thing that changes with what comes after `session_cut`.

    first_changed: the first session at which it does. what: `share_<LEG>`, `evidence X`, `reason`,
    `order`, `fill`, `equity` or `run` (it broke off). was, became: before and after the future was changed.
    """

    session_cut: pd.Timestamp
    method: Method
    first_changed: pd.Timestamp
    what: str
    was: str
    became: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit did and found.

    cuts, poisons: futures cut off and replaced. decisions, decisions_checked: sessions at which the strategy changed
    its mind or created an order, and how many of these were checked: all, unless each takes runs of the engine.
    """

    strategy: str
    sessions_checked: int
    cuts: int
    poisons: int
    decisions: int
    decisions_checked: int
    findings: tuple[LookAhead, ...] = ()
    clocks: tuple[Challenge, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing changed, and no series is used before its period has ended."""
        return not self.findings and not any(challenge.early for challenge in self.clocks)

    @property
    def first(self) -> LookAhead | None:
        """The finding with the earliest session that changes; None when there is none."""
        return min(self.findings, key=lambda finding: (finding.first_changed, finding.session_cut), default=None)

    def caught(self, method: Method) -> int:
        """Sessions at which this method found something."""
        return len({finding.session_cut for finding in self.findings if finding.method == method})

    def lines(self) -> list[str]:
        """For the terminal; the first line names the first session that changes, or says that none does."""
        told = [line for challenge in self.clocks for line in challenge.lines]
        is_early = any(challenge.early for challenge in self.clocks)
        return [*told, *self._changes(), self._checked()] if is_early else [*self._changes(), self._checked(), *told]

    def _changes(self) -> list[str]:
        first = self.first
        if first is None:
            return [f"{self.strategy}: no session changes with what comes after it"]
        day, after = f"{first.first_changed:%Y-%m-%d}", f"{first.session_cut:%Y-%m-%d}"
        if first.first_changed > first.session_cut:  # an order at an open, which changes with that day's close
            after = "that open"
        done = "cut off" if first.method == "cut" else "replaced"
        kinds = ", ".join(dict.fromkeys(finding.what for finding in self.findings))
        by_cut, by_poison = self.caught("cut"), self.caught("poison")
        return [
            f"{self.strategy}: {day} is the first session that changes with what comes after it",
            f"Its {first.what}: {first.was}; with all after {after} {done}: {first.became}.",
            f"Cutting off what comes after shows it on {by_cut} sessions, replacing it on {by_poison}: {kinds}.",
        ]

    def _checked(self) -> str:
        return (
            f"Checked {self.sessions_checked} sessions, {self.decisions_checked} of the {self.decisions} decisions "
            f"among them, in {self.cuts} cuts and {self.poisons} poisonings."
        )
