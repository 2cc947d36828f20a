"""The instruction sets that the C++ is compiled for, and those of them that this machine has."""

from __future__ import annotations

import pytest

from implementations.fused_cpu.library import instruction_set

INSTRUCTION_SETS = ("baseline", "v3", "v4")  # each includes those before it


def available():
    return INSTRUCTION_SETS[: INSTRUCTION_SETS.index(instruction_set()) + 1]


def skip_without(isa):
    if isa not in available():
        pytest.skip(f"this machine has no {isa}")
