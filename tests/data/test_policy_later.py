"""Decisions after the shipped table: known dates of the past, read from the steps of FRED's target range."""

from __future__ import annotations

import pandas as pd
import pytest

from backtest.data import policy as policy_later
from backtest.data.policy import later_decisions, load_policy_decisions


def cut_at(day: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = load_policy_decisions()
    return table[table["date"] <= day].reset_index(drop=True), table


def fred_range(table: pd.DataFrame, first: str, last: str) -> tuple[pd.Series, pd.Series]:
    """What FRED gives for every day: a decision takes effect on the day after its announcement."""
    days = pd.date_range(first, last)
    at = table["date"].searchsorted(days - pd.Timedelta(days=1), side="right") - 1
    return (pd.Series(table[name].to_numpy()[at], days) for name in ("upper", "lower"))  # type: ignore[return-value]


@pytest.mark.parametrize(("begin", "end"), [("2019-06-19", "2020-04-01"), ("2024-07-31", "2024-12-31")])
def test_the_decisions_of_2019_2020_and_2024_come_out_as_they_stand_in_the_table(
    monkeypatch: pytest.MonkeyPatch, begin: str, end: str
) -> None:
    """Cuts of 2019-07-31 to 2019-10-30, the two of March 2020 between meetings (one on a Sunday), and those of 2024."""
    shorter, table = cut_at(begin)
    expected = table[table["date"] < end].reset_index(drop=True)
    scheduled = expected.loc[expected["scheduled"], "date"]
    monkeypatch.setattr(policy_later, "AHEAD", tuple(f"{day:%Y-%m-%d}" for day in scheduled))
    found = later_decisions(shorter, *fred_range(table, begin, end))
    pd.testing.assert_frame_equal(found.drop(columns="announced_at"), expected.drop(columns="announced_at"))
    is_known = expected["scheduled"] | (expected["date"] <= begin)
    assert (found.loc[is_known, "announced_at"] == expected.loc[is_known, "announced_at"]).all()
    # Between meetings the hour is not in the data: never too early.
    assert (found.loc[~is_known, "announced_at"] >= expected.loc[~is_known, "announced_at"]).all()


def test_nothing_new_is_the_table_itself() -> None:
    table = load_policy_decisions()
    assert later_decisions(table, *fred_range(table, "2026-09-01", "2026-10-20")).equals(table)


def test_a_cut_of_october_2026_is_announced_the_day_before_it_takes_effect() -> None:
    table = load_policy_decisions()
    upper, lower = fred_range(table, "2026-09-01", "2026-11-20")
    upper["2026-10-29":], lower["2026-10-29":] = 3.75, 3.5  # type: ignore[misc]
    found = later_decisions(table, upper, lower)
    assert len(found) == len(table) + 1
    last = found.iloc[-1]
    assert last["announced_at"] == pd.Timestamp("2026-10-28 14:00")
    assert (last["change_bps"], bool(last["scheduled"])) == (-25, True)


def test_a_meeting_after_which_nothing_changed_was_a_hold() -> None:
    table = load_policy_decisions()
    found = later_decisions(table, *fred_range(table, "2026-09-01", "2026-11-20"))
    assert f"{found.iloc[-1]['announced_at']}" == "2026-10-28 14:00:00"
    assert found.iloc[-1]["change_bps"] == 0
