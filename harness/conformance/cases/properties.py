"""What each group of cases holds an implementation to: the rows of the matrix that a run ends
with.
"""

from __future__ import annotations

from collections.abc import Mapping

PROPERTIES: Mapping[str, str] = {
    "phases": "every phase, as layer and as kernel",
    "layouts": "channels_last, in four and five dimensions",
    "dtypes": "float64, bfloat16, float16, mixed",
    "shapes": "primes, tails, ResNet-50's shapes",
    "channels": "channels with fast paths and without",
    "threads": "two threads",
    "exact": "exact statistics, to a few ulp",
    "data": "large means, denormals, sparse, NaN",
    "gradients": "finite differences, gradcheck, gradient penalty",
    "laws": "the contract's laws, by search",
    "repeats": "the same bits; nothing stale or changed",
    "samples": "PyTorch's sample inputs",
    "onnx": "ONNX's semantics, translated",
    "edges": "empty, single values, ranks 1 to 6",
    "strided": "strided, expanded, misaligned operands",
    "errors": "PyTorch's errors",
    "module": "PyTorch's module: buffers, state_dict",
}
