"""Every case of one implementation in a row of its own, with the worst element that was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

from harness.records import Record
from harness.report import text
from harness.report.repeat import command
from harness.report.views import KNOWN, names, told_as

HEADER = ("case", "outcome", "error / tolerance", "error in ulp", "worst element")
VAST = 1e6  # from here on a power of ten says more than digits


def details(records: Sequence[Record]) -> Iterator[tuple[str, str, str]]:
    """Each implementation, the table of its cases, and the command that repeats one of them."""
    for name in names(records):
        own = [record for record in records if record.implementation == name]
        # One that fixes its own threads would leave out the key that the others need.
        example = next((record for record in own if not record.cell.get("fixed_threads")), own[0])
        yield name, text.columns(HEADER, map(_row, own), right=(2, 3)), command(example)


def _row(record: Record) -> list[str]:
    return [text.code(str(record.cell["case"])), _outcome(record), *_element(_worst(record))]


def _outcome(record: Record) -> str:
    if record.failed:
        return f"**{record.status}**"
    return KNOWN if record.explanation is not None else told_as(record)


def _worst(record: Record) -> Mapping[str, Any] | None:
    """Of an OK record what its figures say; else the quantity farthest out, which beyond all
    numbers has no ratio.
    """
    if record.figures is not None:
        return {**record.figures, "ratio": record.figures.get("worst")}
    return max(record.samples, key=_distance, default=None)


def _distance(sample: Mapping[str, Any]) -> tuple[bool, float]:
    ratio = sample.get("ratio")
    return bool(sample.get("fault")), inf if ratio is None else ratio


def _element(found: Mapping[str, Any] | None) -> tuple[str, str, str]:
    if found is None:
        return text.ABSENT, text.ABSENT, text.ABSENT
    index = f"[{', '.join(map(str, found['index']))}]" if found.get("index") else ""
    fault = found.get("fault")
    beyond = text.ABSENT if fault else "∞"
    where = f"{found['quantity']}{index}{' ' * bool(fault)}{fault or ''}"
    return (
        _number(found.get("ratio"), beyond),
        _number(found.get("ulp"), text.ABSENT),
        text.plain(where),
    )


def _number(value: float | None, absent: str) -> str:
    if value is None:
        return absent
    return text.significant(value) if abs(value) < VAST else f"{value:.3g}"
