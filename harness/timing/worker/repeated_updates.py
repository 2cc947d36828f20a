"""Running statistics after many updates with the same batch, against the closed form.

r_k = q^k r_0 + (1 - q^k) batch, with q = 1 - momentum. Each update's rounding, `tolerances`'
4 u_p (|q r| + |momentum batch|), is shrunk by q in every later one, so that Σ q^i of them remain,
i < k; the batch's own error comes in as often as the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch

from harness.conformance.compare import CHUNK, QuantityCheck, worst
from harness.conformance.tolerances import bounds
from harness.timing.worker.sampled_channels import SampledChannels
from implementations import oracle
from implementations.interface import Arrays, Phase, Results

RUNNING = ("running_mean", "running_var")


def check_updates(
    results: Results, sampled: SampledChannels, arrays: Arrays, updates: int
) -> Iterator[QuantityCheck]:
    """Both running statistics after so many ``updates`` with the batch of ``arrays``."""
    at_once = max(1, CHUNK // sampled.problem.reduction)
    for start in range(0, len(sampled.channels), at_once):
        group = range(start, min(start + at_once, len(sampled.channels)))
        for found in _check_group(results, sampled, arrays, updates, group):
            yield replace(found, index=tuple(start + place for place in found.index))


def _check_group(
    results: Results, sampled: SampledChannels, arrays: Arrays, updates: int, group: range
) -> Iterator[QuantityCheck]:
    kept = 1 - arrays.momentum
    share = 1 - kept**updates
    roundings = float(updates) if abs(kept) == 1 else (1 - abs(kept) ** updates) / (1 - abs(kept))
    batch_alone = replace(arrays, momentum=1.0)
    phase = Phase.FORWARD_TRAINING
    exact = oracle.evaluate(sampled.problem, phase, batch_alone, channels=group)
    allowed = bounds(sampled.problem, phase, batch_alone, exact)
    for name in RUNNING:
        tensor, batch = getattr(results, name), getattr(exact, name)
        before = oracle.vector(getattr(arrays, name), group)
        info = torch.finfo(tensor.dtype)
        greatest = abs(kept) * abs(before).clip(abs(batch)) + abs(arrays.momentum * batch)
        rounding = 2 * info.eps * greatest + info.tiny * info.eps
        yield worst(
            name,
            oracle.vector(tensor, group),
            kept**updates * before + share * batch,
            abs(share) * getattr(allowed, name) + roundings * rounding,
            tensor.dtype,
        )
