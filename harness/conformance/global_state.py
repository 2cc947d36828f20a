"""The process that cases share: what an implementation sets for everybody is found out, and set
back for the next case.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import torch

from harness.conformance.compare import QuantityCheck


def _flushes() -> bool:
    """Whether half of the least normal float64 is 0."""
    least: float = struct.unpack("<d", struct.pack("<Q", 1 << 52))[0]
    return least * 0.5 == 0.0


# What is looked at by name: how to read it, and how to set it back.
SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "torch's grad mode": (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
    "the processor's flushing of denormals": (_flushes, torch.set_flush_denormal),
    "NumPy's error handling": (np.geterr, lambda before: np.seterr(**before)),
}


def read() -> dict[str, Any]:
    return {name: now() for name, (now, _) in SETTINGS.items()}


def restored(before: dict[str, Any]) -> list[QuantityCheck]:
    """Set everything back to ``before``; a finding for each setting that was another."""
    changed = [name for name, value in read().items() if value != before[name]]
    for name in changed:
        SETTINGS[name][1](before[name])
    return [
        QuantityCheck(
            name, inf, fault=f"was changed from {before[name]}, for every other user of the process"
        )
        for name in changed
    ]
