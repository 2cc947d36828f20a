"""The worker's bench: one cell at a time, its arrays, and the arms that stand ready on it.

`stand`, `checking` and `sampling` work on what lies here; each is called by `isolation.worker` with
plain data.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from typing import Any

import torch

from harness.problems.inputs import drawn
from harness.timing.worker import memory
from harness.timing.worker.checksum import Fingerprint, fingerprint
from implementations import Unavailable
from implementations.interface import Arrays, Face, Outputs, Phase, Prepared, Problem


class Arm:
    """An arm ready on each set of arrays: one, or in a cold cell as many as outlast the cache.
    Calls go round them.
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
        """Whom to call, one after the other, for the next ``calls`` calls."""
        if len(self.prepared) == 1:
            return [self.prepared[0]] * calls
        turns = list(islice(cycle(self.prepared), self._next, self._next + calls))
        self._next = (self._next + calls) % len(self.prepared)
        return turns

    def synchronize(self) -> None:
        self.prepared[0].synchronize()


@dataclass
class Cell:
    """What is on the bench, with the arms by name. ``untouched`` is what the operands' bits were
    when they were made.
    """

    problem: Problem
    phase: Phase
    face: Face
    outputs: Outputs
    device: str
    seed: int
    inputs: str
    threads: int
    sets: list[Arrays]
    untouched: Fingerprint
    arms: dict[str, Arm] = field(default_factory=dict)

    def restore(self) -> None:
        """Give the operands their values again, in place, after an arm has changed them."""
        fresh = drawn(self.problem, self.seed, self.inputs, device=self.device)
        for arrays in self.sets:
            for name, tensor in tensors(fresh).items():
                getattr(arrays, name).copy_(tensor)


_bench: list[Cell] = []


def on_bench() -> Cell:
    return _bench[0]


def open_cell(
    progress: Any,
    *,
    problem: dict[str, Any],
    phase: str,
    face: Face,
    outputs: Outputs,
    seed: int,
    device: str,
    inputs: str,
    sets: int,
) -> None:
    """Clear the bench and lay out the arrays of another cell. Raises ``Unavailable`` where there is
    no such device.
    """
    clear(progress)
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("there is no CUDA device here, or this build of PyTorch cannot use it")
    made = Problem(**problem)
    arrays = drawn(made, seed, inputs, device=device)
    _bench.append(
        Cell(
            made,
            Phase(phase),
            face,
            outputs,
            device,
            seed,
            inputs,
            torch.get_num_threads(),
            [arrays, *(copied(arrays) for _ in range(sets - 1))],
            fingerprint(arrays),
        )
    )


def clear(progress: Any) -> None:
    """Drop the cell and give its memory back to the system, which a retaining allocator does not do
    by itself.
    """
    _bench.clear()
    gc.collect()
    memory.trim()


def tensors(arrays: Arrays) -> dict[str, torch.Tensor]:
    """The operands by name, the absent ones left out."""
    return {name: value for name, value in vars(arrays).items() if isinstance(value, torch.Tensor)}


def copied(arrays: Arrays) -> Arrays:
    clones: dict[str, Any] = {name: tensor.clone() for name, tensor in tensors(arrays).items()}
    return replace(arrays, **clones)
