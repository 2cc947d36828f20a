"""The worker process of conformance: ``python -m harness.conformance.worker``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.isolation.loading import load
from harness.isolation.serving import Service, run_worker

IMPORTED_AHEAD = ("torch.fx.experimental.symbolic_shapes",)  # PyTorch does with the first gradient


def services() -> Mapping[str, Service]:
    from harness.conformance.runner import run

    return {"check": run, "load": load}


if __name__ == "__main__":
    run_worker(services)
