"""Reports for tests: Results on the sample or on markets written by hand, and a reader of the page's tables."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
from worlds import hand_market, small_in

from backtest.account.strategy import RotationStrategy
from backtest.config import (
    DEFAULT_LEGS,
    Config,
    DataConfig,
    ExecutionConfig,
    LegConfig,
    NoParams,
    SamplePrices,
    StrategyConfig,
    TwoLegMix,
)
from backtest.data import load_market
from backtest.decision import Decision, Evidence
from backtest.market import Market, Source
from backtest.pages.report import render_report
from backtest.pages.shell import PageContext
from backtest.pipeline import run
from backtest.result import Result
from strategies import REGISTRY

CONTEXT = PageContext("0123abcd", {"question": "a" * 64, "data": "b" * 64})
HALF = TwoLegMix(static_mix=0.5)


def config_of(
    strategy: str = "rate_cut_momentum",
    *,
    start: date = date(2006, 7, 31),
    name: str = "rate-cut-momentum",
    params: Mapping[str, Any] | None = None,
    initial: str = "growth",
    benchmarks: Sequence[Any] = ("QQQ", "IWM", HALF),
    legs: dict[str, LegConfig] | None = None,
    tbill: str | None = "irx",
    **execution: Any,
) -> Config:
    """A config on the sample, 5 bps in all; names and tickers are not checked, so that they may be hostile."""
    own = REGISTRY[strategy].Params if strategy in REGISTRY else NoParams
    rule = StrategyConfig.model_construct(name=strategy, initial=initial, params=own(**(params or {})))
    return Config.model_construct(
        name=name,
        data=DataConfig(prices=SamplePrices(source="sample"), start=start, end=None, tbill=tbill),
        legs=legs or {name: LegConfig.model_validate(leg) for name, leg in DEFAULT_LEGS.items()},
        strategy=rule,
        execution=ExecutionConfig(**{"commission_bps": 1.0, "slippage_bps": 4.0, **execution}),
        benchmarks=tuple(benchmarks),
    )


@functools.cache
def sample(end: str = "2010-12-31", tbill: str | None = "irx") -> Market:
    """The simulated market as it was known at the close of `end`."""
    return load_market(config_of(tbill=tbill)).until(pd.Timestamp(end))


def result_of(config: Config | None = None, *, market: Market | None = None, strategies: Any = REGISTRY) -> Result:
    """A run on the sample, or on the market given."""
    return run(config or config_of(), strategies, market=market or sample())


def page_of(result: Result) -> str:
    return render_report(result, CONTEXT)


HOSTILE = "<script>alert(1)</script>"
QUOTES = """"'><img src=x onerror=alert(2)>=cmd"""


class Hostile(RotationStrategy):
    """Says what a careless author, or an attacker, may say."""

    @staticmethod
    def decide(market: Any, legs: Any, p: Any) -> Decision:
        """Small every other week."""
        small = np.asarray(np.arange(len(market.sessions)) // 5 % 2, dtype=np.float64)
        words = Evidence(HOSTILE, small, unit=QUOTES, label=f"{HOSTILE}{QUOTES}", phrase=lambda row: HOSTILE)
        return small_in(small, evidence=[words], reason=lambda row: f"{HOSTILE} {QUOTES}")

    @staticmethod
    def rule(legs: Any, p: Any) -> str:
        """Markup."""
        return f"It {HOSTILE} holds {QUOTES}."


def hostile_result() -> Result:
    """Every text that can come from outside is markup: names, tickers, reasons, sources, notes."""
    market = sample()
    names = {"QQQ": HOSTILE, "IWM": QUOTES}
    renamed = {name: getattr(market, name).rename(columns=names) for name in ("open", "close", "raw_open", "raw_close")}
    source = Source(HOSTILE, f"/{QUOTES}", 1, HOSTILE, QUOTES, HOSTILE)
    told = dataclasses.replace(market, **renamed, sources=(source,), notes=(HOSTILE,), tbill_name=QUOTES)
    legs = {"growth": LegConfig.model_construct(**{HOSTILE: 1.0}), "small": LegConfig.model_construct(**{QUOTES: 1.0})}
    config = config_of("x", name=HOSTILE, legs=legs, benchmarks=(HOSTILE, QUOTES), start=date(2008, 1, 2))
    return run(config, {"x": Hostile}, market=told)


def two_sides(**terms: object) -> Result:
    """Two tickers over seven sessions, without costs; the lead over one session decides."""
    market = hand_market(
        "2020-01-06",
        G=[100.0, 110.0, 110.0, 110.0, 121.0, 121.0, 121.0],
        S=[100.0, 100.0, 120.0, 120.0, 120.0, 120.0, 150.0],
        G_open=[100.0, 100.0, 110.0, 110.0, 110.0, 121.0, 121.0],
        S_open=[100.0, 100.0, 100.0, 120.0, 120.0, 120.0, 120.0],
    )
    legs = {"growth": LegConfig(G=1.0), "small": LegConfig(S=1.0)}
    given = {"commission_bps": 0.0, "slippage_bps": 0.0, **terms}
    config = config_of(
        "relative_momentum",
        params={"lookback_sessions": 1},
        legs=legs,
        benchmarks=("G",),
        tbill=None,
        start=date(2020, 1, 6),
        **given,
    )
    return run(config, REGISTRY, market=market)


@dataclass(eq=False)
class Page(HTMLParser):
    """What a reader sees: text by id, tables by the id of their section, scripts as they stand."""

    html: str
    texts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[list[list[str]]]] = field(default_factory=dict)
    scripts: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, str]] = []
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.tags.append(tag)
        if tag in ("meta", "link", "input", "rect", "line", "br"):
            return
        self.open.append((tag, own.get("id") or ""))
        if tag == "table":
            self.tables.setdefault(self.section, []).append([])
        elif tag == "tr":
            self.tables[self.section][-1].append([])
        elif tag in ("td", "th"):
            self.tables[self.section][-1][-1].append("")
        elif tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        if any(tag == name for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] == "script":
            self.scripts[-1] += data
            return
        for tag, name in self.open:
            if name:
                self.texts[name] = self.texts.get(name, "") + data
            if tag in ("td", "th"):
                self.tables[self.section][-1][-1][-1] += data

    @property
    def section(self) -> str:
        return next((name for tag, name in reversed(self.open) if tag == "section"), "")

    @property
    def chart_data(self) -> dict[str, Any]:
        return dict(json.loads(self.scripts[0]))

    def rows(self, section: str, table: int = 0) -> dict[str, list[str]]:
        """Rows of a table by their first cell."""
        return {row[0]: row[1:] for row in self.tables[section][table] if row}


UNITS = {"%": 0.01, "k": 1e3, "m": 1e6, "bn": 1e9, " y": 252.0, " pts": 0.01, "×": 1.0}


def number_of(text: str) -> tuple[float, float]:
    """(value, half a unit of its last digit) of a printed figure."""
    plain = text.replace("−", "-").replace("$", "").replace(",", "").replace("+", "")
    unit = next((u for u in UNITS if plain.endswith(u)), "")
    plain = plain.removesuffix(unit)
    digits = len(plain.partition(".")[2])
    scale = UNITS.get(unit, 1.0)
    return float(plain) * scale, 0.5 * 10.0**-digits * scale * (1 + 1e-9)
