"""Refusing what cannot fit into this machine's memory, whatever implementation is asked."""

from __future__ import annotations

from harness import formatting
from harness.config import UsageError
from harness.environment import machine
from harness.problems import operand_bytes
from harness.records import Bytes
from implementations.interface import Problem
from implementations.lookups import remembered

PARAMETER_BYTES = 8  # float32, and its gradient


def refuse_large_problem(problem: Problem, sets: int) -> None:
    """Raises ``UsageError`` where the operands, which the harness itself makes, are larger than the
    memory.
    """
    needed, memory = Bytes(sets * operand_bytes(problem)), _memory()
    if needed > memory:
        copies = f" in {sets} sets for a cold cache" if sets > 1 else ""
        raise UsageError(
            f"{problem}: the input and the gradient alone take {formatting.size(needed)}{copies}, "
            f"and this machine has {formatting.size(memory)} of memory; choose a smaller shape or "
            "problem.batch"
        )


def refuse_large_network(parameters: int) -> None:
    """The same of a network with so many parameters."""
    needed, memory = Bytes(parameters * PARAMETER_BYTES), _memory()
    if needed > memory:
        raise UsageError(
            f"a network of {parameters:,} parameters takes {formatting.size(needed)} with its "
            f"gradients, and this machine has {formatting.size(memory)} of memory; choose a "
            "smaller task.width or task.depth"
        )


@remembered
def _memory() -> Bytes:
    """All of it, or what the control group allows."""
    return Bytes(machine.memory_total())
