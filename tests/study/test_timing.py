"""Timing described: the same decisions at other times, and by cycle; beside plain loops."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from small_studies import TEXT, config
from worlds import rotation_market

from backtest.pipeline import run
from backtest.study.search import is_cut_driven
from backtest.study.timing import describe_timing, memory_sessions, rotated_t
from strategies import REGISTRY

LONG = rotation_market(5, 2200)


def test_the_memory_of_a_rule_is_its_longest_lookback_and_hold() -> None:
    both = config("strategy.name=rate_cut_momentum", "strategy.params.hold_sessions=60").strategy.params
    assert memory_sessions(both) == 60 + 63
    months = config(text=TEXT.replace("lookback_sessions: 21", "lookback_months: 7")).strategy.params
    assert memory_sessions(months) == 7 * 21
    assert memory_sessions(config("strategy.params.lookback_sessions=5").strategy.params) == 21


@pytest.mark.parametrize("shift", [0, 7, 150])
def test_a_rotation_is_the_same_decisions_so_many_sessions_later(shift: int) -> None:
    rng = np.random.default_rng(1)
    weights, overnight, inside = (rng.standard_normal((200, 2)) for _ in range(3))
    x = []
    for t in range(2, 200):
        now, before = weights[(t - 1 - shift) % 200], weights[(t - 2 - shift) % 200]
        x.append(sum(now[i] * inside[t, i] + before[i] * overnight[t, i] for i in range(2)))
    mean = math.fsum(x) / len(x)
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in x) / (len(x) - 1))
    assert rotated_t(weights, overnight, inside, 1)[shift] == pytest.approx(mean / spread * math.sqrt(len(x)))


def test_shifts_stay_away_from_what_the_rule_remembers_and_short_periods_have_none() -> None:
    own = config("strategy.params.lookback_sessions=21")
    found = describe_timing(run(own, REGISTRY, market=LONG)).rotation
    assert found is not None
    assert found.shortest == 21
    assert 1 / (1 + found.shifts) <= found.p <= 1
    long = config(f"strategy.params.lookback_sessions={2200 // 15 + 1}")
    assert describe_timing(run(long, REGISTRY, market=LONG)).rotation is None
    still = config("strategy.params.threshold=9")
    assert describe_timing(run(still, REGISTRY, market=LONG)).rotation is None


def test_a_rule_that_knows_the_future_is_found_and_one_that_does_not_is_not() -> None:
    rng = np.random.default_rng(3)
    moves = rng.standard_normal((3000, 1)) * 0.01
    known = np.sign(np.roll(moves, -1, axis=0)) * 0.5
    zeros = np.zeros_like(moves)
    t = rotated_t(known, zeros, moves, 1)
    assert t[0] > 20 > abs(t[300])


def test_a_rule_of_cuts_is_told_by_cycle_and_any_other_is_not() -> None:
    cuts = run(config("strategy.name=rate_cut", "strategy.params.hold_sessions=40"), REGISTRY, market=LONG)
    described = describe_timing(cuts)
    own = described.by_cycle
    assert own is not None
    n = len(own.values)
    assert own.p_signs == sum(math.comb(n, k) for k in range(own.positive, n + 1)) / 2**n
    active = cuts.books.equity[1:] / cuts.books.equity[:-1] - cuts.benchmarks["QQQ"].equity[1:] / cuts.benchmarks[
        "QQQ"
    ].equity[:-1]  # fmt: skip
    begins = [int(cuts.sessions.searchsorted(np.datetime64(name))) for name in own.names]
    ends = [*begins[1:], len(active)]
    assert own.values == pytest.approx([active[a:b].sum() for a, b in zip(begins, ends, strict=True)])
    assert any(f"ahead in {own.positive} of {n}" in said for said in described.sentences)
    assert all("ot corrected for the search" in said for said in described.sentences)
    json.dumps(described.as_json, allow_nan=False)
    assert describe_timing(run(config(), REGISTRY, market=LONG)).by_cycle is None
    assert describe_timing(replace(cuts, benchmarks={})).by_cycle is None


def test_a_leg_or_an_entry_called_cut_makes_no_rule_of_cuts() -> None:
    renamed = TEXT.replace("sessions: 21", "sessions: 21, hold: cuts") + "legs: {growth: {QQQ: 1}, cuts: {IWM: 1}}\n"
    assert not is_cut_driven(config(text=renamed))
    rules = "{hold: [{leg: small, label: a cut, when: SIGNAL}, {leg: growth}]}"
    for signal, driven in (
        ("lead, lookback_sessions: 21", False),
        ("cut_window, for_sessions: 21", True),
        ("easing_cycle", True),
    ):
        asked = rules.replace("SIGNAL", f"{{any: [{{signal: {signal}}}]}}")
        assert is_cut_driven(config("strategy.name=rules", f"strategy.params={asked}")) is driven
    assert is_cut_driven(config("strategy.name=rate_cut", "strategy.params={hold_sessions: 60}"))
