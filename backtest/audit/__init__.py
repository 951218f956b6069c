"""Look-ahead: cut off and poison the future at every decision."""
