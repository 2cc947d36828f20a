"""A session's results as plain files that other tools read, with or without MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from harness.environment import Environment, software
from harness.records import (
    AnyRecord,
    ModeratedFigures,
    Plain,
    plain_fields,
    record_to_plain,
    to_json,
)
from harness.store import Plan
from harness.store.columns import column
from harness.store.flat_table import write_table

JOBS, ENVIRONMENT, RECORDS, MODERATED, SAMPLES, TABLE = (
    "jobs.jsonl",
    "environment.json",
    "records.jsonl",
    "moderated.jsonl",
    "samples.parquet",
    "table.parquet",
)


def export(
    records: Sequence[AnyRecord],
    folder: Path,
    *,
    config: str,
    environment: Environment,
    jobs: Iterable[Plan] = (),
    moderated: Mapping[str, ModeratedFigures] | None = None,
) -> list[Path]:
    """Write seven files into ``folder``, made if absent, and return their paths.

    ``config.yaml`` is the resolved configuration as given, ``jobs.jsonl`` that of each job with the
    keys of its records, ``environment.json`` the machine and software, ``records.jsonl`` the
    records as the journal has them, ``moderated.jsonl`` what the session's other cells make of
    their ratios, by the record's key, ``samples.parquet`` all raw samples as one table,
    ``table.parquet`` a row a record with its settings and figures, plain and moderated.
    """
    moderated = moderated or {}
    folder.mkdir(parents=True, exist_ok=True)
    machine = json.dumps(environment.to_data(), indent=2, sort_keys=True, allow_nan=False)
    texts = {
        "config.yaml": config,
        JOBS: "".join(f"{to_json(job)}\n" for job in jobs),
        ENVIRONMENT: f"{machine}\n",
        RECORDS: "".join(f"{to_json(record_to_plain(record))}\n" for record in records),
        MODERATED: "".join(
            f"{to_json({'key': key, **plain_fields(figures)})}\n"
            for key, figures in moderated.items()
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    write_samples(records, folder / SAMPLES)
    write_table(records, folder / TABLE, moderated)
    return [folder / name for name in (*texts, SAMPLES, TABLE)]


def describe(folder: Path) -> None:
    """Write into ``folder``, made if absent, what no fingerprint can bring back.

    ``packages.txt`` are all installed packages, ``difference.patch`` what runs beyond the commit,
    if anything does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "packages.txt").write_text(software.installed(), encoding="utf-8")
    if changes := software.difference():
        (folder / "difference.patch").write_text(changes, encoding="utf-8")


def write_samples(records: Iterable[AnyRecord], path: Path) -> None:
    """One row a sample: the record's ``key``, ``task`` and ``implementation``, then the sample's
    own fields.

    Tasks have different fields; one that a sample lacks is null.
    """
    import pyarrow as pa
    from pyarrow import parquet

    rows = [row for record in records for row in _rows(record)]
    of_samples = chain.from_iterable(rows)
    names = dict.fromkeys(["key", "task", "implementation", *of_samples])
    columns = {name: column([row.get(name) for row in rows]) for name in names}
    parquet.write_table(pa.table(columns), path)


def _rows(record: AnyRecord) -> list[dict[str, Plain]]:
    own: dict[str, Plain] = {
        "key": record.key,
        "task": record.task,
        "implementation": record.implementation,
    }
    return [{**plain_fields(sample), **own} for sample in record.samples]
