"""Sources of prices, rates and policy decisions, the checks they must pass, and the Market made of them.

The flow: config -> MARKET -> decision -> fills -> result -> metrics -> report.
"""

from backtest.data.assemble import load_market, market_from
from backtest.data.identity import content_hash

__all__ = ["content_hash", "load_market", "market_from"]
