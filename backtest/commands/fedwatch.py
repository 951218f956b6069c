"""`backtest fedwatch`: what fed funds futures price in, by meeting and target band, and how it moved before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtest.commands.today import parsed
from backtest.data.calendar import range_around, session_closes, sessions_around
from backtest.data.macro import TABLE_HOLDS_DAYS, Observed, read_futures
from backtest.data.macro_source import with_sessions
from backtest.data.policy import load_policy_decisions, scheduled_meetings, with_known_sessions
from backtest.errors import DataError
from backtest.now.fedwatch import Table, brier, eve_probabilities, fedwatch_table, reliability
from backtest.series import PointInTime
from backtest.signals.fedwatch import DayCount

WEEKS = 10
BAR = 30
"""Characters of a full bar."""


class Ground:
    """Futures with their sessions, meetings, decisions: what the table is made of."""

    def __init__(self, prices: Path | None) -> None:
        observed, self.is_simulated = _observed(prices)
        days = pd.DatetimeIndex(observed.happened.astype("datetime64[ns]"))
        span = (days.min(), days.max())
        self.sessions, closes = sessions_around(*span), session_closes(*range_around(*span))
        self.futures: PointInTime = with_sessions(observed, self.sessions, closes)
        decisions = load_policy_decisions()
        self.meetings = scheduled_meetings(decisions)
        self.policy = with_known_sessions(decisions, self.sessions, closes)

    def day(self, wanted: str | None) -> pd.Timestamp:
        """The last session up to the day wanted that has settlements within a week; the last of all without one."""
        last = self.futures.frame["session"].iloc[-1]
        limit = last if wanted is None else pd.Timestamp(parsed(wanted))
        place = int(self.sessions.searchsorted(limit, side="right")) - 1
        first = self.futures.frame["session"].iloc[0]
        if place < 0 or not first <= self.sessions[place] <= last + pd.Timedelta(days=TABLE_HOLDS_DAYS):
            reach = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
            raise DataError(f"no settlements near {limit:%Y-%m-%d}; they reach from {reach}")
        return self.sessions[place]

    def table(self, day: pd.Timestamp, count: DayCount) -> Table:
        """The table at the close of a session."""
        known = self.policy[self.policy["session"] <= day]
        if not len(known):
            raise DataError(f"no policy decision is known on {day:%Y-%m-%d}; the record begins in February 1994")
        target = (float(known["lower"].iloc[-1]), float(known["upper"].iloc[-1]))
        return fedwatch_table(self.futures, self.meetings, target, day, count)


def fedwatch(
    wanted: str | None, prices: Path | None, *, count: DayCount, chart: Path | None, score: bool, as_json: bool
) -> None:
    """Print the table of a day (None: the last one there is). prices: a file like zq_daily.csv; None: the sample."""
    ground = Ground(prices)
    day = ground.day(wanted)
    table = ground.table(day, count)
    place = int(ground.sessions.searchsorted(day))
    before = [ground.sessions[p] for p in range(place - 5 * (WEEKS - 1), place + 1, 5) if p >= 0]
    history = [ground.table(each, count) for each in before]
    if chart is not None:
        from backtest.now.plots import fedwatch_chart

        fedwatch_chart(chart, [(t.day, {m: odds.cut for m, odds in t.meetings.items()}) for t in history], table)
    if score:
        _print_score(ground, as_json=as_json)
        if chart is not None and not as_json:
            print(f"chart: {chart}")
        return
    if as_json:
        print(json.dumps({**fedwatch_json(table), "simulated": ground.is_simulated}, indent=2, allow_nan=False))
        return
    _print_table(table, ground.is_simulated)
    _print_history(table, history)
    if chart is not None:
        print(f"chart: {chart}")


def fedwatch_json(table: Table) -> dict[str, Any]:
    """For scripts; a meeting that cannot be solved has a reason instead of bands."""
    meetings: dict[str, Any] = {}
    for meeting, odds in table.meetings.items():
        alone = None if np.isnan(odds.alone) else odds.alone
        meetings[f"{meeting:%Y-%m-%d}"] = (
            {"reason": odds.reason, "p_cut_alone": alone}
            if odds.reason
            else {
                "bands": {f"{low}-{high}": chance for (low, high), chance in odds.bands.items()},
                "p_cut": odds.cut,
                "p_hold": odds.hold,
                "p_hike": odds.hike,
                "expected_rate": odds.expected_rate,
                "p_cut_alone": alone,
            }
        )
    return {"date": f"{table.day:%Y-%m-%d}", "target": list(table.target), "meetings": meetings}


def _observed(prices: Path | None) -> tuple[Observed, bool]:
    if prices is None:
        from backtest.data.sample.macro import sample_observed

        return sample_observed("zq"), True
    try:
        data = prices.read_bytes()
    except OSError as error:
        raise DataError(f"{prices}: {error.strerror}; expected settlements: date,contract_month,close") from error
    digest = hashlib.sha256(data).hexdigest()
    return Observed(*read_futures(data, str(prices))[:3], TABLE_HOLDS_DAYS, str(prices), digest), False


def _print_table(table: Table, is_simulated: bool) -> None:
    low, high = table.target
    title = "SIMULATED FedWatch" if is_simulated else "FedWatch"
    print(f"{title}, close of {table.day:%Y-%m-%d}, target {low:.2f}-{high:.2f}%")
    bands = sorted({band for odds in table.meetings.values() for band in odds.bands})
    shown = [band for band in bands if max(o.bands.get(band, 0.0) for o in table.meetings.values()) >= 0.0005]
    print("meeting     " + "".join(f"{f'{a}-{b}':>9}" for a, b in shown) + "      cut     hold     hike")
    for meeting, odds in table.meetings.items():
        if odds.reason:
            alone = "" if np.isnan(odds.alone) else f"; a cut at it alone: {odds.alone:.1%}"
            print(f"{meeting:%Y-%m-%d}  not determined: {odds.reason}{alone}")
            continue
        cells = "".join(f"{odds.bands[b]:>9.1%}" if odds.bands.get(b, 0.0) >= 0.0005 else f"{'':>9}" for b in shown)
        print(f"{meeting:%Y-%m-%d}  {cells}{odds.cut:>9.1%}{odds.hold:>9.1%}{odds.hike:>9.1%}")


def _print_history(table: Table, history: list[Table]) -> None:
    """How the probability of a lower target after the first solved meeting moved, a bar a week."""
    chosen = next((meeting for meeting, odds in table.meetings.items() if not np.isnan(odds.alone)), None)
    if chosen is None:
        return
    is_alone = np.isnan(table.meetings[chosen].cut)
    print(f"\n{'a cut at the meeting of' if is_alone else 'lower target after'} {chosen:%Y-%m-%d}, as seen on")
    for each in history:
        odds = each.meetings.get(chosen)
        chance = float("nan") if odds is None else odds.alone if is_alone else odds.cut
        bar = "" if np.isnan(chance) else "█" * round(BAR * chance)
        told = "not determined" if np.isnan(chance) else f"{chance:6.1%}"
        print(f"  {each.day:%Y-%m-%d}  {told}  {bar}")


def _print_score(ground: Ground, *, as_json: bool) -> None:
    scores = [_score(ground, before) for before in (1, 21)]
    if as_json:
        print(json.dumps({"simulated": ground.is_simulated, "scores": scores}, indent=2))
        return
    for one in scores:
        made_up = " (SIMULATED)" if ground.is_simulated else ""
        print(f"{one['sessions_before']} session(s) before {one['meetings']} meetings, {one['cuts']} cuts{made_up}: "
              f"Brier {one['brier']:.4f}, of the base rate {one['brier_of_base_rate']:.4f}")  # fmt: skip
        for each in one["reliability"]:
            print(f"  probability {each['from']:.0%} to {each['to']:.0%}: {each['count']} times, "
                  f"{each['mean']:.1%} on average, it cut {each['cut']:.1%} of them")  # fmt: skip


def _score(ground: Ground, before: int) -> dict[str, Any]:
    eves = eve_probabilities(ground.futures, ground.meetings, ground.policy, ground.sessions, before)
    chance, cut = eves["probability"].to_numpy(dtype=np.float64), eves["is_cut"].to_numpy(dtype=bool)
    if not len(cut):
        raise DataError("no meeting can be scored with these settlements")
    rate = float(cut.mean())
    return {
        "sessions_before": before,
        "meetings": len(cut),
        "cuts": int(cut.sum()),
        "brier": brier(chance, cut),
        "brier_of_base_rate": rate * (1 - rate),
        "reliability": reliability(chance, cut),
    }
