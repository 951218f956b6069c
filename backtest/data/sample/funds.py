"""The funds of the sample: shares, bonds and one that holds bills, each as a path of prices on all weekdays.

Where it stands: noise -> rates -> FUNDS -> prices.

The return of a fund, from close to open as from open to close, is a mixture of five common factors (market, small,
value, tech, bonds) and a part of its own. Share funds grow alike, but for a drift of small caps over growth that
swings. Only the bill fund has to do with the policy rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtest.data.sample.noise import (
    WEEKDAYS_PER_YEAR,
    Days,
    Floats,
    Stream,
    clustered_variance,
    normals,
    pendulum,
    persistent,
    uniforms,
    weekday_numbers,
    weekdays,
)
from backtest.data.sample.rates import bill_rate
from backtest.units import BILL_DAYS, DISCOUNT_DAYS

LOG_GROWTH_ANNUAL, BOND_GROWTH_ANNUAL = 0.08, 0.035
"""Expected growth of every share fund and of every bond fund, dividends included: none is planted as the winner."""

OVERNIGHT_SHARE = 0.31
"""Of a weekday's variance; what happens on the exchange's holidays comes on top."""

OVERNIGHT_LIMIT, INTRADAY_LIMIT = 0.07, 0.10
"""Largest simple returns; together a log return of 0.178, below the 0.20 at which a price is taken for a fault."""

STORM = {"rise": 0.02, "fall": 0.11, "memory": 0.92}
"""The quick part of the market's variance: what a rise and a fall add, and what stays from day to day."""

CLIMATE_MEMORY, CLIMATE_MOOD, CLIMATE_FLOOR = 0.996, -0.6, 0.3
"""The slow part: its persistence by day, its correlation with the market (falls bring trouble), the least it leaves."""

CLIMATE_SQUARE = 1.925
"""Mean of max(0, 1 + x)^2 for a standard normal x: 2 Phi(1) + phi(1)."""

STORM_CEILING = 9.0
"""The most that both parts together may reach, by the usual variance."""

REST_IN_STORM = 0.5
"""How much of the variance of everything but the market goes with the market's."""

LEAD = {"memory": 0.996, "pull": 1.2e-5, "deviation": 0.12 / WEEKDAYS_PER_YEAR}
"""The drift of small caps over growth: a standard deviation of 12% a year, of which half would fade in 8 months, while
the way back turns it around within some 7 years."""

QUIET_VOLUME, MOVED_VOLUME, VOLUME_SPREAD = 0.55, 0.45, 0.5
"""By the usual volume: what trades in a usual storm, what each standard deviation of the day's move adds, and how
wide the chance is that multiplies both."""

TUESDAY, EX_WEEK_FIRST, EX_WEEK_LAST = 1, 15, 21
"""Funds go ex-dividend on the third Tuesday of a month, which was a session in every month of 2000-2025."""

MONTHLY, QUARTERLY = 1, 3

DETAILS = 3
"""Uniform numbers for each session of a fund: for its high, its low, its volume."""

FACTORS, MARKET = 4, 0
"""How many common factors there are, bonds apart, and the place of the market among them."""

BILL_FUND_FIRST, BILL_FUND_VOLUME, BILL_FUND_BOUNCE = 91.5, 600_000, 0.00009
"""Price in USD, shares a day, and the standard deviation of the price around its value (bid and ask)."""


@dataclass(frozen=True, slots=True)
class Fund:
    """A fund. The loadings are correlations with the factors; the rest of the variance is its own.

    volatility: of a year. lead: its part in the drift of small caps over growth. payout_annual: dividends of a year
    by price. first: price in USD on the first day. volume: shares a day. split: when, and its ratio.
    bonds: the loading on the factor of bonds. growth: expected, of a year. ex_months: months between dividends.
    """

    volatility: float
    market: float
    small: float
    value: float
    tech: float
    lead: float
    payout_annual: float
    first: float
    volume: int
    split: tuple[str, float] | None = None
    bonds: float = 0.0
    growth: float = LOG_GROWTH_ANNUAL
    ex_months: int = QUARTERLY

    @property
    def loadings(self) -> tuple[float, ...]:
        """On the factors, in their order, and on the fund's own noise."""
        common = (self.market, self.small, self.value, self.tech, self.bonds)
        return (*common, math.sqrt(1.0 - sum(x * x for x in common)))


