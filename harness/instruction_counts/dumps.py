"""Callgrind's files (https://valgrind.org/docs/manual/cl-format.html): one for each counted call,
named by its number.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.instruction_counts.calls import Counts

TRIGGER = "desc: Trigger: Client Request: "
# Instructions, and misses of the last-level cache: of reading data, and of writing it.
EVENTS = ("Ir", "DLmr", "DLmw")


def read_counts(folder: Path, name: str) -> dict[int, Counts]:
    """By number of the call, what the files NAME.1, NAME.2 and so on in the folder hold."""
    texts = (path.read_text(encoding="utf-8") for path in folder.glob(f"{name}.*"))
    return dict(map(_counts, (text for text in texts if TRIGGER in text)))


def _counts(text: str) -> tuple[int, Counts]:
    fields = dict(re.findall(r"^(events|totals|desc: Trigger): (.+)$", text, re.MULTILINE))
    number = fields["desc: Trigger"].removeprefix(TRIGGER.removeprefix("desc: Trigger: "))
    events, totals = fields["events"].split(), map(int, fields["totals"].split())
    found = dict(zip(events, totals, strict=True))
    return int(number), Counts(*(found[event] for event in EVENTS))
