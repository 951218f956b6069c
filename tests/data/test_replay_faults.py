"""The command line against every fault of the services: the real clients, nothing in them changed.

Each scenario has the exit code and what is said. No traceback, no request to another host, no results folder when the
run stops, and nothing passes in silence: what ends with 0 either is right to the last bit or says what is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from replay_worlds import FOUR, Client

from backtest.config import load_config
from backtest.data import content_hash, load_market
from strategies import REGISTRY

# yfinance's and sqlite's own warnings and unclosed files are no business of these tests.
pytestmark = pytest.mark.filterwarnings("ignore")

RIGHT = "the data are those of a clean world"


@dataclass(frozen=True)
class Scenario:
    """Faults by key, what the command ends with, and a part of what it says (RIGHT: data as without a fault)."""

    script: dict[str, list[str]]
    code: int
    said: str
    tbill: str = "irx"
    legs: str = ""


def iwm(fault: str, code: int, said: str) -> Scenario:
    return Scenario({"IWM": [fault]}, code, said)


def fred(fault: str, code: int, said: str) -> Scenario:
    return Scenario({"fred:DTB3": [fault]}, code, said, tbill="fred")


NOT_PROPERLY = "IWM: Yahoo did not answer properly (asked 3 times: "
AGAIN = "get the prices again or correct them"

SCENARIOS = {
    "nothing wrong": Scenario({}, 0, RIGHT),
    # prices that are not there
    "a row of nulls": iwm("null_bar", 3, "IWM: a price, dividend or split is missing on 20"),
    "the last row of nulls": iwm("last_null", 3, "IWM: a price, dividend or split is missing on 2024-12-31"),
    "a close of null": iwm("null_close", 3, "IWM: a price, dividend or split is missing on 20"),
    "an open of null": iwm("null_open", 3, "IWM: a price, dividend or split is missing on 20"),
    "a session missing": iwm("missing_day", 3, "IWM: no row, though the exchange was open, on 20"),
    "a week missing": iwm("missing_week", 3, "IWM: no row, though the exchange was open, on 20"),
    "a year missing": iwm("missing_year", 3, "(252 in all)"),
    "forty rows of six years": iwm("short", 3, "it is only a part, try again later"),
    "a history that ends early": iwm("ends_early", 3, "end on different sessions: QQQ 2024-12-31, IWM 2024-12-26"),
    "no rows at all": iwm("empty", 4, NOT_PROPERLY),
    "no such ticker": iwm("notfound", 3, "IWM: Yahoo has no such ticker; it may be misspelt, renamed or delisted"),
    # prices that are not right
    "three rows times 100": iwm("x100", 3, "IWM: adj_close moves by more than data.largest_daily_move"),
    "an open times 100": iwm("open_x100", 3, "IWM: the open is further from the close before"),
    "a half in cents": iwm("cents", 3, "IWM: adj_close moves by more than"),
    "a split not worked in": iwm("unadjusted_split", 3, "a split may not be worked into the prices before it"),
    "a 5:4 split not worked in": iwm("small_split", 3, "a split may not be worked into the prices before it"),
    "a low of zero": iwm("zero", 3, "IWM: a price is zero or negative on 20"),
    "a row of zeros": iwm("zero_row", 3, "IWM: a price is zero or negative on 20"),
    "a row of negative prices": iwm("negative", 3, "IWM: a price is zero or negative on 20"),
    "an infinite adjusted close": iwm("infinite", 3, "IWM: a value is infinite on 20"),
    "high and low exchanged": iwm("high_below_low", 3, "IWM: the high is below the low on 20"),
    "NaN in the answer": iwm("nan", 4, NOT_PROPERLY),
    # dates that are not right
    "a day twice": iwm("duplicate", 0, "IWM: adj_close moves against close by something else than the day's dividend"),
    "two rows in the wrong order": iwm("unordered", 0, RIGHT),
    "a row on a Saturday": iwm("a_saturday", 3, "IWM: a row, though the exchange was closed, on 20"),
    "every day one day early": iwm("utc_midnight", 3, "dates may be shifted"),
    # what goes with the prices
    "no adjusted close": iwm("no_adjclose", 3, "IWM: adj_close equals close everywhere in spite of dividends on 20"),
    "no dividends and none adjusted for": iwm("no_dividends", 0, "IWM: five years and no dividend at all"),
    "dividends that stop": iwm("dividends_stop", 0, "IWM: the payer's own rhythm had a dividend long due on 20"),
    "a price that stands still": iwm("stale", 0, "IWM: the same prices again and no volume on 20"),
    "no volume": iwm("no_volume", 4, NOT_PROPERLY + "KeyError: 'volume'"),
    "no time zone": Scenario({"IWM": ["no_zone"], "tz:IWM": ["no_zone"]}, 4, NOT_PROPERLY),
    # answers that are none
    "too many requests": iwm("429", 4, "IWM: Yahoo takes no more requests for now (HTTP 429, asked 5 times)"),
    "too many requests twice": Scenario({"IWM": ["429"] * 4 + ["ok"]}, 0, RIGHT),
    "a server's error": iwm("500", 4, NOT_PROPERLY),
    "a server's error once": Scenario({"IWM": ["500"] * 2 + ["ok"]}, 0, RIGHT),
    "a page instead": iwm("html", 4, NOT_PROPERLY),
    "a page instead, once": Scenario({"IWM": ["html", "ok"]}, 0, RIGHT),
    "half of an answer": iwm("cut", 4, NOT_PROPERLY),
    "half of an answer, once": Scenario({"IWM": ["cut", "ok"]}, 0, RIGHT),
    "an answer broken off": iwm("broken_off", 4, NOT_PROPERLY),
    "an answer broken off once": Scenario({"IWM": ["broken_off", "ok"]}, 0, RIGHT),
    "a connection reset": iwm("reset", 4, NOT_PROPERLY),
    "a connection reset once": Scenario({"IWM": ["reset", "ok"]}, 0, RIGHT),
    "no crumb": Scenario({"crumb": ["429"]}, 0, RIGHT),
    "no time zone answer": Scenario({"tz:IWM": ["500"]}, 4, NOT_PROPERLY),
    "no time zone answer once": Scenario({"tz:IWM": ["500", "500", "500", "500", "ok"]}, 0, RIGHT),
    # several tickers
    "one of four bad": Scenario({"IWN": ["x100"]}, 3, "IWN: adj_close moves", legs=FOUR),
    "two of four bad": Scenario({"IWN": ["x100"], "IVW": ["null_bar"]}, 3, "IVW: a price, dividend", legs=FOUR),
    "one of four refused": Scenario({"IWN": ["429"]}, 4, "IWN: Yahoo takes no more requests", legs=FOUR),
    "one of four not there": Scenario({"IVW": ["notfound"]}, 3, "IVW: Yahoo has no such ticker", legs=FOUR),
    "all refused": Scenario({"*": ["429"]}, 4, "QQQ: Yahoo takes no more requests for now (HTTP 429"),
    "all down": Scenario({"*": ["500"], "tz:QQQ": ["500"]}, 4, "QQQ: Yahoo did not answer properly"),
    # the T-bill rate
    "^IRX not there": Scenario({"^IRX": ["notfound"]}, 3, "^IRX: Yahoo has no such ticker"),
    "^IRX times 100": Scenario({"^IRX": ["x100"]}, 3, "found 520, expected -2 to 25"),
    "^IRX without a day": Scenario({"^IRX": ["null_bar"]}, 0, "The T-bill rate had no value on 1 session"),
    "^IRX ends early": Scenario({"^IRX": ["ends_early"]}, 0, "The T-bill rate had no value on 3 sessions"),
    "^IRX short": Scenario({"^IRX": ["short"]}, 3, "it is only a part"),
    "FRED right": fred("ok", 0, RIGHT),
    "FRED with a dot": fred("dots", 0, "The T-bill rate had no value on 1 session"),
    "FRED with a blank": fred("blank", 0, "The T-bill rate had no value on 1 session"),
    "FRED with text": fred("text", 3, "value: found 'n/a', expected a number"),
    "FRED's old header": fred("old_header", 0, RIGHT),
    "FRED's other series": fred("another_series", 4, "FRED DTB3: FRED did not answer properly"),
    "FRED's page instead": fred("html", 4, "asked 3 times: something else than this series"),
    "FRED cut off": fred("cut", 4, "asked 3 times: the table is cut off"),
    "FRED broken off": fred("broken_off", 4, "asked 3 times: could not be reached"),
    "FRED refuses": fred("429", 4, "FRED takes no more requests for now (HTTP 429, asked 5 times)"),
    "FRED refuses twice": Scenario({"fred:DTB3": ["429", "429", "ok"]}, 0, RIGHT, tbill="fred"),
    "FRED's error": fred("500", 4, "asked 3 times: HTTP 500"),
    "FRED's time out": fred("504", 4, "asked 3 times: HTTP 504"),
    "FRED resets": fred("reset", 4, "asked 3 times: could not be reached"),
    "FRED has no such series": fred("notfound", 3, "FRED DTB3: FRED has no such series; check the name"),
    "FRED out of order": fred("unordered", 3, "the date stands twice or goes back"),
    "FRED without rows": fred("no_rows", 3, "FRED DTB3: found no rows below the header"),
    "FRED times 100": fred("times_100", 3, "found 525, expected -2 to 25"),
    "FRED ends early": fred("ends_early", 3, "no T-bill rate within 7 days of"),
    "FRED with a gap": fred("gap", 3, "FRED DTB3: lacks days (no row between"),
}  # fmt: skip


def test_there_are_at_least_sixty_scenarios() -> None:
    assert len(SCENARIOS) >= 60


@pytest.fixture(scope="module")
def clean() -> dict[str, str]:
    """Hash of the clean world's data by config, filled by the first scenario that needs it."""
    return {}


