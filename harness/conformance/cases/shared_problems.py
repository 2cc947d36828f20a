"""Problems that many cases share, since a compiler pays for each."""

from __future__ import annotations

from dataclasses import replace

from implementations.interface import Face, Outputs, Problem

# 19 channels and 63 values of space leave a tail whatever the width of a vector.
PLAIN = Problem((4, 19, 7, 9), activation="relu", residual=True)
CHANNELS_LAST = replace(PLAIN, memory_format="channels_last")
# the slope of ReLU at NaN is 0 by formula, 1 in PyTorch: it is left open
LINEAR = replace(PLAIN, activation=None)
CHANNELS_LAST_3D = Problem((2, 9, 3, 5, 4), memory_format="channels_last", weight=False)
# Large enough that every implementation here splits it between threads.
SPLIT = Problem((16, 24, 15, 14), activation="relu", residual=True)
FACES: tuple[Face, ...] = ("layer", "kernel")
BOTH: tuple[tuple[str, Face], ...] = (("contiguous", "layer"), ("channels_last", "kernel"))
TWO_WAYS: tuple[tuple[Face, Outputs], ...] = (("layer", "fresh"), ("kernel", "reused"))
WAYS: tuple[tuple[Face, Outputs], ...] = (*TWO_WAYS, ("kernel", "fresh"))
