"""`python -m backtest`: the command line, where it is not installed."""

from __future__ import annotations

from backtest.cli import main

if __name__ == "__main__":
    main()
