"""An event study as files: events.html, events.json, windows.csv, events.csv, the study and the manifest."""

from __future__ import annotations

import json
from pathlib import Path

from backtest.config import dump_yaml, question, resolved
from backtest.data import content_hash
from backtest.events.as_json import events_frame, events_json, windows_frame
from backtest.events.study import Events
from backtest.events.verdict import headline
from backtest.pages.events.page import render_events
from backtest.pages.shell import PageContext
from backtest.pages.write import code_of, period_of, sources_of, write_pages
from backtest.store.folder import Identity, Written
from backtest.store.provenance import Provenance, sha256_text
from backtest.store.sameness import BASE, STUDY
from backtest.store.tables import csv, json_text

PAGE, JSON_FILE, WINDOWS, EACH = "events.html", "events.json", "windows.csv", "events.csv"


def write_events(events: Events, root: Path, provenance: Provenance) -> Written:
    """Write `root/<name>-<hash8>/`; raises as `write_pages` does."""
    hashes = {
        "question": sha256_text(question_of(events)),
        "data": content_hash(events.market),
        "code": code_of({}, []),
        "trials": sha256_text("") if events.search is None else events.search.used,
    }
    identity = Identity("events", events.name, hashes)
    files = {**tables_of(events), **question_files(events)}
    files[JSON_FILE] = json_text(events_json(events))
    files[PAGE] = render_events(events, PageContext(hash8=identity.hash8, hashes=hashes))
    about = {
        "page": PAGE,
        "headline": headline(events),
        "period": period_of(events.sessions),
        "is_simulated": events.market.is_simulated,
        "is_monthly": events.market.is_monthly,
        "tbill": events.market.tbill_name,
        "asked": {},
        "sources": sources_of(events.market),
        "sparkline": [],
    }
    return write_pages(root, identity, files, about, provenance)


def question_of(events: Events) -> str:
    """What is hashed of a study's question."""
    terms = json.dumps(events.terms.model_dump(mode="json"), sort_keys=True)
    return f"events {events.name} {question(events.config)} {terms}"


def question_files(events: Events) -> dict[str, str]:
    """The study and the config it asks of, which run again as they are."""
    terms = events.terms.model_dump(mode="json", exclude_defaults=True)
    terms |= {"windows": [list(window) for window in events.terms.windows]} if events.terms.windows else {}
    terms |= (
        {"pairs": [pair.split("/") if "/" in pair else pair for pair in events.terms.pairs]}
        if events.terms.pairs
        else {}
    )
    study = {"name": events.name, "base": BASE, "events": terms}
    return {STUDY: dump_yaml(study), BASE: dump_yaml(resolved(events.config))}


def tables_of(events: Events) -> dict[str, str]:
    """The figures that depend on no other trial."""
    windows = windows_frame(events).drop(columns=["p_search", "level"])
    return {WINDOWS: csv(windows, has_index=False), EACH: csv(events_frame(events), has_index=False)}
