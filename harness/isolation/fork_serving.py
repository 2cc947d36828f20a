"""The fork server's process: ``python -m harness.isolation.fork_serving MODULE SOCKET``.

It never computes, so that it has no threads which a fork would lose, and stays as imports left it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import NoReturn

from harness.isolation.messages import ForkRequest
from harness.isolation.serving import Service, die_with_parent, serve
from harness.records import from_plain

# What a worker's module may list: libraries that its work would import sooner or later.
AHEAD = "IMPORTED_AHEAD"
LONGEST_REQUEST = 1 << 20  # bytes: an environment is well below that


@dataclass(frozen=True)
class Child:
    """A worker: its process, and the pipe on which its parent awaits the exit status."""

    pid: int
    pidfd: int
    status: int

    def reap(self) -> None:
        """Send the exit status of a child that has ended."""
        _, status = os.waitpid(self.pid, 0)
        with suppress(BrokenPipeError):  # nobody waits for it any more
            os.write(self.status, str(os.waitstatus_to_exitcode(status)).encode())
        self.forget()

    def forget(self) -> None:
        os.close(self.pidfd)
        os.close(self.status)


def main(module: str, connection: socket.socket) -> None:
    """Fork workers with the services of ``module``, until the other end of the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the parent to heed
    die_with_parent(connection.fileno())
    import torch  # noqa: F401 -- what takes the time that a fork saves

    worker = import_module(module)
    for library in getattr(worker, AHEAD, ()):
        import_module(library)
    services = worker.services()
    children: dict[int, Child] = {}
    while True:
        ready, _, _ = select.select([connection.fileno(), *children], [], [])
        for pidfd in children.keys() & set(ready):
            children.pop(pidfd).reap()
        if connection.fileno() in ready:
            message, descriptors, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 4)
            if not message:
                return
            child = fork(message, descriptors, services, connection, children)
            children[child.pidfd] = child


def fork(
    message: bytes,
    descriptors: list[int],
    services: Mapping[str, Service],
    connection: socket.socket,
    children: Mapping[int, Child],
) -> Child:
    """A worker that was asked for; who asked gets its number and its pidfd."""
    *passed_on, status = descriptors
    pid = os.fork()
    if pid == 0:
        connection.close()
        for sibling in children.values():
            sibling.forget()
        os.close(status)
        work(from_plain(json.loads(message), ForkRequest), passed_on, services)
    for descriptor in passed_on:
        os.close(descriptor)
    child = Child(pid, os.pidfd_open(pid), status)
    socket.send_fds(connection, [str(pid).encode()], [child.pidfd])
    return child


def work(request: ForkRequest, descriptors: list[int], services: Mapping[str, Service]) -> NoReturn:
    """What the forked process does until it ends, as an interpreter of its own would."""
    status = 1
    try:
        requests, replies, output = descriptors
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.clear()
        os.environ.update(request.environment)
        os.chdir(request.folder)
        serve(replace(request.options, requests=requests, replies=replies), lambda: services)
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
