"""Signals in words: the evidence that strategies hand to the report, with a phrase for each row.

Phrases are made on demand, for the rows at which something was traded, not for every session.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.decision import Evidence
from backtest.market import Floats, Legs, Market
from backtest.signals.combine import latch
from backtest.signals.periods import Period, last_of_period
from backtest.signals.policy import CutState, cut_window
from backtest.signals.scores import Unit, relative_return
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
    market, legs : Market, Legs
        To compute on.
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
    looks = last_of_period(market, period)

    def switch(values: Floats) -> Floats:
        return latch(looks & (values > threshold), looks & (values < -threshold))

    return Evidence(
        name="lead",
        values=lead,
        unit="return",
        thresholds=(threshold, -threshold) if threshold else (0.0,),
        label=f"Lead of {legs.label(hold)} over {legs.label(otherwise)}, {plural(lookback, unit)}",
        leans=switch(lead),
        leg=hold,
        phrase=lambda row: _lead_phrase((hold, otherwise), lead, looks, market.sessions, threshold, row),
        switch=switch,
    )


def _lead_phrase(
    names: tuple[str, str],
    lead: Floats,
    looks: npt.NDArray[np.bool_],
    sessions: pd.DatetimeIndex,
    threshold: float,
    row: int,
) -> str:
    """The lead at a row, or at the row before it that still decides."""
    event = np.flatnonzero(looks[: row + 1] & (np.abs(lead[: row + 1]) > threshold))
    decides = int(event[-1]) if len(event) else row
    value = float(lead[decides])
    if np.isnan(value):
        return "the lead is not known yet"
    points = f"{100 * abs(value):.1f}"
    if points == "0.0":
        points = f"{100 * abs(value):.2g}"
    leader = names[0] if value > 0 else names[1]
    if decides < row:
        return f"{leader} led by {points} points on {sessions[decides]:%Y-%m-%d}, and the other has not since"
    if not value:
        return "neither leg leads"
    short = f", not by {100 * threshold:g} yet" if abs(value) <= threshold else ""
    return f"{leader} leads by {points} points{short}"
