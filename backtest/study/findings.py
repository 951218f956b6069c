"""What a sweep found: finalists run again by backtrader, how much of the best is luck, what needs no timing.

SWEEP -> plateau -> finalists (backtrader, equal to the last bit) -> deflated Sharpe, overfitting -> page and files
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.account import Books
from backtest.account.benchmarks import benchmark_label, benchmark_plans, legs_plan, plain_shares
from backtest.account.kernel import run_compiled
from backtest.config import Study
from backtest.errors import ConfigError, EnginesDisagree, RunError
from backtest.market import Floats
from backtest.metrics import metrics
from backtest.pipeline import activity_of, run
from backtest.result import Figures, Result
from backtest.statistics.assessment import SearchStatistics, described_of, search_statistics
from backtest.statistics.histories import FEWEST_SESSIONS
from backtest.statistics.sharpe import deflated_sharpe, moments
from backtest.store.provenance import sha256_text
from backtest.study.chunks import Rows
from backtest.study.compare import lucky
from backtest.study.curves import returns_of, table_of
from backtest.study.effects import Plateau, is_ordered
from backtest.study.question import MOST_VARIANTS
from backtest.study.search import Search, Shown, cycles_seen, search, shown_run
from backtest.study.settings import with_first
from backtest.study.sweep import Sweep, curves_of
from backtest.study.tried import tried_variants
from backtest.study.verdict import Subject, Verdict, cagr_gap, verdict

TOP = 3
"""Best variants that are run again."""

ON_THE_LINE = 11
"""Static mixes of two legs beside the variants: 0, 10, ... 100% of the second."""

TOLERANCE = 1e-12


@dataclass(frozen=True, eq=False)
class Finalist:
    """A variant run again by backtrader: the same equity to the last bit, the same metrics; else it would not be here.

    why: "best", "second", "third" or "centre of the plateau". values: swept key -> value. curve: equity
    by the sweep, USD (sessions,). largest_difference: of a metric between both ways, as a fraction of it.
    """

    number: int
    why: str
    values: dict[str, object]
    result: Result
    curve: Floats
    largest_difference: float


@dataclass(frozen=True, eq=False)
class Findings:
    """plateau: None for a sample. is_ordered: of each swept key, whether its values are numbers.

    benchmarks: name -> figures; mixes: what needs no timing, shares by leg of the first variant (legs,) and figures;
    both on the first variant's terms.

    size: the trials known, and what is said of the finalists; verdict: of the best of them in words. search: what luck
    explains of the best one, as a comparison of the same variants says it; None without a benchmark, for more than
    MOST_VARIANTS variants and for variants of unlike periods. deflated: confidence that the best one's active ratio is
    more than the luck of all trials (None without a benchmark). ahead: share of variants that grew more than the
    benchmark.
    """

    plateau: Plateau | None
    is_ordered: tuple[bool, ...]
    finalists: tuple[Finalist, ...]
    benchmarks: dict[str, Figures]
    mixes: tuple[tuple[Floats, Figures], ...]
    size: Search
    verdict: Verdict
    search: SearchStatistics | None
    deflated: float | None
    ahead: float | None

    @property
    def overfitting(self) -> float | None:
        """Probability of backtest overfitting; None where it is not known."""
        over = self.search.overfitting if self.search else None
        return over.probability if over else None

    @property
    def looked_at(self) -> int:
        """Variants that the overfitting probability looked at."""
        over = self.search.overfitting if self.search else None
        return len(over.wins) if over else 0


def findings_of(result: Sweep, ledger: Path | None, recorded: int = 0) -> Findings:
    """Everything the page tells beside the table. Records each variant of the sweep as a trial.

    recorded: the most trials that a result says its ledger had.
    Raises EnginesDisagree when a finalist is not the same by backtrader.
    """
    plateau = result.plateau_of(result.scores)
    finalists = tuple(_finalists(result, plateau))
    size = searched(result, finalists, ledger, recorded)
    benchmarks, mixes = _without_timing(result)
    search = _search(result, size)
    return Findings(
        plateau=plateau,
        is_ordered=tuple(is_ordered(axis) for axis in result.study.grid.values()),
        finalists=finalists,
        benchmarks=benchmarks,
        mixes=mixes,
        size=size,
        verdict=_verdict(result, finalists, size),
        search=search,
        deflated=search.dsr if search else _deflated(result, finalists, size),
        ahead=share_ahead(result),
    )


def _verdict(result: Sweep, finalists: tuple[Finalist, ...], size: Search) -> Verdict:
    """What is said of the best variant."""
    best = finalists[0] if finalists else None
    subject = Subject(
        name=result.label(best.number) if best else "the first",
        benchmark=benchmark_label(result.benchmark) if result.benchmark else None,
        cagr_difference=cagr_gap(best.result) if best else None,
        cycles=cycles_seen(result.first.config, result.market, result.first.plan.sessions),
    )
    return verdict(subject, size.findings[0], size)


def _search(result: Sweep, size: Search) -> SearchStatistics | None:
    """What luck explains of the best variant: the statistics of the curves of all variants that could be run."""
    numbers = [number for number in range(result.study.size) if number not in result.problems]
    is_searched = (
        size is not None
        and result.benchmark is not None
        and result.is_on_common_sessions
        and len(numbers) <= MOST_VARIANTS
    )
    if not is_searched or len(result.first.plan.sessions) <= FEWEST_SESSIONS:
        return None
    first = result.first
    few, is_ranked = described_of(len(numbers), numbers.index(result.ranked[0]))
    chosen = [numbers[place] for place in few]
    benchmarks = [result.benchmark_of(number) for number in chosen]
    names = tuple(map(str, chosen))
    periods = first.calendar.periods_per_year
    table = table_of(names, curves_of(result, chosen), benchmarks, first.plan.sessions, first.tbill, periods)
    found = search_statistics(table, size.per_session(periods), is_ranked=is_ranked)
    return dataclasses.replace(lucky(found, size.findings[0]), best=chosen[found.best])


def _finalists(result: Sweep, plateau: Plateau | None) -> list[Finalist]:
    chosen = [(int(number), why) for number, why in zip(result.ranked[:TOP], ("best", "second", "third"), strict=False)]
    if plateau and plateau.centre is not None:
        chosen.append((plateau.centre, "centre of the plateau"))
    checked = {number: _checked(result, number, why) for number, why in dict(reversed(chosen)).items()}
    return [dataclasses.replace(checked[number], why=why) for number, why in chosen]


def _checked(result: Sweep, number: int, why: str) -> Finalist:
    """By backtrader, which `run` compares with the kernel; then with the row of the sweep."""
    config = result.config(number)
    once = run(config, result.settings.strategies, market=result.settings.market_of(config))
    what, curve, largest = f"point {number} of the sweep", curves_of(result, [number])[0], 0.0
    if not np.array_equal(once.books.equity, curve):
        raise EnginesDisagree(f"{what}: its curve is not that of its single run: please report this")
    for key, swept in zip(result.metric_keys, result.table[number].tolist(), strict=True):
        own = once.metrics.get(key)
        apart = 0.0 if own is None else abs(swept - own) / max(1.0, abs(own))
        if np.isnan(swept) != (own is None) or not apart <= TOLERANCE:
            raise EnginesDisagree(f"{what}: {key} is {swept!r}, {own!r} in its single run: please report this")
        largest = max(largest, apart)
    return Finalist(number, why, result.values(number), once, curve, largest)


def _without_timing(result: Sweep) -> tuple[dict[str, Figures], tuple[tuple[Floats, Figures], ...]]:
    """Figures of the benchmarks and of static mixes, on the terms and in the period of the first variant."""
    first = result.first
    config = with_first(first.config, result.study.benchmark)

    def figures(books: Books, name: str | None) -> Figures:
        is_own = name is not None and name == result.benchmark
        return metrics(
            books.equity,
            calendar=first.calendar,
            tbill_returns=first.tbill,
            benchmark=None if is_own else first.benchmark,
            activity=activity_of(books, first.legs),
        )[0]

    start = pd.Timestamp(config.data.start)
    terms = first.plan.terms
    plans = benchmark_plans(config, first.market, first.legs, terms)
    shares = plain_shares(first.legs, ON_THE_LINE)
    books = [run_compiled(legs_plan(first.market, first.legs, each, start, terms)) for each in shares]
    return (
        {name: figures(run_compiled(plan), name) for name, plan in plans.items()},
        tuple((each, figures(one, None)) for each, one in zip(shares, books, strict=True)),
    )


def _deflated(result: Sweep, finalists: tuple[Finalist, ...], size: Search) -> float | None:
    """Deflated Sharpe ratio of the best variant's active returns, for the spread of all trials known alone."""
    if result.benchmark is None or not finalists:
        return None
    best = finalists[0].result
    curve, benchmark = returns_of(np.array([best.books.equity, next(iter(best.benchmarks.values())).equity])).T
    own = moments(curve - benchmark)
    known = size.per_session(result.first.calendar.periods_per_year)
    return deflated_sharpe(own.sharpe, own.observations, own.skewness, own.kurtosis, known.variance, known.count)


