"""The worker's state: one open cell at a time, its operands, and the arms that stand ready in it.

`setup`, `checks` and `timed_loop` work on it.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Any

import torch

from harness.conformance.exact_results import ExactResults
from harness.isolation.device_presence import require_device
from harness.problems.inputs import drawn
from harness.problems.tensors import named_tensors
from harness.timing.messages import CellSetup
from harness.timing.worker import memory
from harness.timing.worker.operand_checksums import Checksums, checksums
from implementations.interface import Arrays, Prepared


class PreparedArm:
    """An arm ready on each set of arrays: one, or in a cold cell as many as outlast the cache.

    Calls go round them. ``shares_memory`` says that it works on the given arrays and keeps no copy.
    """

    def __init__(self, prepared: Sequence[Prepared], *, shares_memory: bool = True) -> None:
        self.prepared, self.shares_memory = tuple(prepared), shares_memory
        self._next = 0

    def arm(self, calls: int) -> None:
        """Untimed: make ready for the next ``calls`` calls, wherever in the round they begin."""
        whole, rest = divmod(calls, len(self.prepared))
        for index, prepared in enumerate(self.prepared):
            prepared.arm(whole + ((index - self._next) % len(self.prepared) < rest))

    def turns(self, calls: int) -> list[Prepared]:
        """What to call, one after the other, for the next ``calls`` calls."""
        if len(self.prepared) == 1:
            return [self.prepared[0]] * calls
        turns = list(islice(cycle(self.prepared), self._next, self._next + calls))
        self._next = (self._next + calls) % len(self.prepared)
        return turns

    def synchronize(self) -> None:
        self.prepared[0].synchronize()


@dataclass
class OpenCell:
    """A cell's operands and the arms that were prepared on them, by name.

    ``original`` are the operands' checksums when they were made, ``exact`` what is right for the
    first set.
    """

    setup: CellSetup
    threads: int
    sets: list[Arrays]
    original: Checksums
    exact: ExactResults
    arms: dict[str, PreparedArm] = field(default_factory=dict)

    def restore(self) -> None:
        """Give the operands their values again, in place, after an arm has changed them."""
        fresh = _operands(self.setup)
        for arrays in self.sets:
            for name, tensor in named_tensors(fresh).items():
                getattr(arrays, name).copy_(tensor)


class WorkerState:
    """What a worker process of timing owns."""

    def __init__(self) -> None:
        self._cell: OpenCell | None = None
        self._begun = False  # a cell whose memory is not given back yet

    @property
    def cell(self) -> OpenCell:
        """The open cell. Raises RuntimeError where none is."""
        if self._cell is None:
            raise RuntimeError("no cell is open in this worker; open one first")
        return self._cell

    def open(self, setup: CellSetup) -> None:
        """Close the cell and make the operands of another.

        Raises ``Unavailable`` where there is no such device.
        """
        self.clear()
        require_device(setup.device)
        self._begun = True
        arrays = _operands(setup)
        sets = [arrays, *(copied(arrays) for _ in range(setup.sets - 1))]
        exact = ExactResults(setup.problem, setup.phase, arrays, keeps=True)
        self._cell = OpenCell(setup, torch.get_num_threads(), sets, checksums(arrays), exact)

    def clear(self) -> None:
        """Close the cell and give its memory back to the system, which a retaining allocator does
        not do by itself.
        """
        if not self._begun:
            return
        self._cell, self._begun = None, False
        gc.collect()
        memory.trim()


def copied(arrays: Arrays) -> Arrays:
    clones: dict[str, Any] = {
        name: tensor.clone() for name, tensor in named_tensors(arrays).items()
    }
    return replace(arrays, **clones)


def _operands(setup: CellSetup) -> Arrays:
    return drawn(setup.problem, setup.seed, setup.inputs, device=setup.device)
