"""The worker process of trainings: ``python -m harness.training.worker``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.isolation.loading import load
from harness.isolation.serving import Service, run_worker

# PyTorch imports them with the first optimizer, and with the first gradient.
IMPORTED_AHEAD = ("torch._dynamo", "torch.fx.experimental.symbolic_shapes")


def services() -> Mapping[str, Service]:
    from harness.training.runner import run

    return {"load": load, "train": run}


if __name__ == "__main__":
    run_worker(services)
