"""The hash by which two trainings are compared: of data, initial weights, losses and parameters."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch


def sha256(tensors: Iterable[torch.Tensor]) -> str:
    """A hash of values, dtypes and shapes, in order: 64 hexadecimal digits."""
    import numpy as np

    hashed = hashlib.sha256()
    for tensor in tensors:
        array = tensor.detach().cpu().numpy()
        hashed.update(f"{array.dtype.str}{array.shape}".encode())
        hashed.update(np.ascontiguousarray(array).data)  # as it lies in memory, without a copy
    return hashed.hexdigest()
