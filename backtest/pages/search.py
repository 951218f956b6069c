"""The search on a page: what luck alone would show, and where the shown variant stands in it, as one picture.

A hundred histories without skill, a dot each: the best of all that was tried. The line is what is shown; dots right of
it are histories in which luck alone looks as good.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from backtest.pages.shell import Tile
from backtest.statistics.findings import Finding
from backtest.study.search import Search
from backtest.study.verdict import REGIMES, SHORT, Verdict, in_hundred
from backtest.text import count, number, p_equals

WIDTH, MARGIN, DOT = 440, 16, 11
"""Width of the picture, what stays free on both sides, and a dot with its gap, px."""

LABELS_HEIGHT, AXIS_HEIGHT = 26, 40
MOST_TICKS = 7


def search_tile(finding: Finding, search: Search, benchmark: str | None) -> Tile:
    """The box of the first screen."""
    test = finding.ahead
    label = "Skill or luck" + (f" vs {benchmark}" if benchmark else "")
    if test is None or finding.level == "too_few_bets":
        return Tile(label, SHORT[finding.level], "", "See why below.", "open", is_wide=True)
    what = "a rule" if search.trials == 1 else f"the best of {count(search.trials)}"
    note = f"Without skill {what} looks this good in {in_hundred(test.p)} of 100 histories."
    return Tile(f"{label}, {p_equals(test.p)}", SHORT[finding.level], "", note, "open", is_wide=True)


def search_view(
    verdict: Verdict, finding: Finding, search: Search, benchmark: str | None, described: Sequence[str] = ()
) -> dict[str, Any]:
    """What the section prints; described: sentences about the one rule, folded, since no search corrects them."""
    test = finding.ahead
    told: dict[str, Any] = {"headline": verdict.headline, "sentences": verdict.sentences, "picture": "", "caption": ""}
    told["described"] = described
    if test is None or not test.bests:
        return told
    what = "one rule" if search.trials == 1 else f"the best of the {count(search.trials)} tried"
    return told | {
        "picture": luck_picture(test.bests, test.ratio),
        "caption": f"Each dot is {what} in a history without any skill: its active Sharpe ratio against {benchmark}. "
        f"The line is what is shown here. Of 100 histories {in_hundred(test.p)} look as good or better (filled).",
        "note": REGIMES if finding.level in ("holds", "suggestive") else "",
    }


def luck_picture(bests: Sequence[float], shown: float) -> str:
    """An SVG that needs no script. bests: rising. Bins begin at the shown value, so that no dot is cut by its line."""
    low, high = min(bests[0], shown, 0.0), max(bests[-1], shown, 0.0)
    room = (high - low) * 0.02 or 0.1
    low, high = low - room, high + room

    def x(value: float) -> float:
        return round(MARGIN + (value - low) / (high - low) * (WIDTH - 2 * MARGIN), 1)

    at = x(shown)
    stacked = list(_stacked([x(value) for value in bests], [value >= shown for value in bests], at))
    base = LABELS_HEIGHT + (max(row for _, row, _ in stacked) + 1) * DOT
    circles = "".join(
        f'<circle class="{"as-good" if full else "luck"}" cx="{cx}" cy="{base - (row + 0.5) * DOT:.1f}" r="4.3"/>'
        for cx, row, full in stacked
    )
    ticks = "".join(
        f'<line class="tick" x1="{x(tick)}" x2="{x(tick)}" y1="{base}" y2="{base + 5}"/>'
        f'<text x="{x(tick)}" y="{base + 18}" text-anchor="middle">{number(tick, 1)}</text>'
        for tick in _ticks(low, high)
    )
    side = "end" if at > WIDTH * 0.75 else "start" if at < WIDTH * 0.25 else "middle"
    reach = sum(value >= shown for value in bests)
    what = f"Without skill the best reaches {number(shown)}, which is shown here, in {reach} of {len(bests)} histories"
    return (
        f'<svg class="search" viewBox="0 0 {WIDTH} {base + AXIS_HEIGHT}" role="img" aria-label="{what}">'
        f'<line class="floor" x1="0" x2="{WIDTH}" y1="{base}" y2="{base}"/>{ticks}{circles}'
        f'<line class="shown" x1="{at}" x2="{at}" y1="{LABELS_HEIGHT - 6}" y2="{base}"/>'
        f'<text class="shown" x="{at}" y="14" text-anchor="{side}">shown here: {number(shown)}</text>'
        f'<text x="{WIDTH / 2}" y="{base + 35}" text-anchor="middle">active Sharpe ratio, a year</text></svg>'
    )


def _stacked(places: Sequence[float], reach: Sequence[bool], at: float) -> Iterator[tuple[float, int, bool]]:
    """(x, dots below it, does it reach what is shown) of each dot."""
    heights: dict[int, int] = {}
    for place, full in zip(places, reach, strict=True):
        away = int((place - at) // DOT)
        column = max(away, 0) if full else min(away, -1)
        yield round(at + (column + 0.5) * DOT, 1), heights.get(column, 0), full
        heights[column] = heights.get(column, 0) + 1


def _ticks(low: float, high: float) -> list[float]:
    """Round values in the picture, not too many."""
    step = next(step for step in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 1e9) if (high - low) / step <= MOST_TICKS)
    return [k * step for k in range(round(low / step) - 1, round(high / step) + 2) if low <= k * step <= high]
