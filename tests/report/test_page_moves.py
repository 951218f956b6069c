"""Moves: what was held from one rebalance to the next, why, and what changing it gained."""

from __future__ import annotations

import dataclasses

import backtrader as bt
import pytest
from pages import Page, config_of, page_of, result_of, two_sides

from backtest.market import Legs
from backtest.pages.legs import leg_looks
from backtest.pages.rebalances import Holding, account_of, holding_periods_of, rebalances_of
from backtest.pages.report import chart_data


def test_a_move_is_judged_by_what_keeping_the_old_holding_would_have_earned() -> None:
    result = two_sides()
    account = account_of(result)
    spells = holding_periods_of(result, account, rebalances_of(result, account))
    told = [(s.rebalance.row, s.rebalance.holding.label, s.sessions, s.is_open) for s in spells]
    assert told == [(1, "growth", 2, False), (3, "small", 2, False), (5, "growth", 1, True)]
    earned = [s.earned for s in spells]
    # Growth at the opens 100 -> 110; small 120 -> 120; growth from the open of 121 to the last close of 121.
    assert earned == pytest.approx([0.10, 0.0, 0.0])
    # Against small 100 -> 120; growth 110 -> 121; small 120 -> 150.
    assert [s.gained for s in spells] == pytest.approx([-0.10, -0.10, -0.25])


def test_a_spell_earns_from_after_its_own_costs_to_before_those_of_the_next() -> None:
    result = two_sides(slippage_bps=100.0)
    account = account_of(result)
    spells = holding_periods_of(result, account, rebalances_of(result, account))
    assert [s.earned for s in spells] == pytest.approx([0.10, 0.0, 0.0])
    assert sum(s.rebalance.cost for s in spells) == pytest.approx(result.metrics["costs_usd"])


def test_moves_add_up_to_the_books() -> None:
    result = result_of(config_of("relative_momentum", params={"lookback_sessions": 63}, rebalance="monthly"))
    account = account_of(result)
    moves = rebalances_of(result, account)
    spells = holding_periods_of(result, account, moves)
    assert len(moves) == result.metrics["rebalances"]
    assert sum(m.fills for m in moves) == result.metrics["trades"]
    assert sum(m.cost for m in moves) == pytest.approx(result.metrics["costs_usd"], rel=1e-9)
    assert sum(m.traded for m in moves) == pytest.approx(result.trades["value_usd"].sum(), rel=1e-12)
    assert len(spells) < len(moves)
    assert all(s.rebalance.is_change for s in spells)
    assert sum(s.sessions for s in spells) == len(result.sessions) - 1 - spells[0].rebalance.row
    dates = result.trades.drop_duplicates("date").set_index("date")["decision_date"]
    assert [m.decided for m in moves] == dates.to_numpy().astype("datetime64[D]").tolist()


def test_a_holding_is_called_after_what_it_is() -> None:
    legs = leg_looks(Legs())

    def held(small: float, cash: float) -> Holding:
        return Holding(legs, (1 - small, small), cash)

    told = [held(s, c).label for s, c in [(1.0, 0.0), (0.0, 0.01), (0.3, 0.0), (0.0, 1.0), (1.0, 0.4)]]
    assert told == ["small caps", "growth", "30% small caps", "cash", "small caps, 40% cash"]
    assert held(0.49, 0.0).differs_from(held(0.5, 0.0)) is False
    assert held(0.0, 1.0).differs_from(held(0.0, 0.0)) is True


def test_of_three_legs_a_mixed_holding_names_each_with_its_share() -> None:
    growth, small = leg_looks(Legs())
    legs = (growth, small, dataclasses.replace(small, name="bonds", label="long bonds", tone="leg-2"))
    assert Holding(legs, (0.2, 0.0, 0.8), 0.0).label == "80% long bonds, 20% growth"
    assert Holding(legs, (0.0, 0.0, 1.0), 0.0).tone == "leg-2"
    assert Holding(legs, (0.0, 0.0, 1.0), 0.0).differs_from(Holding(legs, (0.0, 1.0, 0.0), 0.0))


class Plain(bt.Strategy):
    """Buys some small caps after fifty sessions and sells them a hundred later."""

    def next(self) -> None:
        small = self.getdatabyname("IWM")
        if len(self) == 50:
            self.buy(small, size=100)
        if len(self) == 150:
            self.sell(small, size=100)


def test_a_next_style_strategy_has_a_page_without_evidence_and_without_other_costs() -> None:
    result = result_of(config_of("plain"), strategies={"plain": Plain})
    page = Page(page_of(result))
    assert "why" not in page.tables
    assert [row[1] for row in page.tables["trades"][0][1:]] == ["cash", "small caps, 94% cash"]
    assert "other costs need another run" in page.texts["costs"]
    assert "Buys some small caps after fifty sessions" in page.texts["result"]


def test_held_shares_in_the_chart_data_are_of_the_whole_account() -> None:
    result = result_of(config_of("plain"), strategies={"plain": Plain})
    account = account_of(result)
    data = chart_data(result, rebalances_of(result, account))
    assert data["first"] == "2006-07-31"
    assert data["gaps"][0] == 1
    ribbon = [trace for trace in data["charts"]["equity"]["data"] if trace.get("yaxis") == "y3"]
    assert [trace["fillcolor"] for trace in ribbon] == ["@cash", "@leg-0", "@leg-1"]
    growth, small = ribbon[1]["y"], ribbon[2]["y"]
    assert growth == small == [0.0, pytest.approx(0.06, abs=0.01), 0.0, 0.0]
    assert "cash" in data["charts"]["equity"]["layout"]["annotations"][0]["text"]