# fmt: off
FUNDS = {
    #      volatility market   small   value  tech  lead payout  first      volume  split
    "QQQ": Fund(0.25, 0.870, -0.030, -0.27, 0.37, -0.5, 0.006,  44.0, 52_000_000),
    "IVW": Fund(0.20, 0.965, -0.010, -0.10, 0.10, -0.5, 0.011,  22.0,  1_900_000, ("2018-10-16", 4.0)),
    "IWM": Fund(0.24, 0.900,  0.415,  0.02, 0.00,  0.5, 0.013,  40.0, 29_000_000, ("2005-06-14", 2.0)),
    "IWN": Fund(0.24, 0.870,  0.435,  0.15, 0.00,  0.5, 0.018,  34.0,  1_200_000),
    "SPY": Fund(0.19, 0.985,  0.000,  0.00, 0.00, -0.1, 0.017, 120.0, 78_000_000),
    "KRE": Fund(0.28, 0.730,  0.420,  0.20, 0.00,  0.5, 0.024,  24.0,  5_100_000),
}
"""Those that came first: their noise is drawn together, so that this table can have no more."""


def _bonds(volatility: float, market: float, bonds: float, payout: float, first: float, volume: int) -> Fund:
    return Fund(volatility, market, 0.0, 0.0, 0.0, 0.0, payout, first, volume,
                bonds=bonds, growth=BOND_GROWTH_ANNUAL, ex_months=MONTHLY)


FURTHER_FUNDS = {
    #      volatility market   small   value  tech  lead payout  first      volume
    "IWD": Fund(0.19, 0.960,  0.030,  0.20, -0.05, 0.0, 0.021,  29.0,  1_800_000),
    "IWF": Fund(0.20, 0.965, -0.010, -0.12, 0.12, -0.5, 0.011,  33.0,  1_900_000),
    "EFA": Fund(0.20, 0.860,  0.050,  0.10, 0.00,  0.0, 0.027,  36.0, 18_000_000),
    "SCZ": Fund(0.20, 0.800,  0.200,  0.10, 0.00,  0.0, 0.023,  25.0,    300_000),
    "EEM": Fund(0.26, 0.780,  0.100,  0.00, 0.05,  0.0, 0.020,  14.0, 40_000_000),
    "VNQ": Fund(0.25, 0.720,  0.200,  0.20, 0.00,  0.0, 0.038,  27.0,  4_000_000, bonds=0.15),
    "DBC": Fund(0.19, 0.350,  0.050,  0.05, 0.00,  0.0, 0.010,  16.0,  2_000_000, bonds=-0.15, growth=0.03),
    "XLB": Fund(0.23, 0.850,  0.100,  0.15, 0.00,  0.0, 0.020,  21.0,  6_000_000),
    "XLE": Fund(0.28, 0.650,  0.050,  0.30, 0.00,  0.0, 0.027,  26.0, 15_000_000),
    "XLF": Fund(0.27, 0.850,  0.100,  0.25, 0.00,  0.0, 0.018,  19.0, 50_000_000),
    "XLI": Fund(0.21, 0.920,  0.100,  0.10, 0.00,  0.0, 0.018,  25.0, 10_000_000),
    "XLK": Fund(0.25, 0.860,  0.000, -0.20, 0.35,  0.0, 0.010,  24.0, 11_000_000),
    "XLP": Fund(0.14, 0.700, -0.100,  0.15, -0.10, 0.0, 0.024,  20.0,  9_000_000, bonds=0.10),
    "XLU": Fund(0.18, 0.550,  0.000,  0.20, -0.10, 0.0, 0.033,  24.0, 12_000_000, bonds=0.25),
    "XLV": Fund(0.17, 0.780, -0.020,  0.05, 0.00,  0.0, 0.015,  28.0,  9_000_000),
    "XLY": Fund(0.22, 0.900,  0.100,  0.00, 0.10,  0.0, 0.011,  27.0,  6_000_000),
    "SHY": _bonds(0.015, -0.15, 0.85, 0.018, 81.0,  2_000_000),
    "IEF": _bonds(0.070, -0.20, 0.93, 0.028, 82.0,  4_000_000),
    "TLT": _bonds(0.140, -0.25, 0.92, 0.032, 83.0, 12_000_000),
    "AGG": _bonds(0.045, -0.02, 0.92, 0.031, 98.0,  4_000_000),
    "LQD": _bonds(0.070,  0.15, 0.82, 0.040, 97.0,  8_000_000),
}
# fmt: on
"""Those that came later: each has streams of its own, by its place, so that one more at the end changes no other."""


