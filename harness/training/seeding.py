"""Random numbers that are the same everywhere, for initial weights and the order of data."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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
