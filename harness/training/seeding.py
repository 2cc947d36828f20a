"""What reproducibility rests on: random numbers that are the same everywhere, and hashes that prove
it.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import torch


class RandomStream(IntEnum):
    """What random numbers are drawn for. Streams of one seed are independent of each other."""

    SPLIT = 1
    WEIGHTS = 2
    ORDER = 3


def generator(stream: RandomStream, seed: int, *part: int) -> np.random.Generator:
    """NumPy's PCG64, for a ``seed`` from 0 on, and for a ``part`` of the stream, such as an epoch,
    if one is named.

    PyTorch's own initial weights change with the CPU's instruction set.
    """
    import numpy as np

    return np.random.Generator(np.random.PCG64([int(stream), seed, *part]))


def sha256(tensors: Iterable[torch.Tensor]) -> str:
    """A hash of values, dtypes and shapes, in order: 64 hexadecimal digits."""
    import numpy as np

    hashed = hashlib.sha256()
    for tensor in tensors:
        array = tensor.detach().cpu().numpy()
        hashed.update(f"{array.dtype.str}{array.shape}".encode())
        hashed.update(np.ascontiguousarray(array).data)  # as it lies in memory, without a copy
    return hashed.hexdigest()
