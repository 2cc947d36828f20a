"""The parent's side of a worker process: start it, ask it, wait, notice its death.

Requests and replies go through pipes of their own, so that what an implementation prints cannot be
taken for an answer, and nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from typing import IO, NoReturn, Protocol, Self, TypeVar, assert_never

from harness.isolation import interruption
from harness.isolation.messages import (
    PROTOCOL,
    Message,
    RemoteFailure,
    Request,
    StartOptions,
    WorkerFacts,
)
from harness.isolation.place_messages import not_started, other_protocol
from harness.isolation.places import HERE
from harness.isolation.process import START_TIMEOUT, Process, Start, execute
from harness.isolation.settings import WorkerSettings
from harness.records import InvalidDataError, from_plain, to_json

STDERR_TAIL = 800  # characters of a dead worker's last output that its record quotes
Reply = TypeVar("Reply")
OnProgress = Callable[[object], None]  # called with the plain data of a progress message


class WorkerDied(Exception):  # noqa: N818 -- an event, not a programming error
    """The worker died. The message says of what, and quotes the end of what it wrote to stderr.

    ``killed`` says that it was by SIGKILL, as the kernel does where memory runs out.
    """

    def __init__(self, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed


class WorkerUnavailable(WorkerDied):
    """No worker that this process can talk to starts in the place that the user named."""


class WorkerTimedOut(Exception):  # noqa: N818
    """The worker did not answer in time, and was killed."""


class WorkerError(Exception):
    """The worker's code raised. ``kind`` is the exception's class name, ``reason`` its message."""

    def __init__(self, failure: RemoteFailure) -> None:
        super().__init__(f"{failure.kind}: {failure.reason} (at {failure.where})")
        self.kind, self.reason = failure.kind, failure.reason


class Call(Protocol):
    """Asking some worker for a service; see `WorkerProcess.call`."""

    def __call__(
        self,
        service: str,
        reply: type[Reply],
        timeout: float,
        on_progress: OnProgress | None = None,
        **arguments: object,
    ) -> Reply: ...


class WorkerProcess:
    """A running worker that offers the services of a module, ``python -m module``.

    Use it as a context manager; after ``WorkerDied`` or ``WorkerTimedOut`` it is gone, so start
    another. Raises either where it does not start, ``WorkerUnavailable`` where that is of a place
    that the user named. Where it is not ``awaited``, so that others can start beside it,
    `await_start` comes before any call.
    """

    facts: WorkerFacts

    def __init__(
        self, module: str, settings: WorkerSettings, start: Start = execute, *, awaited: bool = True
    ) -> None:
        self.settings = settings
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the worker
        to_worker, self._requests = os.pipe()
        self._replies, from_worker = os.pipe()
        options = StartOptions(to_worker, from_worker, settings.threads, tuple(settings.cpus))
        try:
            self.process = self._started(start, module, options)
        except WorkerUnavailable:
            os.close(self._requests)
            os.close(self._replies)
            self._stderr.close()
            raise
        finally:
            os.close(to_worker)
            os.close(from_worker)
        self._buffer = b""
        if awaited:
            self.await_start()

    def await_start(self) -> None:
        """Wait until it has started. Raises what the constructor does."""
        try:
            self.facts = self._first_reply()
        except BaseException:
            self.close()
            raise

    def call(
        self,
        service: str,
        reply: type[Reply],
        timeout: float,
        on_progress: OnProgress | None = None,
        **arguments: object,
    ) -> Reply:
        """Ask the worker for ``service`` and return its answer, read as a ``reply``.

        ``timeout`` is in seconds, from the beginning or the last progress on. Raises
        ``WorkerError``, after which the worker goes on; ``WorkerDied`` or ``WorkerTimedOut``, after
        which it is gone; ``KeyboardInterrupt`` where that is `interruption.requested`.
        """
        request = to_json(Request(service, arguments)).encode() + b"\n"
        try:
            os.write(self._requests, request)
        except BrokenPipeError:
            self._raise_died()
        return self._reply(reply, timeout, on_progress)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def close(self) -> None:
        """End the worker; harmless when it is dead already."""
        if self.alive:
            self.process.kill()
        self.process.wait()
        for descriptor in (self._requests, self._replies):
            if descriptor >= 0:
                os.close(descriptor)
        self._requests = self._replies = -1
        self._stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _started(self, start: Start, module: str, options: StartOptions) -> Process:
        try:
            return start(module, self.settings, options, self._stderr.fileno())
        except OSError as error:
            if self.settings.place == HERE:
                raise
            raise WorkerUnavailable(
                f"{self.settings.place.python} cannot be executed: {error.strerror}"
            ) from error

    def _first_reply(self) -> WorkerFacts:
        """What is in force in the worker, which is seen to be what was asked for."""
        place = self.settings.place
        try:
            facts = self._reply(WorkerFacts, START_TIMEOUT, None)
        except (WorkerDied, WorkerTimedOut) as death:
            if place == HERE:
                raise
            raise WorkerUnavailable(not_started(place, str(death))) from death
        except (InvalidDataError, json.JSONDecodeError):
            facts = WorkerFacts(self.process.pid, self.settings.threads, ())
        if facts.protocol != PROTOCOL:
            raise WorkerUnavailable(other_protocol(place, facts.protocol))
        if place != HERE and facts.threads != self.settings.threads:
            raise WorkerUnavailable(
                f"its worker runs with {facts.threads} threads where {self.settings.threads} were "
                "asked for; leave out of its variables what changes that"
            )
        return facts

    def _reply(self, wanted: type[Reply], timeout: float, on_progress: OnProgress | None) -> Reply:
        deadline = time.monotonic() + timeout
        while True:
            message = from_plain(json.loads(self._line(deadline, timeout)), Message)
            match message.kind:
                case "progress":
                    deadline = time.monotonic() + timeout
                    if on_progress is not None:
                        on_progress(message.content)
                case "error":
                    raise WorkerError(from_plain(message.content, RemoteFailure))
                case "value":
                    return from_plain(message.content, wanted)
                case _:
                    assert_never(message.kind)

    def _line(self, deadline: float, timeout: float) -> bytes:
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            if not interruption.wait(remaining, self._replies):
                self.process.kill()
                raise WorkerTimedOut(f"no answer within {timeout:g} s; the worker was killed")
            read = os.read(self._replies, 1 << 16)
            if not read:
                self._raise_died()
            self._buffer += read
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _raise_died(self) -> NoReturn:
        interruption.check()  # which the worker may have heard of first
        status = self.process.wait()
        cause = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        if status == -signal.SIGKILL:
            cause += ", which is what the kernel sends when memory runs out"
        self._stderr.seek(0)
        output = self._stderr.read().decode(errors="replace").strip()[-STDERR_TAIL:]
        quoted = f"; its last words: {output}" if output else ""
        killed = status == -signal.SIGKILL
        raise WorkerDied(f"the worker died of {cause}{quoted}", killed=killed)