IN_FULL = (
    "a week missing", "a year missing", "an open of null", "a half in cents", "a row of zeros",
    "a row of negative prices", "a split not worked in", "two rows in the wrong order", "a server's error once",
    "a page instead, once", "half of an answer, once", "an answer broken off", "a connection reset once",
    "no time zone answer once", "no crumb", "two of four bad", "one of four refused", "all down", "^IRX short",
    "FRED with a blank", "FRED's old header", "FRED's time out", "FRED broken off", "FRED resets",
    "FRED's page instead", "FRED refuses", "FRED refuses twice",
)  # fmt: skip
"""Scenarios with a sibling that runs every time; these run with the slow ones."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in IN_FULL else []) for name in SCENARIOS]
)
def test_a_fault_of_a_service(name: str, client: Client, clean: dict[str, str]) -> None:
    scenario = SCENARIOS[name]
    given = {"tbill": scenario.tbill, **({"legs": scenario.legs} if scenario.legs else {})}
    client.replay.go_wrong(scenario.script)
    told = client.run(**given)
    assert told.code == scenario.code, told.text
    assert "Traceback" not in told.text
    assert not client.asked("BLOCKED")
    assert not client.asked("UNKNOWN")
    assert client.results.exists() == (scenario.code == 0)
    if scenario.said != RIGHT:
        assert scenario.said in told.text
    else:
        key = scenario.tbill + scenario.legs
        found = content_hash(load_market(load_config(client.config(**given), strategies=REGISTRY), offline=True))
        assert clean.setdefault(key, found) == found
        assert not [line for line in told.text.splitlines() if line.startswith("  ! IWM")]


@pytest.mark.parametrize(("fault", "pauses"), [("429", (2, 4, 8, 16)), ("500", (1, 2))])
def test_a_service_that_refuses_is_asked_again_with_growing_pauses(
    client: Client, monkeypatch: pytest.MonkeyPatch, fault: str, pauses: tuple[int, ...]
) -> None:
    """A try is up to two requests: yfinance itself repeats one at once, with another crumb."""
    waited: list[float] = []
    monkeypatch.setattr("backtest.data.web.PACE", 1.0)
    monkeypatch.setattr("backtest.data.web.time.sleep", waited.append)
    client.replay.go_wrong({"QQQ": [fault]})
    assert client.run().code == 4
    assert len(waited) == len(pauses)
    assert all(low <= pause <= 1.25 * low for pause, low in zip(waited, pauses, strict=True))
    assert len(pauses) < len(client.asked("chart", name="QQQ", dated=True)) <= 2 * (len(pauses) + 1)
    assert not client.asked("chart", name="IWM")
