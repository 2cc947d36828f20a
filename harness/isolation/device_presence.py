"""Whether the device that a worker is asked to use is there."""

from __future__ import annotations

from implementations import Unavailable


def require_device(device: str) -> None:
    """Raises ``Unavailable`` where there is no such device."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("there is no CUDA device here, or this build of PyTorch has no CUDA")
