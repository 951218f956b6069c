"""The peers: a small program each, `python -m peers.NAME WORK.npz ROUNDS` in `benchmarks/`; prints rows as JSON."""