@dataclass(frozen=True, slots=True)
class FundPaths:
    """One fund on all weekdays, before the exchange's calendar picks its sessions; arrays of shape (weekdays,).

    opening, closing: prices in USD, adjusted for splits, lower by the dividends so far; above, below: how far the high
    is above the higher of both and the low below the lower, as fractions; payout: an ex-date's dividend by the price
    before it, else 0; volume: shares; splits: ratio, 0 where there is none.
    """

    opening: Floats
    closing: Floats
    above: Floats
    below: Floats
    payout: Floats
    volume: Floats
    splits: Floats


def fund_paths(tickers: Sequence[str]) -> dict[str, FundPaths]:
    """FundPaths of those share and bond funds; each is the same whichever others are asked for."""
    draws = normals(Stream.MARKET, 2 * (FACTORS + len(FUNDS))).reshape(2, FACTORS + len(FUNDS), -1)
    lead = pendulum(normals(Stream.LEADERSHIP, 1)[0], **LEAD)
    bonds = normals(Stream.BONDS, 2) if set(tickers) & set(FURTHER_FUNDS) else np.zeros((2, draws.shape[2]))
    common = np.concatenate([draws[:, :FACTORS], bonds[:, None]], axis=1)
    storm = _storm(sum(_parts_of_day(common[:, MARKET]), start=np.zeros(draws.shape[2])))
    detail = uniforms(Stream.DETAIL, DETAILS * len(FUNDS)).reshape(len(FUNDS), DETAILS, -1)
    paths = {}
    for place, (ticker, fund) in enumerate(FUNDS.items()):
        if ticker in tickers:
            paths[ticker] = _fund(fund, storm, lead, common, draws[:, FACTORS + place], detail[place])
    for part, (ticker, fund) in enumerate(FURTHER_FUNDS.items(), start=1):
        if ticker in tickers:
            own = normals(Stream.FURTHER_FUND, 2, part=part)
            paths[ticker] = _fund(fund, storm, lead, common, own, uniforms(Stream.FURTHER_DETAIL, DETAILS, part=part))
    return paths


def bill_fund_paths() -> FundPaths:
    """FundPaths of the fund that holds Treasury bills: it earns their yield by calendar day and pays it out monthly."""
    days = weekdays()
    nights = np.diff(days).astype(np.float64)
    discount = bill_rate()[:-1] / 100
    # Simple interest at the bond-equivalent yield, 365 d / (360 - 91 d), over nights / 365.
    earned = discount / (DISCOUNT_DAYS - BILL_DAYS * discount) * nights
    worth = np.cumprod(np.concatenate([[1.0], 1.0 + earned]))
    payout = np.zeros(len(days))
    ex_dates = np.flatnonzero(_is_ex_date(days, MONTHLY))
    payout[ex_dates] = 1.0 - np.concatenate([[1.0], worth[ex_dates[:-1]]]) / worth[ex_dates]
    value = BILL_FUND_FIRST * worth * np.cumprod(1.0 - payout)
    opening, closing = value * (1.0 + BILL_FUND_BOUNCE * normals(Stream.BILL_FUND, 2))
    above, below, crowd = uniforms(Stream.BILL_DETAIL, DETAILS)
    return FundPaths(
        opening,
        closing,
        BILL_FUND_BOUNCE * above,
        BILL_FUND_BOUNCE * below,
        payout,
        BILL_FUND_VOLUME * _crowd(crowd),
        np.zeros(len(days)),
    )


