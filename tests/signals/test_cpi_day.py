"""What the two-year yield made of a release, on a day of its own and on one without yields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from backtest.data.calendar import session_closes, sessions_around
from backtest.data.macro import read_observed
from backtest.data.macro_source import with_sessions
from backtest.market import Market
from backtest.signals.measures import day_move

SESSIONS = sessions_around(pd.Timestamp("2016-01-04"), pd.Timestamp("2017-06-30"))
CLOSES = session_closes(SESSIONS[0], SESSIONS[-1])


def test_a_release_of_good_friday_is_judged_by_the_next_day_with_yields(tmp_path: Path) -> None:
    days = pd.bdate_range("2016-10-03", "2017-04-28").difference(pd.DatetimeIndex(["2017-04-14"]))
    values = 1.2 + 0.01 * (np.arange(len(days)) % 3)
    values[days.get_loc(pd.Timestamp("2017-03-15"))] += 0.10
    values[days >= pd.Timestamp("2017-04-17")] -= 0.20
    lines = [f"{day:%Y-%m-%d},{value:.2f}" for day, value in zip(days, values, strict=True)]
    (tmp_path / "DGS2.csv").write_text("\n".join(["date,value", *lines, ""]), encoding="utf-8", newline="\n")
    (tmp_path / "cpi_releases.csv").write_text(
        "release_date,reference_month,core_mom_actual\n2017-03-15,2017-02,0.2\n2017-04-14,2017-03,-0.1\n",
        encoding="utf-8",
        newline="\n",
    )
    series = {name: with_sessions(read_observed(tmp_path, name, None), SESSIONS, CLOSES) for name in ("DGS2", "cpi")}
    sessions = SESSIONS[(SESSIONS >= "2017-03-13") & (SESSIONS <= "2017-04-28")]
    policy = pd.DataFrame({"session": pd.DatetimeIndex([])})
    blank = pd.DataFrame(np.ones((len(sessions), 1)), index=sessions, columns=["AAA"])
    market = Market(blank, blank, blank, blank, blank, blank, SESSIONS, policy, series=series)
    news = pd.Series(day_move(market).values, index=sessions)
    assert news.loc[:"2017-03-15"].isna().all()
    assert (news.loc["2017-03-16":"2017-04-17"] > 5).all(), "the yield of the 17th is known on the 18th"
    assert (news.loc["2017-04-18":] < -5).all()
    for cut in ("2017-04-17", "2017-04-18"):
        shorter = day_move(market.until(pd.Timestamp(cut))).values
        assert np.array_equal(shorter, news.loc[:cut].to_numpy(), equal_nan=True)
