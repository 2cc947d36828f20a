"""The environment at one moment: what is stable in it, and what is volatile."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from harness.environment import machine, software
from harness.records import Plain, digest, to_plain

GIB = 2**30


@dataclass(frozen=True)
class Environment:
    """Plain data in two parts, ready for JSON. The package's docstring says what goes where."""

    stable: Mapping[str, object] = field(default_factory=dict)
    volatile: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """The digest of the stable part: 16 hexadecimal digits."""
        return digest(self.stable)

    def to_data(self) -> dict[str, Plain]:
        """Both parts and the fingerprint, as the journal keeps them."""
        return {
            "stable": to_plain(self.stable),
            "volatile": to_plain(self.volatile),
            "fingerprint": self.fingerprint,
        }


def capture(root: Path = machine.ROOT) -> Environment:
    """The environment at this moment. ``root`` is where /proc, /sys and /etc are read from."""
    memory = machine.memory(root)
    return Environment(
        stable={
            "processor": asdict(machine.processor(root)),
            "memory_gib": round(memory.get("MemTotal", 0) / GIB),
            "huge_pages": machine.huge_pages(root),
            "gpus": machine.gpus(),
            "os": software.operating_system(root),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "packages": software.versions(),
            "compiler": software.compiler(),
            "variables": software.switches(os.environ),
        },
        volatile={
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "uptime_seconds": float(machine.text(root / "proc/uptime").partition(" ")[0] or 0),
            "load": list(os.getloadavg()),
            "memory_available_gib": round(memory["MemAvailable"] / GIB, 1),
            "frequency_mhz": machine.frequency(root),
            "governor": machine.governor(root),
            "source": asdict(software.source()),
        },
    )
