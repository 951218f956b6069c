"""The page of an event study."""
