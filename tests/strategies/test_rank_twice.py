"""The rank against one that was written a second time from its description, on random markets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from plain_rank import PlainMarket, plain_rank
from worlds import EXCHANGE, market_of

from backtest.decision import check_decision
from backtest.market import Legs
from strategies.rank import Rank

TICKERS = tuple("ABCDEF")
NAN = float("nan")


def world(rng: np.random.Generator) -> tuple[Any, PlainMarket, dict[str, dict[str, float]]]:
    """Six tickers, some beginning late, one the twin of another; five legs of one or two of them; rates that change."""
    count = int(rng.integers(330, 420))
    days = EXCHANGE[300 : 300 + count]
    closes = 50.0 * np.cumprod(1.0 + rng.normal(0.0003, 0.011, (count, len(TICKERS))), axis=0)
    closes[:, 1] = closes[:, 0] if rng.random() < 0.4 else closes[:, 1]  # scores that tie
    for column in range(2, len(TICKERS)):
        if rng.random() < 0.3:
            closes[: rng.integers(1, 200), column] = NAN
    frame = pd.DataFrame(closes, days, list(TICKERS))
    rates = rng.uniform(0.0, 0.1, count)
    legs = {"one": {"A": 1.0}, "two": {"B": 1.0}, "three": {"C": 1.0}, "four": {"D": 1.0}, "five": {"E": 1.0}}
    if rng.random() < 0.5:
        legs |= {"three": {"C": 0.6, "D": 0.4}, "four": {"D": 0.5, "F": 0.3}}
    market = market_of(frame, frame, exchange=EXCHANGE, tbill=rates)
    return market, PlainMarket(frame, list(EXCHANGE), rates.tolist()), legs


def question(rng: np.random.Generator, legs: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Parameters of every kind."""
    p: dict[str, Any] = {"volatility_sessions": int(rng.integers(5, 40))}
    kinds = ["returns", "returns", "returns", "twelve_one", "scaled"]
    kinds += ["moving_average"] if all(list(each.values()) == [1.0] for each in legs.values()) else []
    p["score"] = str(rng.choice(kinds))
    if p["score"] != "twelve_one":
        lengths = int(rng.integers(1, 4))
        by_months = rng.random() < 0.6
        low, high = (2, 7) if by_months else (2, 90)
        p["lookback_months" if by_months else "lookback_sessions"] = tuple(rng.integers(low, high, lengths).tolist())
        if rng.random() < 0.4:
            p["score_weights"] = tuple(np.round(rng.uniform(-1, 12, lengths), 2).tolist())
    p["decide"] = str(rng.choice(["monthly", "monthly", "weekly", "daily"]))
    p["weights"] = str(rng.choice(["equal", "inverse_volatility"]))
    names = list(legs)
    if rng.random() < 0.7:
        p["defensive"] = tuple(rng.choice(names, int(rng.integers(1, 3)), replace=False).tolist())
    if rng.random() < 0.4:
        p["universe"] = tuple(rng.choice(names, int(rng.integers(2, 5)), replace=False).tolist())
    if rng.random() < 0.75:
        plain = p["score"] in ("returns", "twelve_one")
        hurdles = [0.0, "F", str(rng.choice(names)), *(["tbill", "tbill"] if plain else [])]
        p["above"] = hurdles[int(rng.integers(len(hurdles)))]
        if rng.random() < 0.4:
            p["canary"] = tuple(rng.choice([*names, "F"], int(rng.integers(1, 3)), replace=False).tolist())
    others = [name for name in names if name not in (*p.get("defensive", ()), p.get("above"))]
    p["top"] = int(rng.integers(1, len(p.get("universe", others)) + 1))
    return p


def check(seed: int) -> int:
    """How often what is held changes."""
    rng = np.random.default_rng(seed)
    market, plain, by_name = world(rng)
    legs, params = Legs(by_name), question(rng, by_name)
    decision = check_decision(Rank.decide(market, legs, Rank.Params(**params)), market, legs)
    path = [
        [NAN] * len(by_name) if each is None else [each[name] for name in by_name]
        for each in plain_rank(plain, by_name, params)
    ]
    np.testing.assert_allclose(decision.by_leg, np.array(path), rtol=0, atol=1e-12, err_msg=str(params))
    known = decision.by_leg[decision.is_known]
    return int((np.diff(known, axis=0) != 0).any(axis=1).sum())


def test_twenty_random_markets() -> None:
    changes = [check(seed) for seed in range(20)]
    assert sum(each > 0 for each in changes) >= 12
    assert sum(changes) > 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20, 200))
def test_another_random_market(seed: int) -> None:
    check(seed)
