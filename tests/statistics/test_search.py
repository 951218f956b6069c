"""The null of a search: the same sign flips of calendar blocks for all curves; beside plain loops sharing nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from backtest.statistics import search
from backtest.statistics.findings import SearchTest, findings, verdict_level
from backtest.statistics.search import Curves, active_sessions, add_up, luck, signs

Array = NDArray[np.float64]
HISTORIES = 99


def returns(seed: int, sessions: int = 300, curves: int = 4) -> Array:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.standard_t(5, (sessions, curves)) * 0.01 * (rng.random((sessions, curves)) < 0.7))


def places(first: int, sessions: int) -> NDArray[np.int64]:
    return np.arange(first, first + sessions)


def curves_of(x: Array, first: int = 2905, begin: int = 0) -> Curves:
    """With keys of their own: two groups of curves are not the same ones."""
    keys = np.arange(x.shape[1], dtype=np.uint64) + np.uint64(1000 * (begin + 1))
    return add_up(x, places(first, len(x)), keys)


def splitmix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) % 2**64
    return x ^ (x >> 31)


def sign(history: int, block: int) -> int:
    of_block = splitmix((block + 0x9E3779B97F4A7C15) % 2**64)
    of_history = splitmix((history + 1) * 0xD1B54A32D192ED03 % 2**64)
    return -1 if splitmix(of_block ^ of_history) >> 63 else 1


def plain_t(x: list[float]) -> float:
    t, m = len(x), math.fsum(x) / len(x)
    square = math.fsum(v * v for v in x) / t
    return 0.0 if square == 0 else m * math.sqrt(t) / math.sqrt(square - m * m)


def plain_p(shown: list[float], first: int, known: list[tuple[list[float], int]], histories: int) -> float:
    """One shown curve with every known one, session by session; known: returns and position of the first."""
    observed, spread = plain_t(shown), math.sqrt(math.fsum(v * v for v in shown) / len(shown))
    family = [shown]
    for other, begin in known:
        inside = [  # whole blocks of which both have the same sessions
            block
            for block in range(first // 21, (first + len(shown) - 1) // 21 + 1)
            if {p for p in range(21 * block, 21 * block + 21) if first <= p < first + len(shown)}
            == {p for p in range(21 * block, 21 * block + 21) if begin <= p < begin + len(other)}
        ]
        own = [other[p - begin] for p in range(begin, begin + len(other)) if p // 21 in inside]
        if not own:
            continue
        root = math.sqrt(math.fsum(v * v for v in own) / len(own))
        family.append(
            [
                (other[p - begin] / root if root else 0.0) if p // 21 in inside else shown[p - first] / spread
                for p in range(first, first + len(shown))
            ]
        )
    reached = 0
    for history in range(histories):
        flipped = [[v * sign(history, (first + i) // 21) for i, v in enumerate(x)] for x in family]
        reached += max(map(plain_t, flipped)) >= observed - 1e-7
    return (1 + reached) / (1 + histories)


def test_the_signs_are_those_of_the_plain_generator_and_fair() -> None:
    blocks = np.arange(-40, 400)
    flips = signs(1999, blocks)
    assert flips[7, 3] == sign(7, -37)
    assert all(flips[b, k] == sign(b, int(blocks[k])) for b, k in [(0, 0), (1998, 439), (500, 40), (3, 41)])
    assert abs(flips.mean(axis=0)).max() < 4.5 / math.sqrt(1999)
    assert abs(flips.mean(axis=1)).max() < 4.5 / math.sqrt(440)
    between = flips.T @ flips / 1999 - np.eye(440)
    assert abs(between).max() < 5.5 / math.sqrt(1999)
    assert between.std() == pytest.approx(1 / math.sqrt(1999), rel=0.05)


def test_the_signs_of_a_block_do_not_depend_on_what_is_asked_beside_it() -> None:
    assert np.array_equal(signs(50, np.arange(10, 30))[:, 5], signs(99, np.array([15]))[:50, 0])


@pytest.mark.parametrize("seed", range(2))
def test_the_p_value_is_that_of_plain_loops(seed: int) -> None:
    x = returns(seed, 150)
    null = luck(curves_of(x), (), HISTORIES)
    for j in range(4):
        shown, others = x[:, j].tolist(), [(x[:, i].tolist(), 2905) for i in range(4) if i != j]
        assert null.t[j] == pytest.approx(plain_t(shown), rel=1e-6)
        assert null.p[j] == plain_p(shown, 2905, others, HISTORIES)


@pytest.mark.parametrize(
    ("begin", "length"), [(2905, 200), (2950, 255), (2800, 250), (2860, 600), (3000, 100), (3190, 90)]
)
def test_a_curve_that_covers_a_part_is_completed_by_the_shown_one(begin: int, length: int) -> None:
    shown, other = returns(1, 300, 2), returns(2, length, 3)
    null = luck(curves_of(shown), [curves_of(other, begin, 1)], HISTORIES)
    known = [(other[:, i].tolist(), begin) for i in range(3)]
    for j in range(2):
        sibling = [(shown[:, 1 - j].tolist(), 2905)]
        assert null.p[j] == plain_p(shown[:, j].tolist(), 2905, known + sibling, HISTORIES)


def test_a_curve_without_a_session_in_common_changes_nothing() -> None:
    shown, elsewhere = curves_of(returns(1)), curves_of(returns(2), 9000, 1)
    assert np.array_equal(luck(shown, [elsewhere], HISTORIES).p, luck(shown, (), HISTORIES).p)


def test_equal_columns_get_equal_answers_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    one = returns(5, 2000, 1)
    x = np.concatenate([returns(6, 2000, 70), one, returns(7, 2000, 61), one, returns(8, 2000, 5), one], axis=1)
    at = [70, 132, 138]
    null = luck(add_up(x, places(2905, 2000)), (), HISTORIES)
    assert len({(null.t[i], null.p[i], null.middle[i], null.upper[i]) for i in at}) == 1
    monkeypatch.setattr(search, "AT_ONCE", 7)
    monkeypatch.setattr(search, "ADDED_AT_ONCE", 3)
    again = luck(add_up(x, places(2905, 2000)), (), HISTORIES)
    assert np.array_equal(null.t, again.t)
    assert np.array_equal(null.p, again.p)
    assert np.array_equal(null.upper, again.upper)


def test_neither_the_order_nor_the_grouping_of_what_is_known_matters() -> None:
    shown, x, part = curves_of(returns(1)), returns(2, 300, 9), curves_of(returns(3, 150, 4), 2905, 7)
    together = curves_of(x, begin=1)
    order = np.random.default_rng(0).permutation(9)
    pieces = [together.take(order[:4]), part.take(np.array([2, 0])), together.take(order[4:]), part]
    first, second = luck(shown, [together, part], HISTORIES), luck(shown, pieces, HISTORIES)
    assert np.array_equal(first.p, second.p)
    assert np.array_equal(first.upper, second.upper)
    assert np.array_equal(first.middle, second.middle)


def test_every_command_that_shows_a_curve_gives_it_the_same_answer() -> None:
    every = curves_of(returns(4, 400, 12))
    alone = [luck(every.take(np.array([i])), [every], HISTORIES) for i in range(12)]
    table = luck(every, (), HISTORIES)
    again = luck(every.take(np.array([3, 1])), [every, every], HISTORIES)
    assert [null.p[0] for null in alone] == table.p.tolist()
    assert again.p.tolist() == [table.p[3], table.p[1]]


@pytest.mark.parametrize("seed", range(6))
def test_a_trial_more_never_lowers_a_p_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shown, known = curves_of(returns(seed, 500, 3)), []
    before = luck(shown, (), HISTORIES)
    for step in range(6):
        first = int(rng.integers(2700, 3300))
        known.append(curves_of(returns(100 * seed + step, int(rng.integers(30, 700)), 3), first, step + 1))
        after = luck(shown, known, HISTORIES)
        assert (after.p >= before.p).all()
        assert (after.upper >= before.upper).all()
        before = after


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_is_above_zero_exactly_where_p_is_below_five_percent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edge = rng.uniform(0, 0.003, 8)
    sparse = rng.random((200, 8)) < np.array([0.02, 0.05, 0.1, 0.3, 0.5, 1, 1, 1])
    x = np.where(sparse, np.round(rng.standard_normal((200, 8)) * 0.01, 2) + np.round(edge, 3), 0.0)
    for null in [luck(curves_of(x[:, [j]]), (), HISTORIES) for j in range(8)] + [luck(curves_of(x), (), HISTORIES)]:
        assert np.array_equal(null.t - null.upper > 0, null.p < 0.05)
        assert np.array_equal(null.t - null.middle > 0, null.p < 0.5)


def test_one_good_day_has_the_chance_of_a_coin() -> None:
    x = np.zeros((2440, 1))
    x[700] = 0.01
    null = luck(curves_of(x))
    assert 0.46 < null.p[0] < 0.54


def test_a_curve_that_never_differs_is_no_better_than_luck() -> None:
    x = np.zeros((300, 3))
    x[:, 1:] = returns(3, 300, 2) + 0.0005
    x[:, 0] = 1e-10 * np.random.default_rng(0).standard_normal(300)  # rounding of two equal accounts
    null = luck(curves_of(x), (), HISTORIES)
    assert (null.t[0], null.p[0]) == (0.0, 1.0)
    assert active_sessions(x)[0] == 0
    assert np.array_equal(luck(curves_of(x[:, 1:]), (), HISTORIES).p, null.p[1:])


def test_block_sums_are_those_of_the_calendar() -> None:
    x = returns(1, 50, 2)
    added = add_up(x, places(2905, 50))  # 2905 = 21 * 138 + 7
    assert added.blocks.tolist() == [138, 139, 140]
    assert added.counts.tolist() == [14, 21, 15]
    assert added.sums[0] == pytest.approx([x[:14, 0].sum(), x[14:35, 0].sum(), x[35:, 0].sum()], rel=1e-6, abs=1e-9)
    assert added.squares[1, 1] == pytest.approx((x[14:35, 1] ** 2).sum(), rel=1e-6)


def test_a_hole_in_the_sessions_leaves_its_block_in_its_place() -> None:
    positions = np.concatenate([places(0, 21), places(63, 21)])
    added = add_up(returns(1, 42, 1), positions)
    assert added.counts.tolist() == [21, 0, 0, 21]
    assert added.sums[0, 1:3].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("x", "positions"),
    [
        (np.zeros((3, 1)), np.array([1, 2])),
        (np.zeros((2, 1)), np.array([2, 2])),
        (np.zeros((0, 1)), np.array([], dtype=np.int64)),
        (np.array([[0.0], [math.nan]]), np.array([1, 2])),
    ],
)
def test_what_does_not_fit_is_refused(x: Array, positions: NDArray[np.int64]) -> None:
    with pytest.raises(ValueError):
        add_up(x, positions)


def test_effective_bets_count_blocks() -> None:
    x = np.zeros((210, 3))
    x[5, 0], x[::21, 1], x[:, 2] = 0.01, 0.01, 0.01
    assert add_up(x, places(0, 210)).bets == pytest.approx([1.0, 10.0, 10.0], rel=1e-6)
    assert add_up(np.zeros((30, 1)), places(0, 30)).bets.tolist() == [0.0]


def test_a_family_that_is_too_large_is_drawn_and_paid_for(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, known = curves_of(returns(1, 600, 1) + 0.0012), curves_of(returns(2, 600, 400), begin=1)
    whole = luck(shown, [known])
    monkeypatch.setattr(search, "MOST_CURVES", 100)
    drawn = luck(shown, [known])
    assert (whole.factor, drawn.family) == (1.0, 100)
    assert drawn.factor == pytest.approx(4.01)  # unrelated curves represent none but themselves
    assert whole.p[0] < drawn.p[0] < 4 * whole.p[0] + 0.1
    assert (drawn.t - drawn.upper > 0).tolist() == (drawn.p < 0.05).tolist()


def test_near_duplicates_of_what_is_drawn_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    base = returns(2, 600, 4)
    near = np.repeat(base, 100, axis=1) + 1e-5 * np.random.default_rng(0).standard_normal((600, 400))
    shown, known = curves_of(returns(1, 600, 1)), curves_of(near, begin=1)
    whole = luck(shown, [known])
    monkeypatch.setattr(search, "MOST_CURVES", 100)
    drawn = luck(shown, [known])
    assert drawn.factor < 1.1
    assert drawn.p[0] == pytest.approx(whole.p[0] * drawn.factor, abs=0.01)


def some(p: float, t: float = 2.0, middle: float = 1.0) -> SearchTest:
    return SearchTest(t, p, middle, 2.5, 0.5, (-0.1, 1.0), 0.2)


@pytest.mark.parametrize(
    ("ahead", "timing", "bets", "active", "cycles", "level"),
    [
        (None, some(0.001), 50, 500, None, "nothing_tested"),
        (some(0.001), some(0.001), 7.9, 500, None, "too_few_bets"),
        (some(0.001), some(0.001), 50, 62, None, "too_few_bets"),
        (some(0.049), some(0.049), 8, 63, None, "holds"),
        (some(0.049), some(0.049), 8, 63, 4, "suggestive"),
        (some(0.049), some(0.049), 8, 63, 5, "holds"),
        (some(0.05), some(0.049), 50, 500, None, "suggestive"),
        (some(0.049), some(0.0995), 50, 500, None, "suggestive"),
        (some(0.049), some(0.10), 50, 500, None, "ahead_by_exposure"),
        (some(0.049), some(1.0), 50, 500, None, "ahead_by_exposure"),
        (some(0.3), some(0.001), 50, 500, None, "not_distinguishable"),
        (some(0.5, t=1.0), some(0.001), 50, 500, None, "no_better_than_luck"),
        (some(0.9, t=-1.0), some(0.5), 50, 500, None, "no_better_than_luck"),
    ],
)
def test_the_first_level_that_applies_is_the_verdict(
    ahead: SearchTest | None, timing: SearchTest, bets: float, active: int, cycles: int | None, level: str
) -> None:
    assert verdict_level(ahead, timing, bets, active, cycles) == level


def test_edge_and_years_are_one_yardstick() -> None:
    x = returns(3, 2520, 1)
    found = findings(curves_of(x), curves_of(x), active_sessions(x), 252, histories=HISTORIES)[0]
    assert found.years == pytest.approx(10.0)
    assert found.tracking_error == pytest.approx(x.std() * math.sqrt(252), rel=1e-6)
    assert found.edge_seen is not None
    assert found.years_needed(found.edge_seen) == pytest.approx(10.0)
    assert found.years_needed(0.0) is None
    assert found.ahead is not None
    assert found.ahead.ratio == pytest.approx(x.mean() / x.std() * math.sqrt(252), rel=1e-6)
