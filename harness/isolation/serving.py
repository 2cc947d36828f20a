"""The worker's side: bind to CPUs, set threads, answer requests one at a time until the parent is
gone.

A package that has work for workers has a module to start them with, which hands `run_worker` the
services that it offers. Requests are plain JSON, and arguments are read as the types that a service
declares.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from inspect import signature
from pathlib import Path
from typing import get_type_hints

from harness.environment import machine
from harness.isolation.messages import (
    PROTOCOL,
    Message,
    MessageKind,
    RemoteFailure,
    Request,
    StartOptions,
    WorkerFacts,
)
from harness.records import InvalidDataError, from_plain, to_json

Service = Callable[..., object]  # each has parameters and an answer of its own
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# With these, OpenMP chooses its threads' CPUs when it is loaded, of those that it finds allowed.
BINDING_AT_LOAD = {"OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY", "KMP_AFFINITY"}


def run_worker(services: Callable[[], Mapping[str, Service]]) -> None:
    """Serve what ``services`` returns, over the pipes that the command line names (`StartOptions`).

    It is called when CPUs and threads are set, so that whatever it imports, but for PyTorch, finds
    them so. A service with a parameter ``progress`` is given a function that sends its plain data
    to the parent.
    """
    serve(from_plain(json.loads(sys.argv[1]), StartOptions), services)


def serve(options: StartOptions, services: Callable[[], Mapping[str, Service]]) -> None:
    """The same for options that came in another way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the parent to heed
    die_with_parent(options.requests)
    run_out_of_memory_first()
    if not BINDING_AT_LOAD.isdisjoint(os.environ):
        bind(options.cpus)

    def send(kind: MessageKind, content: object) -> None:
        os.write(options.replies, to_json(Message(kind, content)).encode() + b"\n")

    send("value", set_up(options))
    offered = services()
    with os.fdopen(options.requests) as lines:
        for line in lines:
            answer(from_plain(json.loads(line), Request), offered, send)


def die_with_parent(requests: int) -> None:
    """Have the kernel kill this process when its parent dies: a killed command leaves no worker
    hanging in a call. Where it is dead already, nobody can write ``requests`` any more.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    poll = select.poll()
    poll.register(requests, select.POLLHUP)
    if any(event & select.POLLHUP for _, event in poll.poll(0)):
        sys.exit("the parent has ended")


def run_out_of_memory_first() -> None:
    """Have allocations fail here before the machine has no memory left, or else the kernel kill
    this process for it.

    What takes too much is an implementation: that costs its own record, not the session.
    """
    available = machine.memory()["MemAvailable"]
    if sys.platform == "linux" and available:
        resource.setrlimit(resource.RLIMIT_DATA, (available, available))
        with suppress(OSError):  # not every system lets a process ask for it
            Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def set_up(options: StartOptions) -> WorkerFacts:
    """Import PyTorch on whatever CPU is free, bind to those that are given, and set the libraries'
    own thread counts; what is in force then.
    """
    import torch

    bind(options.cpus)
    torch.set_num_threads(options.threads)
    cpus = tuple(sorted(os.sched_getaffinity(0)))
    return WorkerFacts(os.getpid(), torch.get_num_threads(), cpus, PROTOCOL)


def bind(cpus: Collection[int]) -> None:
    """All threads of this process, and with them those that they begin."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended
            os.sched_setaffinity(int(thread.name), cpus)


def answer(
    request: Request, services: Mapping[str, Service], send: Callable[[MessageKind, object], None]
) -> None:
    """Do what is asked and send the answer, or the error that came of it."""
    try:
        service = services[request.service]
        arguments = read_arguments(service, request.arguments)
        if "progress" in signature(service).parameters:
            arguments["progress"] = partial(send, "progress")
        send("value", service(**arguments))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        send("error", RemoteFailure(type(error).__name__, str(error), where))


def read_arguments(service: Service, given: Mapping[str, object]) -> dict[str, object]:
    """Plain data as the types that the service declares. Raises ``InvalidDataError``."""
    function = service.func if isinstance(service, partial) else service
    hints = get_type_hints(function)
    unknown = given.keys() - hints.keys()
    if unknown:
        raise InvalidDataError(f"{function.__name__} takes no {', '.join(sorted(unknown))}")
    return {name: from_plain(value, hints[name]) for name, value in given.items()}
