"""What a table of backtests is worth: is the best variant better than its benchmark, and is it luck?

Stands between `metrics` and `study`: arrays of returns in, numbers, levels and sentences out; nothing is read or
written.

    sharpe.py       one Sharpe ratio: its confidence, deflated for a search, the years it needs
    compare.py      two Sharpe ratios on the same sessions
    multiple.py     p-values corrected for their number
    overfitting.py  would the winner of one half have won the other?
    bootstrap.py    resampled histories, the same for all variants; what luck alone makes of the best
    superiority.py  reality check, superior predictive ability, model confidence set
    assessment.py   all of these for one study
    verdict.py      numbers to a headline and three sentences; readings.py a sentence beside each number; words.py

ACTIVE returns are variant minus benchmark, one row per session, one column per variant. Ratios are per session unless a
name says annual. Every function that draws takes a seed and gives the same bytes for the same seed.
"""
