"""Starts workers in milliseconds: a process that has imported PyTorch and a worker's services forks
one for each request, where a new interpreter takes two seconds to import them.

A worker gets a process of its own as ever, in the state that imports left. Timed work is started by
`process.execute` instead, whose docstring says why.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from harness.isolation import fork_serving
from harness.isolation.messages import ForkRequest, StartOptions
from harness.isolation.process import START_TIMEOUT, Process, execute
from harness.isolation.settings import WorkerSettings, meaningful
from harness.records import to_json

SERVER = fork_serving.__name__
MOST_IDLE = 3  # servers, each with 0.1 GB of its own


class ForkedProcess:
    """A process that the server forked: known by its pidfd, which no other process can come to have
    as happens to numbers. The server, as its parent, sends its exit status.
    """

    def __init__(self, pid: int, pidfd: int, status: int) -> None:
        self.pid, self._pidfd, self._pipe = pid, pidfd, status
        self._status: int | None = None
        self._lock = threading.Lock()
        weakref.finalize(self, os.close, pidfd)
        weakref.finalize(self, os.close, status)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def poll(self) -> int | None:
        with self._lock:
            if self._status is None and select.select([self._pidfd], [], [], 0)[0]:
                # Nothing but an end where the server died: it took its workers with it.
                answer = os.read(self._pipe, 16)
                self._status = int(answer) if answer else -signal.SIGKILL
            return self._status

    def wait(self) -> int:
        while (status := self.poll()) is None:
            select.select([self._pidfd], [], [])
        return status


class ForkServer:
    """Forks workers of ``module``, in an environment that libraries read while they are imported.

    It ends with the thread that made it, and its workers with it.
    """

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(START_TIMEOUT)
        self._lock = threading.Lock()
        self._forked: list[ForkedProcess] = []
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", SERVER, module, str(theirs.fileno())],
            env=dict(environment),
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()

    def fork(self, request: ForkRequest, descriptors: tuple[int, int, int]) -> ForkedProcess:
        """A worker with those descriptors for requests, replies and output. Raises ConnectionError
        where the server has ended.
        """
        status, theirs = os.pipe()
        try:
            with self._lock:
                message = to_json(request).encode()
                socket.send_fds(self._socket, [message], [*descriptors, theirs])
                answer, (pidfd,), _, _ = socket.recv_fds(self._socket, 64, 1)
        except (OSError, ValueError) as error:
            os.close(status)
            raise ConnectionError("the fork server has ended") from error
        finally:
            os.close(theirs)
        process = ForkedProcess(int(answer), pidfd, status)
        with self._lock:
            self._forked = [*filter(_runs, self._forked), process]
        return process

    @property
    def idle(self) -> bool:
        """Whether all that it forked has ended."""
        return not any(map(_runs, self._forked))

    def close(self) -> None:
        """End it, and what it forked."""
        self._socket.close()
        self._process.wait()


def _runs(process: ForkedProcess) -> bool:
    return process.poll() is None


class ForkServers:
    """Those of this process, each started when it is first needed, and again after its death."""

    def __init__(self) -> None:
        self._servers: dict[tuple[str, frozenset[tuple[str, str]]], ForkServer] = {}
        self._lock = threading.Lock()
        # The kernel ends a server with the thread that started it: this one lasts as long as the
        # process.
        self._starter = ThreadPoolExecutor(1, "fork server")

    def start(
        self, module: str, settings: WorkerSettings, options: StartOptions, output: int
    ) -> Process:
        """A worker with ``output`` for its standard output and error; by `process.execute`
        where none can be forked, which tells why, and where the worker has code of its own.
        """
        if settings.place.has_code_of_its_own:
            return execute(module, settings, options, output)
        request = ForkRequest(settings.environment(), str(Path.cwd()), options)
        descriptors = (options.requests, options.replies, output)
        for anew in (False, True) if hasattr(os, "pidfd_open") else ():
            with suppress(ConnectionError):
                return self._server(module, request.environment, anew).fork(request, descriptors)
        return execute(module, settings, options, output)

    def close(self) -> None:
        """End them all, and what they forked."""
        with self._lock:
            while self._servers:
                self._servers.popitem()[1].close()

    def _server(self, module: str, environment: Mapping[str, str], anew: bool) -> ForkServer:
        key = module, meaningful(environment)
        with self._lock:
            if anew and key in self._servers:
                self._servers.pop(key).close()
            if key not in self._servers:
                self._close_oldest_idle()
                self._servers[key] = self._starter.submit(ForkServer, module, environment).result()
            return self._servers[key]

    def _close_oldest_idle(self) -> None:
        idle = [key for key, server in self._servers.items() if server.idle]
        for key in idle[: len(idle) - MOST_IDLE + 1]:
            self._servers.pop(key).close()
