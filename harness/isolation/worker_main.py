"""The worker's side: bind to CPUs, set threads, answer requests one at a time until the parent is
gone.

Started by `host.Host`, never by hand. What it can be asked for is a fixed table, and requests are
plain JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from harness.environment import machine

SERVICES = {
    "timing.open": "harness.timing.worker.state:open_cell",
    "timing.prepare": "harness.timing.worker.setup:prepare",
    "timing.prepare_floor": "harness.timing.worker.setup:prepare_floor",
    "timing.verify": "harness.timing.worker.checks:verify",
    "timing.measure_memory": "harness.timing.worker.checks:measure_memory",
    "timing.sample": "harness.timing.worker.timed_loop:sample",
    "timing.audit": "harness.timing.worker.checks:audit",
    "timing.clear": "harness.timing.worker.state:clear",
    "conformance.run": "harness.conformance.runner:run",
    "training.run": "harness.training.runner:run",
    "doctor.bandwidth": "harness.doctor.bandwidth:run",
}
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(arguments: list[str]) -> None:
    requests, replies, settings = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    die_with_parent()
    run_out_of_memory_first()
    os.sched_setaffinity(0, settings["cpus"])

    def send(reply: dict[str, Any]) -> None:
        os.write(replies, json.dumps(reply, allow_nan=False).encode() + b"\n")

    send({"value": set_up(settings)})
    with os.fdopen(requests) as lines:
        for line in lines:
            request = json.loads(line)
            send(answer(request, lambda progress: send({"progress": progress})))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies: a killed command leaves no worker
    hanging in a call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run_out_of_memory_first() -> None:
    """Have allocations fail here before the machine has no memory left, or else the kernel kill
    this process for it.

    What takes too much is an implementation: that costs its own record, not the session.
    """
    available = machine.memory()["MemAvailable"]
    if sys.platform == "linux" and available:
        resource.setrlimit(resource.RLIMIT_DATA, (available, available))
        with suppress(OSError):  # not everywhere may a process say so of itself
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def set_up(settings: dict[str, Any]) -> dict[str, Any]:
    """Set the libraries' own thread counts, and tell what is in force."""
    import torch

    torch.set_num_threads(settings["threads"])
    return {
        "pid": os.getpid(),
        "threads": torch.get_num_threads(),
        "cpus": sorted(os.sched_getaffinity(0)),
    }


def answer(request: dict[str, Any], progress: Callable[[Any], None]) -> dict[str, Any]:
    """Do what is asked and return the reply, be it an error."""
    module, function = SERVICES[request["service"]].split(":")
    try:
        service = getattr(importlib.import_module(module), function)
        return {"value": service(progress=progress, **request["arguments"])}
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        return {"error": {"kind": type(error).__name__, "reason": str(error), "where": where}}


if __name__ == "__main__":
    main(sys.argv[1:])
