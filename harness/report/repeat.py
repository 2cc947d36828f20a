"""The one command that repeats a conformance case alone, with what its result depends on and
nothing else.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from harness.config import DeviceConfig
from harness.records import Record

# key: a cell's
DEVICE = {
    "name": "device",
    "threads": "threads",
    "allocator": "allocator",
    "wait_policy": "wait_policy",
    "huge_pages": "huge_pages",
}
# as `registry.name_of` writes a target that takes some
WITH_ARGUMENTS = re.compile(r"([\w.]+)\((.*)\)", re.DOTALL)
BETWEEN_ARGUMENTS = re.compile(r",(?=\w+=)")  # not the commas of a list
PLAIN = re.compile(r"[\w./:+-]+")  # what Hydra takes as it is; the names of old cases hold commas


def command(record: Record) -> str:
    """The command for a shell. Keys that an old record's cell lacks are left to their defaults."""
    return shlex.join(["bnbench", *_checking(record.implementation), *_settings(record)])


def target(implementation: str) -> str:
    """How a command line names an implementation from outside, of its name in records."""
    given = WITH_ARGUMENTS.fullmatch(implementation)
    if given is None:
        return f"{{_target_: {implementation}}}"
    pairs = (argument.partition("=") for argument in BETWEEN_ARGUMENTS.split(given[2]))
    listed = ", ".join(f"{key}: {'null' if value == 'None' else value}" for key, _, value in pairs)
    return f"{{_target_: {given[1]}, {listed}}}"


def _checking(implementation: str) -> list[str]:
    if WITH_ARGUMENTS.fullmatch(implementation) is None:
        return ["check", implementation]
    return ["run", "task=conformance", f"implementations=[{target(implementation)}]"]


def _settings(record: Record) -> Iterator[str]:
    cell, default = record.cell, DeviceConfig()
    case = str(cell["case"])
    yield f"task.cases={case}" if PLAIN.fullmatch(case) else f"task.cases='{case}'"
    if cell.get("thorough"):
        yield "task.thorough=true"
    for key, name in DEVICE.items():
        fixed = key == "threads" and cell.get("fixed_threads")
        if not fixed and cell.get(name) not in (None, getattr(default, key)):
            yield f"device.{key}={cell[name]}"
