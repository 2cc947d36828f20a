"""The worker process of timing: ``python -m harness.timing.worker``, started by `timing.launch`."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from functools import partial

from harness.isolation.serving import Service, run_worker


def services() -> Mapping[str, Service]:
    """What the worker can be asked for, all on one state of its own."""
    from harness.timing.worker import checks, setup, timed_loop
    from harness.timing.worker.state import WorkerState

    # The modules stay: to look through all their objects took 0.1 s each time a cell was closed.
    gc.collect()
    gc.freeze()
    state = WorkerState()
    return {
        "open": state.open,
        "clear": state.clear,
        "load": setup.load,
        "load_ahead": setup.load_ahead,
        "prepare": partial(setup.prepare, state),
        "instruction_sets": setup.instruction_sets,
        "prepare_floor": partial(setup.prepare_floor, state),
        "verify": partial(checks.verify, state),
        "measure_memory": partial(checks.measure_memory, state),
        "sample": partial(timed_loop.sample, state),
        "audit": partial(checks.audit, state),
    }


if __name__ == "__main__":
    run_worker(services)
