"""The one command that repeats a conformance case alone, with what its result depends on and
nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.config import DeviceConfig
from harness.config.shell import shell_command
from harness.records import ArmSetting, CaseCell, CaseRecord

# as `registry.name_of` writes a target that takes some
WITH_ARGUMENTS = re.compile(r"([\w.]+)\((.*)\)", re.DOTALL)
BETWEEN_ARGUMENTS = re.compile(r",(?=\w+=)")  # not the commas of a list
PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)  # what Hydra takes as it is; old cases hold commas


def rerun_command(record: CaseRecord) -> str:
    """The command for a shell."""
    identity = record.identity
    words = [*_check_command(record.implementation, identity.arm), *_settings(record.cell)]
    return shell_command(["bnbench", *words])


def item_of(implementation: str, arm: ArmSetting | None) -> str:
    """How a command line lists an arm, of its name in records and of what that stands for."""
    if arm is None:
        return target_of(implementation)
    from harness.config.overrides import text_in_mapping

    parts = [_target(arm.name) if "." in arm.name else f"name: {arm.name}"]
    given = {"label": implementation, "python": arm.python, "path": arm.path}
    if implementation == arm.name:
        del given["label"]
    parts += [f"{key}: {text_in_mapping(text)}" for key, text in given.items() if text is not None]
    if arm.variables:
        pairs = (f"{name}: {text_in_mapping(text)}" for name, text in arm.variables.items())
        parts.append(f"variables: {{{', '.join(pairs)}}}")
    return f"{{{', '.join(parts)}}}"


def target_of(implementation: str) -> str:
    """How a command line names an implementation from outside, of its name in records."""
    return f"{{{_target(implementation)}}}"


def _target(implementation: str) -> str:
    given = WITH_ARGUMENTS.fullmatch(implementation)
    if given is None:
        return f"_target_: {implementation}"
    from harness.config.overrides import in_mapping

    pairs = (argument.partition("=") for argument in BETWEEN_ARGUMENTS.split(given[2]))
    arguments = ", ".join(
        f"{key}: {'null' if value == 'None' else in_mapping(value)}" for key, _, value in pairs
    )
    return f"_target_: {given[1]}, {arguments}"


def _check_command(implementation: str, arm: ArmSetting | None) -> list[str]:
    if arm is not None:
        return ["check", item_of(implementation, arm)]
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
