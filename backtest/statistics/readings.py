"""A plain sentence beside each number of the comparison page: what it says, and what it does not.

Each function takes the number (and what it was corrected for) and returns one sentence for a reader without statistics.
"""

from __future__ import annotations

from collections.abc import Sequence

from backtest.text import in_fifty, number, p_equals, percent, points, probability, years, years_needed

Interval = tuple[float, float]


NOTHING_AHEAD = 1.0
"""The p-value of a test of superiority whose statistic is zero."""


def read_active_sharpe(sharpe: float, ends: Interval, benchmark: str) -> str:
    """Active Sharpe ratio (annual) with its interval."""
    side = "all of it above 0" if ends[0] > 0 else "all of it below 0" if ends[1] < 0 else "0 among them"
    return (
        f"Return over {benchmark} for each unit of risk taken against it is {number(sharpe)} a year; ratios from "
        f"{number(ends[0])} to {number(ends[1])} fit the same data, {side}, before allowing for the search."
    )


def read_growth_difference(difference: float, ends: Interval, benchmark: str) -> str:
    """Difference of compound growth a year (fraction) with its interval."""
    return (
        f"It grew {points(difference)} points a year against {benchmark}; resampling the same sessions gives "
        f"{points(ends[0])} to {points(ends[1])} in 95 of 100 histories."
    )


def read_probabilistic_sharpe(psr: float) -> str:
    """Probabilistic Sharpe ratio against 0."""
    return (
        "Had this been the only trial, the confidence that its true active Sharpe ratio is above 0 would be "
        f"{probability(psr)}."
    )


def read_deflated_sharpe(dsr: float, trials: int, annual_hurdle: float) -> str:
    """Deflated Sharpe ratio; hurdle as an annual ratio."""
    one = f"the best of {trials} trials is expected to show" if trials > 1 else "a single trial is expected to show"
    return (
        f"The confidence that its true active Sharpe ratio is above {number(annual_hurdle)}, what {one} by luck, is "
        f"{probability(dsr)}; 0.95 is the usual bar."
    )


def read_minimum_track_record(needed_years: float | None, available_years: float) -> str:
    """Minimum track record length against 0, at 95%."""
    if needed_years is None:
        return "Its active Sharpe ratio is not above 0, so no length of record would show an edge."
    return (
        f"A single trial with this ratio needs {years_needed(needed_years)} to be told from 0; "
        f"there are {years(available_years)}."
    )


def read_no_skill(p: float, variants: int) -> str:
    """Chance of a no-skill best at least as good."""
    best = f"a best of {variants}" if variants > 1 else "a variant"
    return (
        f"Where nothing has any skill, {in_fifty(p)} histories still show {best} at least this good; "
        "fewer than 3 of 50 would make luck a poor explanation."
    )


def read_overfitting(pbo: float | None) -> str:
    """Probability of backtest overfitting."""
    if pbo is None:
        return "With fewer than 4 variants the ranks of two halves say nothing, so no overfitting probability is given."
    return (
        f"In {percent(pbo, 0)} of the ways to cut the history in two, the winner of one half ended in the lower half "
        "of the other; picking blindly gives 50%, and one table’s figure is rough."
    )


def read_overfitting_loss(loss_probability: float, benchmark: str) -> str:
    """Share of halves in which the picked variant lagged."""
    return f"In {percent(loss_probability, 0)} of the cuts the picked winner then lagged {benchmark}."


def read_spa(p: float, benchmark: str, variants: int) -> str:
    """Hansen's consistent p-value."""
    some = "at least one of them" if variants > 1 else "the variant"
    if p < 0.05:
        return f"Were nothing better than {benchmark}, so clear a lead would have {p_equals(p)}: {some} seems better."
    if p >= NOTHING_AHEAD:
        return f"None was ahead of {benchmark}, so that there is no lead to test: p is 1 by construction."
    return f"So clear a lead has {p_equals(p)} even where nothing is better than {benchmark}: none is shown to be."


def read_reality_check(p: float) -> str:
    """White's p-value."""
    return f"White’s older form of the same test, which lets wild variants drown calm ones, gives {probability(p)}."


def read_stepm(superior: Sequence[str], benchmark: str) -> str:
    """Romano and Wolf's superior variants."""
    if not superior:
        return f"After correcting for the search, no variant is shown to be better than {benchmark} at 5%."
    names = ", ".join(superior)
    return f"After correcting for the search, {len(superior)} seem better than {benchmark} at 5%: {names}."


def read_confidence_set(remaining: int, variants: int, benchmark: str, benchmark_remains: bool) -> str:
    """Size of the model confidence set."""
    itself = f"{benchmark} itself" if benchmark_remains else f"but not {benchmark}"
    return f"{remaining} of {variants} variants cannot be ruled out as the best of all, and {itself}."


def read_ledoit_wolf(p: float, benchmark: str) -> str:
    """Ledoit and Wolf's test of equal Sharpe ratios over T-bills."""
    told = "can" if p < 0.05 else "cannot"
    return (
        f"Its Sharpe ratio over T-bills {told} be told from {benchmark}’s ({p_equals(p)}, for this variant alone, not "
        "for the search)."
    )


def read_smallest_edge(edge: float, available_years: float) -> str:
    """The smallest true edge that would be found four times in five (fraction a year)."""
    return (
        f"A true edge of {percent(edge)} a year is the smallest that {years(available_years)} would show four times in "
        "five; smaller ones may exist unseen."
    )


def read_timing(difference: float, ends: Interval, average: str) -> str:
    """Growth over the static mix of the same average exposure; average: that mix in words."""
    return (
        f"Against holding its average, {average}, all the time, moving in and out added "
        f"{points(difference)} points a year ({points(ends[0])} to {points(ends[1])})."
    )


def read_effective_variants(effective: float, variants: int) -> str:
    """Participation ratio of the correlation matrix."""
    return f"The {variants} variants resemble each other: they vary like {number(effective, 1)} independent ones."
