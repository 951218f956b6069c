"""Studies: questions asked of many runs at once, or of a strategy itself (does it look ahead?)."""