def searched(result: Sweep, finalists: Sequence[Finalist], path: Path | None, recorded: int) -> Search:
    """Put each variant of the sweep into the ledger, and judge the finalists beside all that is known.

    Without a finalist the first variant is shown.
    """
    results = [each.result for each in finalists]
    if not results:
        number = next(number for number in range(result.study.size) if number not in result.problems)
        config = result.config(number)
        results = [run(config, result.settings.strategies, market=result.settings.market_of(config))]
    runs = [shown_run(each) for each in results]
    benchmarks = [each.benchmark for each in runs if each.benchmark is not None]
    shown = dataclasses.replace(
        runs[0],
        command="sweep",
        study=result.name,
        names=tuple(each.why for each in finalists) or ("the first",),
        questions=tuple(question for each in runs for question in each.questions),
        returns=np.column_stack([each.returns for each in runs]),
        mixes=np.column_stack([each.mixes for each in runs]),
        benchmark=np.column_stack(benchmarks) if len(benchmarks) == len(runs) else None,
        cycles=tuple(cycle for each in runs for cycle in each.cycles),
        known=tuple(rows for each in runs for rows in each.known),
    )
    return search(shown, path, *tried_by(result, path), recorded)


def tried_by(result: Sweep, path: Path | None) -> tuple[Iterable[Shown], npt.NDArray[np.uint64] | None]:
    """The variants still to be put into a ledger, and the identities of those that the sweep has put there already."""
    if result.remembered is not None and result.ledger == path:
        return (), result.remembered
    return tried_variants(result.settings, Rows(0, result.table, dict(result.problems))), None


