"""Signals in words: the evidence that strategies hand to the report, with a phrase for each row.

Phrases are made on demand, for the rows at which something was traded, not for every session.
"""

from __future__ import annotations

import numpy as np

from backtest.decision import Evidence
from backtest.market import Floats, Legs, Market
from backtest.signals.combine import latch
from backtest.signals.momentum import relative_return
from backtest.signals.periods import Period, last_of_period
from backtest.signals.policy import CutState, cut_window
from backtest.signals.scores import Unit
from backtest.text import plural


def cut_evidence(market: Market, hold: str, hold_sessions: int, min_cut_bps: int) -> Evidence:
    """Sessions left of the window after a cut, in words; see `cut_window`.

    Parameters
    ----------
    market : Market
        To compute on.
    hold : str
        The leg to lean to while any are left.
    hold_sessions : int
        Rows for which a cut opens the window.
    min_cut_bps : int
        The smallest cut that counts.

    Returns
    -------
    Evidence
        In sessions, known from the first row.
    """
    window = cut_window(market, hold_sessions=hold_sessions, min_cut_bps=min_cut_bps)
    return Evidence(
        name="cut_window",
        values=window.sessions_left.astype(np.float64),
        unit="sessions",
        thresholds=(0.0,),
        label="Sessions left of the cut window",
        leans=window.is_open,
        leg=hold,
        phrase=lambda row: _cut_phrase(window, row, hold_sessions),
        switch=lambda sessions_left: (sessions_left > 0).astype(np.float64),
        event="cuts",
        event_terms={"min_cut_bps": min_cut_bps},
    )


def _cut_phrase(window: CutState, row: int, hold_sessions: int) -> str:
    event = int(window.last_event[row])
    if event < 0:
        return "no cut or hike in the record yet"
    decision = window.decisions.iloc[event]
    day = f"{decision['date']:%Y-%m-%d}"
    left = int(window.sessions_left[row])
    if left > 0:
        return f"cut of {day}, {left} {'session' if left == 1 else 'sessions'} left"
    if decision["change_bps"] > 0:
        return f"the Fed raised rates on {day}: no cut since"
    return f"{hold_sessions} sessions since the cut of {day}: the window is closed"


def lead_evidence(
    market: Market,
    legs: Legs,
    hold: str,
    otherwise: str,
    lookback: int,
    threshold: float,
    period: Period = "daily",
    unit: Unit = "session",
) -> Evidence:
    """The lead of one leg over another, latched: yes once above the threshold, no once below its negative.

    Parameters
    ----------
    market : Market
        To compute on.
    legs : Legs
        Of the config.
    hold, otherwise : str
        Names of legs.
    lookback : int
        How far back returns are compared.
    threshold : float
        Lead needed to switch, a fraction of at least 0.
    period : str
        After which closes the lead is looked at: `daily`, `weekly`, ...
    unit : {"session", "month"}, default "session"
        What the lookback counts.

    Returns
    -------
    Evidence
        In returns; leans to neither before the first look outside the thresholds.
    """
    lead = relative_return(market, legs[hold], legs[otherwise], lookback, unit)
    names = hold, otherwise
    looks = last_of_period(market, period)

    def switch(values: Floats) -> Floats:
        enter, leave = values > threshold, values < -threshold
        return latch(enter, leave) if period == "daily" else latch(looks & enter, looks & leave)

    def phrase(row: int) -> str:
        event = np.flatnonzero(looks[: row + 1] & (np.abs(lead[: row + 1]) > threshold))
        if len(event) and event[-1] < row:
            day = market.sessions[event[-1]]
            return _lead_phrase(names, lead, int(event[-1]), past=f" on {day:%Y-%m-%d}, and the other has not since")
        return _lead_phrase(names, lead, row, beyond=threshold)

    return Evidence(
        name="lead",
        values=lead,
        unit="return",
        thresholds=(threshold, -threshold) if threshold else (0.0,),
        label=f"Lead of {legs.label(hold)} over {legs.label(otherwise)}, {plural(lookback, unit)}",
        leans=switch(lead),
        leg=hold,
        phrase=phrase,
        switch=switch,
    )


def _lead_phrase(names: tuple[str, str], lead: Floats, row: int, *, past: str = "", beyond: float = 0.0) -> str:
    """The lead at a row; past: what to add when it is the row that still decides; beyond: the threshold it may miss."""
    value = float(lead[row])
    if np.isnan(value):
        return "the lead is not known yet"
    points = f"{100 * abs(value):.1f}"
    if points == "0.0":
        points = f"{100 * abs(value):.2g}"
    leader = names[0] if value > 0 else names[1]
    if past:
        return f"{leader} led by {points} points{past}"
    if not value:
        return "neither leg leads"
    short = f", not by {100 * beyond:g} yet" if abs(value) <= beyond else ""
    return f"{leader} leads by {points} points{short}"
