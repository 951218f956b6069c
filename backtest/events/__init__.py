"""Event studies: what one thing did against another around events, with error bars that respect overlap.

    event lists -> windows of a pair -> inference -> the study, judged by the search

Each in its own file; the page stands in `pages/events/`.
"""
