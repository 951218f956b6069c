"""The numbers inside the sentences of pages: what each of them is by the files beside the page.

A pattern is a piece of a sentence with expressions in angle brackets where its numbers stand (sentences.txt). What no
pattern reads and what is no date, no fixed size of a test and no setting (`fixed`) is reported as unread. Of a run some
numbers stand `of no file`: its verdict depends on the ledger, the legs alone are run for the page.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

READ = """
document.querySelectorAll("details").forEach(fold => { fold.open = true; });
const skip = "script, style, noscript, svg, [data-figure], table, select, pre, code, button, .switch, .tools, .hide";
const apart = "#why, #configs, #cycles, #events, footer, .tools, .switch, .js-plotly-plot, table, details.print, .hide";
const blocks = "p, li, h1, h2, h3, dt, dd, figcaption, summary, .score > *";
const words = el => [...el.childNodes].map(node => node.nodeType === 3 ? node.textContent : node.nodeType !== 1 ? ""
  : node.matches(skip) ? "§" : ` ${words(node)} `).join("");
return [...document.querySelectorAll(blocks)].filter(el => el.closest("main") && !el.closest(apart)
  && !el.parentElement.closest("p, li, dd, figcaption"))
  .map(el => (el.matches("dt + dd") ? `${words(el.previousElementSibling)}: ` : "") + words(el))
  .map(text => text.replace(/\\s+/g, " ").replace(/ ([.,;:)])/g, "$1").trim()).filter(text => /[0-9]/.test(text));
"""
"""Texts of the page outside tables, charts and settings; a figure that is marked with its place reads §."""

NUMBER = r"([−+]?\d[\d,]*(?:\.\d+)?)"
FILE = Path(__file__).with_suffix(".txt")


def pieces(section: str) -> list[str]:
    """The lines of a section: `fixed` and `of no file` are regular expressions, the others patterns."""
    _, found, rest = FILE.read_text(encoding="utf-8").partition(f"[{section}]\n")
    assert found, section
    return rest.partition("\n\n")[0].splitlines()


class Doc(dict[str, Any]):
    """A document whose keys are attributes."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), object_hook=Doc)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def known_of(kind: str, folder: Path) -> tuple[Sequence[str], Sequence[str], dict[str, Any]]:
    """Patterns, what else may stand, and the names that expressions use."""
    if kind == "comparison":
        c = document(folder / "comparison.json")
        v = c.variants[c.best]
        names = {"c": c, "v": v, "f": v.search, "q": c.static_mix.equal_exposure[c.best], "years": c.period.years}
        return [*pieces("searched"), *pieces(kind)], pieces("fixed"), names
    if kind in ("sweep", "walk-forward"):
        w = document(folder / f"{kind.replace('-', '_')}.json")
        patterns = [*pieces("searched"), *pieces(kind)]
        names = {"w": w, "f": w.search, "years": (w.period.sessions - 1) / 252}
        if kind == "walk-forward":
            return patterns, pieces("fixed"), names | {"own": w.figures["walk-forward"], "b": w.figures[w.benchmark]}
        rows = table(folder / "sweep.csv")
        ratios = [float(row["information_ratio"]) for row in rows]
        names |= {"b": w.benchmarks, "ratios": ratios, "median": median(float(row["cagr"]) for row in rows)}
        return patterns, pieces("fixed"), names | _around(w, ratios)
    m = document(folder / "metrics.json")
    names = {"m": m, "s": m.strategy, "b": next(iter(m.benchmarks.values())), "years": (m.period.sessions - 1) / 252}
    return pieces("run"), pieces("fixed") + pieces("of no file"), names | {"trades": table(folder / "trades.csv")}


def _around(w: Any, ratios: Sequence[float]) -> dict[str, Any]:
    """Of the best point of a grid of 6 x 4 its neighbours; of the static mixes the best ratio."""
    row, column = divmod(w.finalists[0].point, 4)
    near = [
        ratios[4 * i + j]
        for i in range(row - 1, row + 2)
        for j in range(column - 1, column + 2)
        if 0 <= i < 6 and 0 <= j < 4
    ]
    mixes = [one.metrics.information_ratio for one in w.static_mixes if one.metrics.information_ratio is not None]
    ends = [one.metrics.final_equity_usd / w.benchmarks.QQQ.final_equity_usd for one in w.finalists]
    return {"at": ends, "near": (sum(near) / len(near), min(near)), "best_mix": max(mixes)}


def compiled(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    texts = re.split(r"<(?=[^>]*[a-z\d\])])((?:[^<>]|(?<= )[<>](?= ))+)>", pattern)
    return re.compile(NUMBER.join(map(re.escape, texts[::2]))), texts[1::2]


def disagreeing(kind: str, folder: Path, sentences: Sequence[str]) -> tuple[int, list[Any], list[str]]:
    """How many numbers were compared; those that are not what the files say; the places of unread ones."""
    patterns, others, names = known_of(kind, folder)
    read, wrong, unread = 0, [], []
    for sentence in sentences:
        sentence += "¶"
        rest = sentence
        for pattern in patterns:
            regex, expressions = compiled(pattern)
            for match in regex.finditer(sentence):
                for k, expression in enumerate(expressions, 1):
                    value = _value(expression, names)
                    text = match[k].replace("−", "-").replace(",", "")
                    half = 0.5 * 10.0 ** -len(text.partition(".")[2]) * (1 + 1e-9) + 1e-9
                    read += 1
                    if value is None or abs(float(text) - value) > half:
                        wrong.append((sentence, expression, match[k], value))
                    start, end = match.span(k)
                    rest = rest[:start] + "_" * (end - start) + rest[end:]
        for other in others:
            rest = re.sub(other, lambda match: re.sub(r"\d", "_", match[0]), rest)
        unread += list(_with_digits(rest))
    return read, wrong, unread


def _value(expression: str, names: Mapping[str, Any]) -> float | None:
    try:
        return float(eval(expression, dict(names)))
    except KeyError:
        return None  # a leg or a benchmark that this run does not have


def _with_digits(rest: str) -> Iterator[str]:
    for match in re.finditer(r"\d[\d.,]*", rest):
        yield rest[max(match.start() - 40, 0) : match.end() + 30]
