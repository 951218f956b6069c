"""What a table of backtests is worth: is the best variant better than its benchmark, and is it luck?

Stands between `metrics` and `study`: arrays of returns in, numbers, levels and sentences out; nothing is read or
written.

    sharpe.py       one Sharpe ratio: its confidence, deflated for a search, the years it needs
    compare.py      two Sharpe ratios on the same sessions
    search.py       the null of a whole search; findings.py what it says of each shown curve
    cycles.py       one number a cycle; counts.py shares of tests that overlap
    overfitting.py  would the winner of one half have won the other?
    bootstrap.py    resampled columns; histories.py a study's table of returns, resampled
    superiority.py  reality check, superior predictive ability, model confidence set
    variants.py     every variant by itself; assessment.py all of these for one study; readings.py in sentences

ACTIVE returns are variant minus benchmark, one row per session, one column per variant. Ratios are per session unless a
name says annual. Every function that draws takes a seed and gives the same bytes for the same seed.
"""
