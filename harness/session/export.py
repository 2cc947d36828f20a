"""A session's results as plain files that other tools read, with or without MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.environment import software
from harness.records import Record
from harness.store import Plan

JOBS, ENVIRONMENT, RECORDS = "jobs.jsonl", "environment.json", "records.jsonl"

if TYPE_CHECKING:
    import pyarrow as pa


def export(
    records: Iterable[Record],
    folder: Path,
    *,
    config: str,
    environment: Mapping[str, Any],
    jobs: Iterable[Plan] = (),
) -> list[Path]:
    """Write five files into ``folder``, made if absent, and return their paths.

    ``config.yaml`` is the resolved configuration as given, ``jobs.jsonl`` that of each job with the
    keys of its records, ``environment.json`` the machine and software, ``records.jsonl`` the
    records as the journal has them, ``samples.parquet`` all their raw samples as one table.
    """
    records = list(records)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "config.yaml": config,
        JOBS: "".join(json.dumps(vars(job), sort_keys=True) + "\n" for job in jobs),
        ENVIRONMENT: json.dumps(environment, indent=2, sort_keys=True, allow_nan=False) + "\n",
        RECORDS: "".join(record.to_json() + "\n" for record in records),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    write_samples(records, folder / "samples.parquet")
    return [folder / name for name in (*texts, "samples.parquet")]


def describe(folder: Path) -> None:
    """Write into ``folder``, made if absent, what no fingerprint can bring back.

    ``packages.txt`` are all installed packages, ``difference.patch`` what runs beyond the commit,
    if anything does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "packages.txt").write_text(software.installed(), encoding="utf-8")
    if changes := software.difference():
        (folder / "difference.patch").write_text(changes, encoding="utf-8")


def write_samples(records: Iterable[Record], path: Path) -> None:
    """One row a sample: the record's ``key``, ``task`` and ``implementation``, then the sample's
    own fields.

    Tasks have different fields; one that a sample lacks is null.
    """
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {**sample, "key": record.key, "task": record.task, "implementation": record.implementation}
        for record in records
        for sample in record.samples
    ]
    names = dict.fromkeys(
        ["key", "task", "implementation", *(name for row in rows for name in row)]
    )
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    parquet.write_table(pa.table(columns), path)


def _column(values: Sequence[Any]) -> pa.Array:
    """The values with the type that fits them all, or as JSON where none does."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else json.dumps(value) for value in values])
