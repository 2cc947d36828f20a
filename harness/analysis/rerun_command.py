"""The one command that repeats a conformance case alone, with what its result depends on and
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.config import DeviceConfig
from harness.config.shell import shell_command
from harness.records import CaseCell, CaseRecord

# as `registry.name_of` writes a target that takes some
WITH_ARGUMENTS = re.compile(r"([\w.]+)\((.*)\)", re.DOTALL)
BETWEEN_ARGUMENTS = re.compile(r",(?=\w+=)")  # not the commas of a list
PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)  # what Hydra takes as it is; old cases hold commas


def rerun_command(record: CaseRecord) -> str:
    """The command for a shell."""
    words = [*_check_command(record.implementation), *_settings(record.cell)]
    return shell_command(["bnbench", *words])


def target_of(implementation: str) -> str:
    """How a command line names an implementation from outside, of its name in records."""
    given = WITH_ARGUMENTS.fullmatch(implementation)
    if given is None:
        return f"{{_target_: {implementation}}}"
    from harness.config.overrides import in_mapping

    pairs = (argument.partition("=") for argument in BETWEEN_ARGUMENTS.split(given[2]))
    arguments = ", ".join(
        f"{key}: {'null' if value == 'None' else in_mapping(value)}" for key, _, value in pairs
    )
    return f"{{_target_: {given[1]}, {arguments}}}"


def _check_command(implementation: str) -> list[str]:
    if WITH_ARGUMENTS.fullmatch(implementation) is None:
        return ["check", implementation]
    return ["run", "task=conformance", f"implementations=[{target_of(implementation)}]"]


def _settings(cell: CaseCell) -> Iterator[str]:
    yield f"task.cases={cell.case}" if PLAIN.fullmatch(cell.case) else _quoted_cases(cell.case)
    if cell.thorough:
        yield "task.thorough=true"
    default = DeviceConfig()
    if cell.device != default.name:
        yield f"device.name={cell.device}"
    # The default of threads is as many as there are CPUs, which differs between machines.
    if not cell.fixed_threads:
        yield f"device.threads={cell.threads}"
    if cell.allocator != default.allocator:
        yield f"device.allocator={cell.allocator}"
    if cell.wait_policy != default.wait_policy:
        yield f"device.wait_policy={cell.wait_policy}"
    if cell.huge_pages != default.huge_pages:
        yield f"device.huge_pages={cell.huge_pages}"


def _quoted_cases(name: str) -> str:
    from harness.config.overrides import assignment

    return assignment("task.cases", name)
