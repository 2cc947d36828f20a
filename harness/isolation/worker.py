"""The worker's side: bind to CPUs, set threads, answer requests one at a time until the parent is gone.

Started by `host.Host`, never by hand. What it can be asked for is a fixed table, and requests are plain JSON.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVICES = {
    "timing.open": "harness.timing.bench:open_cell",
    "timing.prepare": "harness.timing.bench:prepare",
    "timing.verify": "harness.timing.bench:verify",
    "timing.sample": "harness.timing.bench:sample",
    "timing.clear": "harness.timing.bench:clear",
    "conformance.run": "harness.conformance.runner:run",
    "training.run": "harness.training.runner:run",
}
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(arguments: list[str]) -> None:
    requests, replies, settings = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    die_with_parent()
    os.sched_setaffinity(0, settings["cpus"])

    def send(reply: dict[str, Any]) -> None:
        os.write(replies, json.dumps(reply, allow_nan=False).encode() + b"\n")

    send({"value": set_up(settings)})
    with os.fdopen(requests) as lines:
        for line in lines:
            request = json.loads(line)
            send(answer(request, lambda progress: send({"progress": progress})))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies: a killed command leaves no worker hanging in a call."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def set_up(settings: dict[str, Any]) -> dict[str, Any]:
    """Set the libraries' own thread counts, and tell what is in force."""
    import torch

    torch.set_num_threads(settings["threads"])
    return {"pid": os.getpid(), "threads": torch.get_num_threads(), "cpus": sorted(os.sched_getaffinity(0))}


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
