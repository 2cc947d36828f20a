"""A record in MLflow's terms: pure functions from a record to a name, parameters, tags, metrics."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, assert_never

from harness.records import (
    AnyRecord,
    CaseRecord,
    ThroughputRecord,
    TrainingRecord,
    flat,
    plain_fields,
)
from implementations.published_text import without_credentials

Value = TypeVar("Value")
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


def entry(record: AnyRecord) -> Entry:
    """The run that stands for this record."""
    figures = {} if record.figures is None else flat(plain_fields(record.figures))
    defined = {"implementation": record.implementation, **flat(plain_fields(record.cell))}
    cost = flat({"cost": plain_fields(record.cost)})
    return Entry(
        name=_name(record),
        status="FAILED" if record.failed else "FINISHED",
        params={name: text(value) for name, value in legal(shorten(defined)).items()},
        tags=_tags(record, figures),
        metrics=[*_numbers({**figures, **cost}), *_curves(record)],
    )


def shorten(pairs: Mapping[str, Value]) -> dict[str, Value]:
    """Dotted names cut to their last part wherever that is still unambiguous: ``problem.dtype`` is
    ``dtype``.
    """
    last = {name: name.rpartition(".")[2] for name in pairs}
    times = Counter(last.values())
    return {last[name] if times[last[name]] == 1 else name: pairs[name] for name in pairs}


def legal(pairs: Mapping[str, Value]) -> dict[str, Value]:
    """The same values under names that MLflow takes, still distinct.

    It takes letters, digits and ``_-. :``, and slashes only where a path would keep them; so
    slashes are replaced too.
    """
    renamed: dict[str, Value] = {}
    for given, value in pairs.items():
        name = re.sub(r"[^\w\-. :]", "_", given).lstrip(".")[:NAME_LIMIT] or "_"
        while name in renamed:
            name += "_"
        renamed[name] = value
    return renamed


def text(value: object, limit: int = PARAM_LIMIT) -> str:
    """A value as the configuration would write it, without credentials. One too long for MLflow is
    cut and says so.
    """
    given = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    whole = without_credentials(given)
    if len(whole) <= limit:
        return whole
    end = f"… ({len(whole)} characters; whole in the artifacts)"
    return whole[: limit - len(end)] + end


def _name(record: AnyRecord) -> str:
    match record:
        case ThroughputRecord(cell=cell):
            return f"{record.implementation} {cell.phase} {cell.problem}"
        case TrainingRecord(cell=cell):
            return f"{record.implementation} {cell.model} {cell.dataset} seed {cell.seed}"
        case CaseRecord(cell=cell):
            return f"{record.implementation} {cell.case}"
        case _:
            assert_never(record)


def _tags(record: AnyRecord, figures: Mapping[str, object]) -> dict[str, str]:
    """What to filter by. Figures that are words, such as the verdict, are among it."""
    words = {name: value for name, value in figures.items() if isinstance(value, str | bool)}
    tags = {
        **words,
        "task": record.task,
        "implementation": record.implementation,
        "status": record.status.value,
        "phase": record.cell.phase.value if isinstance(record, ThroughputRecord) else None,
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


def _numbers(pairs: Mapping[str, object], step: int = 0) -> Iterator[tuple[str, float, int]]:
    """What can be a metric. NaN and infinity cannot: MLflow would store infinity as 1.8e308."""
    for name, value in legal(pairs).items():
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield name, float(value), step


def _curves(record: AnyRecord) -> Iterator[tuple[str, float, int]]:
    """Of a training, each step's numbers, and the samples per second of those that were timed."""
    if not isinstance(record, TrainingRecord):
        return
    for step in record.samples:
        numbers: dict[str, object] = {**plain_fields(step)}
        del numbers["step"]
        if step.seconds:
            numbers["samples_per_second"] = record.cell.batch / step.seconds
        yield from _numbers(numbers, step.step)
