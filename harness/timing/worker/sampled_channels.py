"""Some channels of a problem, looked at as a problem of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from harness.problems.tensors import named_tensors
from implementations.interface import Arrays, Phase, Problem, Results


@dataclass(frozen=True)
class SampledChannels:
    """Which ``channels`` of the whole problem are looked at, and the problem that they make."""

    channels: list[int]
    problem: Problem
    phase: Phase

    @classmethod
    def of(cls, problem: Problem, phase: Phase, channels: Sequence[int] | None) -> SampledChannels:
        """Of those ``channels``, or all."""
        chosen = list(range(problem.channels) if channels is None else channels)
        shape = (problem.shape[0], len(chosen), *problem.shape[2:])
        return cls(chosen, replace(problem, shape=shape, memory_format="contiguous"), phase)

    def operands(self, arrays: Arrays) -> Arrays:
        return replace(arrays, **self._copies(arrays))

    def results(self, results: Results) -> Results:
        """A copy of what these channels hold at this moment."""
        return replace(results, **self._copies(results))

    def whole_index(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """From an index into the sampled channels' tensor to one into the whole tensor."""
        axis = min(len(index) - 1, 1)
        channel = self.channels[index[axis]]
        return (*index[:axis], channel, *index[axis + 1 :])

    def _copies(self, tensors: Arrays | Results) -> dict[str, Any]:
        return {name: self._copy(tensor) for name, tensor in named_tensors(tensors).items()}

    def _copy(self, tensor: torch.Tensor) -> torch.Tensor:
        index = torch.tensor(self.channels, device=tensor.device)
        return tensor.detach().index_select(min(tensor.dim() - 1, 1), index).contiguous()
