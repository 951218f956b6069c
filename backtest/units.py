"""Constants of the field, each with a name and a source."""

from __future__ import annotations

SESSIONS_PER_YEAR = 252
"""NYSE sessions in a year, by convention; annualises daily figures."""

MONTHS_PER_YEAR = 12

DAYS_PER_YEAR = 365.25
"""Calendar days in a year on average; the clock of a compound growth rate."""

BEY_DAYS = 365
"""Days in the year of a bond-equivalent yield."""

DISCOUNT_DAYS = 360
"""Days in the year of a bank discount rate."""

BILL_DAYS = 91
"""Days to maturity of a 13-week Treasury bill."""

TIE = 1e-12
"""Scores and quoted quantities no further apart than this are equal: 4.25 - 4.00 and 0.25."""

BPS = 1e-4
"""One basis point, as a fraction."""


def bond_equivalent_yield(discount_rate: float) -> float:
    """Simple annual yield (fraction, 365 days) of a 13-week bill quoted at a bank discount rate (fraction).

    BEY = 365 d / (360 - 91 d), the Treasury's formula for bills of up to half a year; 0.0520 gives 0.053424.
    """
    return BEY_DAYS * discount_rate / (DISCOUNT_DAYS - BILL_DAYS * discount_rate)
