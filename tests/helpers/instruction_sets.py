"""The instruction sets that the C++ is compiled for, and those of them that this machine has."""

from __future__ import annotations

import pytest

from implementations.fused_cpu.library import native

LEVELS = ("baseline", "v3", "v4")  # each has what those before it have


def available():
    return LEVELS[: LEVELS.index(native().instruction_set()) + 1]


def skip_without(isa):
    if isa not in available():
        pytest.skip(f"this machine has no {isa}")
