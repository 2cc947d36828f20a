"""Records as earlier versions wrote them: throughput of the protocol's first version, and journals
of lines that lack what came later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.records import ThroughputRecord, record_from_plain, record_to_plain
from harness.store import Contents, Journal, Plan, SessionStart

# What those have of a cell's fields, of figures, costs and samples.
OLD_PROTOCOL = {"version": 1, "launches": 8, "blocks": 5}
NEW_CELL = ("inputs", "huge_pages")
OLD_FIGURES = (
    "median_seconds",
    "ratio",
    "ratio_absent",
    "verdict",
    "minimum_detectable_effect",
    "canary",
    "launches",
    "blocks",
    "calls",
    "stopped",
)
OLD_COST = ("prepare_seconds", "first_call_seconds", "check_seconds")
OLD_SAMPLE = ("launch", "block", "calls", "seconds")


def old(records: Iterable[ThroughputRecord]) -> list[ThroughputRecord]:
    """The same records as the protocol's first version wrote them, read back."""
    read = map(record_from_plain, old_lines(records))
    return [record for record in read if isinstance(record, ThroughputRecord)]


def old_lines(records: Iterable[ThroughputRecord]) -> list[dict[str, Any]]:
    """The plain data of the same records, as that version wrote it."""
    return [_old(record_to_plain(record)) for record in records]


def journal_of_lines(
    folder: Path, lines: Sequence[Mapping[str, Any]], session: str = "s1"
) -> Contents:
    """A journal with a session of these records, written as they are but for their session."""
    journal = Journal(folder)
    journal.begin(SessionStart(session))
    keys = tuple(record_from_plain(line).key for line in lines)
    journal.plan(Plan(session, "job", lines[0]["identity"]["task"], {}, keys))
    with journal.path.open("a", encoding="utf-8") as file:
        own = ({"kind": "record", **line, "session": session} for line in lines)
        file.writelines(f"{json.dumps(line)}\n" for line in own)
    return journal.read()


def _old(plain: dict[str, Any]) -> dict[str, Any]:
    about = {key: value for key, value in plain["identity"]["cell"].items() if key not in NEW_CELL}
    samples = [sample for sample in plain["samples"] if not sample["set_aside"]]
    return {
        **plain,
        "identity": {**plain["identity"], "cell": {**about, "protocol": OLD_PROTOCOL}},
        "figures": plain["figures"] and _only(plain["figures"], OLD_FIGURES),
        "cost": _only(plain["cost"], OLD_COST),
        "samples": [_only(sample, OLD_SAMPLE) for sample in samples],
        "schema": 1,
    }


def _only(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: data[name] for name in names if name in data}
