"""What is in force where an arm runs elsewhere, asked of a worker there, so that nothing foreign is
imported here: ``python -m harness.isolation.place_facts``.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from harness.environment import software
from harness.isolation.serving import Service, run_worker
from implementations import Unavailable, registry

SERVICE = "describe"


@dataclass(frozen=True)
class PlaceFacts:
    """``source`` hashes the implementation as it is there; ``mistake`` is why there is none of that
    name. ``files`` are those that all this was read from, folders of the import path among them.
    """

    versions: Mapping[str, str]
    instruction_sets: Mapping[str, str]
    source: str
    mistake: str | None
    files: tuple[str, ...]


def describe(*, implementation: registry.Specification) -> PlaceFacts:
    """The worker's service."""
    files = [sys.executable, *map(str, registry.source_files(implementation)), *sys.path]
    return PlaceFacts(
        versions={"python": platform.python_version(), **software.versions()},
        instruction_sets=_instruction_sets(),
        source=registry.source_hash(implementation),
        mistake=registry.mistake(implementation),
        files=tuple(files),
    )


def _instruction_sets() -> dict[str, str]:
    import torch

    from implementations.fused_cpu.library import instruction_set

    found = {"torch": torch.backends.cpu.get_cpu_capability()}
    try:
        return {**found, "fused_cpu": instruction_set()}
    except Unavailable:  # a record of fused_cpu says why
        return found


def services() -> Mapping[str, Service]:
    return {SERVICE: describe}


if __name__ == "__main__":
    run_worker(services)