def benchmark_growth(result: Sweep) -> Floats:
    """Total return of each variant's own benchmark, (variants,); NaN for a variant that could not be run."""
    growth = np.full(result.study.size, np.nan)
    known: dict[int, tuple[object, float]] = {}  # by template, held so that its id stays its own
    for number in range(result.study.size):
        if number in result.problems:
            continue
        template, params = result.study.grid_parts(number)
        if id(template) not in known:
            curve = result.settings.of(template, params).benchmark
            known[id(template)] = (template, np.nan if curve is None else float(curve[-1] / curve[0] - 1.0))
        growth[number] = known[id(template)][1]
    return growth


def share_ahead(result: Sweep) -> float | None:
    """Share of the variants that grew more than their benchmark; None without a benchmark."""
    if result.benchmark is None:
        return None
    grown, held = result.metric("total_return"), benchmark_growth(result)
    is_known = ~(np.isnan(grown) | np.isnan(held))
    return float((grown[is_known] > held[is_known]).mean()) if is_known.any() else None


MISSING = "--parquet: found no pyarrow, expected it installed: pip install -e '.[parquet]'"


@dataclass(frozen=True, slots=True)
class Extras:
    """curves: variants, ascending, whose curves stand beside the finalists'; parquet: whether sweep.parquet is"""

    curves: tuple[int, ...] = ()
    parquet: bool = False

    @classmethod
    def of(cls, curves: Sequence[int], *, parquet: bool) -> Extras:
        """As asked for, in any order and more than once."""
        return cls(tuple(sorted(set(curves))), parquet)

    def check(self, study: Study) -> None:
        """Raise ConfigError for a variant the study does not have, or without pyarrow, before anything is run."""
        wrong = next((point for point in self.curves if not 0 <= point < study.size), None)
        if wrong is not None:
            raise ConfigError(f"--curve {wrong}: found no such point, expected one of 0 to {study.size - 1}")
        if self.parquet:
            _pyarrow_version()

    def hashes(self) -> dict[str, str]:
        """Their part of the folder's name: none when nothing is asked for.

        Parquet's bytes depend on the program that wrote them, so that its version is part of it.
        """
        asked = [f"curve {point}" for point in self.curves]
        if self.parquet:
            asked.append(f"parquet by pyarrow {_pyarrow_version()}")
        return {"extras": sha256_text("\n".join(asked))} if asked else {}


NO_EXTRAS = Extras()


def curves_frame(sweep: Sweep, findings: Findings, asked: Sequence[int]) -> pd.DataFrame:
    """A row per session, USD: `point_<N>` for each finalist and each variant asked for, `benchmark_<NAME>`.

    Benchmarks are on the terms of the best one.
    NaN before the first session of a variant that starts later. Raises RunError for a variant that could not be run.
    """
    curves: dict[str, pd.Series] = {}
    for each in findings.finalists:
        curves[f"point_{each.number}"] = pd.Series(each.curve, index=each.result.sessions)
    for point in asked:
        if point in sweep.problems:
            raise RunError(f"--curve {point}: found a point that could not be run: {sweep.problems[point]}")
        curves.setdefault(f"point_{point}", sweep.equity(point))
    if findings.finalists:
        best = findings.finalists[0].result
        curves |= {f"benchmark_{n}": pd.Series(b.equity, index=best.sessions) for n, b in best.benchmarks.items()}
    return pd.DataFrame(curves).rename_axis("date")


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as one parquet file: whole numbers int64, others float64 (NaN as null), yes and no bool, else text.

    The same bytes for the same frame and the same pyarrow. Raises ConfigError without pyarrow.
    """
    _pyarrow_version()
    import pyarrow
    from pyarrow import parquet

    def column(own: pd.Series) -> object:
        kind = {"i": pyarrow.int64(), "f": pyarrow.float64(), "b": pyarrow.bool_()}.get(own.dtype.kind)
        if kind is None:
            return pyarrow.array([str(cell) for cell in own.tolist()], type=pyarrow.string())
        return pyarrow.array(own.to_numpy(), type=kind, from_pandas=True)

    table = pyarrow.table({str(name): column(own) for name, own in frame.items()})
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="snappy", use_dictionary=False, store_schema=False)
    return sink.getvalue()


def _pyarrow_version() -> str:
    try:
        import pyarrow
    except ImportError:
        raise ConfigError(MISSING) from None
    return str(pyarrow.__version__)
