"""`backtest data ...`: the store of snapshots, checks of data, price files."""