def _storm(market: Floats) -> Floats:
    """The market's volatility on each weekday, about 1: a GARCH of its own shocks within a slow climate."""
    own = math.sqrt(1.0 - CLIMATE_MOOD * CLIMATE_MOOD) * normals(Stream.CLIMATE, 1)[0]
    trouble = np.maximum(0.0, 1.0 + persistent(CLIMATE_MOOD * market + own, memory=CLIMATE_MEMORY))
    # Of the day before: a day's volatility does not know the day's shock.
    trouble = np.concatenate([[1.0], trouble[:-1]])
    climate = CLIMATE_FLOOR + (1.0 - CLIMATE_FLOOR) * trouble * trouble / CLIMATE_SQUARE
    variance = climate * clustered_variance(market, **STORM)
    return np.asarray(np.sqrt(np.minimum(variance, STORM_CEILING)))


def _parts_of_day(draws: Floats) -> tuple[Floats, Floats]:
    """Draws of the night and of the day, (2, ...), by their parts of a day's variance."""
    return math.sqrt(OVERNIGHT_SHARE) * draws[0], math.sqrt(1.0 - OVERNIGHT_SHARE) * draws[1]


def _shock(fund: Fund, draws: Floats, storm: Floats) -> Floats:
    """The fund's part in the common factors and its own, which is the last of the draws, at the day's volatility.

    In a storm the rest grows less than the market: funds move together.
    """
    rest = np.sqrt(1.0 - REST_IN_STORM + REST_IN_STORM * storm * storm)
    scaled = [draw * (storm if place == MARKET else rest) for place, draw in enumerate(draws)]
    parts = zip(fund.loadings, scaled, strict=True)
    # Added one by one: a matrix product adds in an order of its own on each machine.
    return sum((loading * draw for loading, draw in parts), start=np.zeros(draws.shape[1]))


def _fund(fund: Fund, storm: Floats, lead: Floats, common: Floats, own: Floats, detail: Floats) -> FundPaths:
    """common: draws of the factors, (2, factors, weekdays); own: the fund's, (2, weekdays); detail: (3, weekdays)."""
    night, day = (_shock(fund, part, storm) for part in _parts_of_day(np.concatenate([common, own[:, None]], axis=1)))
    days = weekdays()
    size = fund.volatility / math.sqrt(WEEKDAYS_PER_YEAR)
    # A simple return grows a price by its mean less half its variance.
    mean = (fund.growth + fund.volatility * fund.volatility / 2) / WEEKDAYS_PER_YEAR + fund.lead * lead
    overnight = np.clip(OVERNIGHT_SHARE * mean + size * night, -OVERNIGHT_LIMIT, OVERNIGHT_LIMIT)
    intraday = np.clip((1.0 - OVERNIGHT_SHARE) * mean + size * day, -INTRADAY_LIMIT, INTRADAY_LIMIT)
    payout = np.where(_is_ex_date(days, fund.ex_months), fund.payout_annual * fund.ex_months / 12, 0.0)
    closing = np.asarray(fund.first * np.cumprod((1.0 + overnight) * (1.0 + intraday) * (1.0 - payout)))
    # Squared: most sessions open or close near their high or low.
    above, below = (size * storm * detail[place] * detail[place] for place in (0, 1))
    volume = fund.volume * _crowd(detail[2]) * (QUIET_VOLUME * storm + MOVED_VOLUME * np.abs(night + day))
    splits = np.zeros(len(days))
    if fund.split is not None:
        splits[days == np.datetime64(fund.split[0])] = fund.split[1]
    return FundPaths(closing / (1.0 + intraday), closing, above, below, payout, volume, splits)


def _crowd(chance: Floats) -> Floats:
    return 1.0 + VOLUME_SPREAD * (chance - 0.5)


def _is_ex_date(days: Days, every_months: int) -> npt.NDArray[np.bool_]:
    """True on the third Tuesday of each, or of each third month: March, June, September, December."""
    months = days.astype("datetime64[M]")
    number = months.astype(np.int64) % 12 + 1
    of_month = (days - months).astype(np.int64) + 1
    third_tuesday = (weekday_numbers(days) == TUESDAY) & (of_month >= EX_WEEK_FIRST) & (of_month <= EX_WEEK_LAST)
    return np.asarray(third_tuesday & (number % every_months == 0))
