"""What a record looks like as an MLflow run: pure functions from plain data to names, parameters,
tags and metrics.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.records import Record, flat
from implementations.interface import Problem

NAME_LIMIT = 200  # characters; MLflow's is 250
PARAM_LIMIT = 500  # characters; MLflow's is 6000 by now, and was 500
TAG_LIMIT = 5000


@dataclass(frozen=True)
class Entry:
    """A record in MLflow's terms. ``metrics`` are (name, value, step) and finite; ``status`` is the
    run's end state.
    """

    name: str
    status: str
    params: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: list[tuple[str, float, int]]


def entry(record: Record) -> Entry:
    """The run that stands for this record."""
    figures = flat(record.figures or {})
    defined = {"implementation": record.implementation, **flat(record.cell)}
    return Entry(
        name=_name(record),
        status="FAILED" if record.failed else "FINISHED",
        params={name: text(value) for name, value in legal(shorten(defined)).items()},
        tags=_tags(record, figures),
        metrics=[*_numbers({**figures, **flat({"cost": record.cost})}), *_curves(record)],
    )


def shorten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Keys cut to their last part wherever that is still unambiguous: ``problem.dtype`` is
    ``dtype``.
    """
    last = {key: key.rpartition(".")[2] for key in flat}
    times = Counter(last.values())
    return {last[key] if times[last[key]] == 1 else key: value for key, value in flat.items()}


def legal(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The same under names that MLflow takes, still distinct.

    It takes letters, digits and ``_-. :``, and slashes only where a path would keep them; so a
    slash goes too.
    """
    renamed: dict[str, Any] = {}
    for key, value in flat.items():
        name = re.sub(r"[^\w\-. :]", "_", key).lstrip(".")[:NAME_LIMIT] or "_"
        while name in renamed:
            name += "_"
        renamed[name] = value
    return renamed


def text(value: Any, limit: int = PARAM_LIMIT) -> str:
    """A value as the configuration would write it, told to be cut where it is too long for
    MLflow.
    """
    said = (
        str(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    )
    end = f"… ({len(said)} characters; whole in the artifacts)"
    return said if len(said) <= limit else said[: limit - len(end)] + end


def _name(record: Record) -> str:
    match record.cell:
        case {"phase": phase, "problem": problem}:
            return f"{record.implementation} {phase} {Problem(**problem)}"
        case {"model": model, "dataset": dataset, "seed": seed}:
            return f"{record.implementation} {model} {dataset} seed {seed}"
        case cell:
            return f"{record.implementation} {cell.get('case', record.task)}"


def _tags(record: Record, figures: Mapping[str, Any]) -> dict[str, str]:
    """What to filter by. Figures that are words, such as the verdict, are among it."""
    words = {name: value for name, value in figures.items() if isinstance(value, str | bool)}
    tags = {
        **words,
        "task": record.task,
        "implementation": record.implementation,
        "status": record.status.value,
        "phase": record.cell.get("phase"),
        "session": record.session,
        "key": record.key,
        "time": record.time,
        "flags": ", ".join(record.flags) or None,
        "reason": record.reason,
        "explanation": record.explanation,
    }
    return {
        name: text(value, TAG_LIMIT) for name, value in legal(tags).items() if value is not None
    }


def _numbers(flat: Mapping[str, Any], step: int = 0) -> Iterator[tuple[str, float, int]]:
    """What can be a metric. NaN and infinity cannot: MLflow would store infinity as 1.8e308."""
    for name, value in legal(flat).items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value), step


def _curves(record: Record) -> Iterator[tuple[str, float, int]]:
    for sample in record.samples:
        if "step" not in sample:
            continue
        curve = {name: value for name, value in sample.items() if name != "step"}
        if sample.get("seconds") and "batch" in record.cell:
            curve["samples_per_second"] = record.cell["batch"] / sample["seconds"]
        yield from _numbers(curve, int(sample["step"]))
