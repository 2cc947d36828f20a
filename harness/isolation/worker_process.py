"""The parent's side of a worker process: start it with everything set that moves timings, ask,
wait, notice its death.

Requests and replies are lines of JSON on pipes of their own, so that what an implementation prints
cannot be taken for an answer, and nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, Self

START_TIMEOUT = 120.0  # seconds; importing torch takes 1.5 on a quiet machine
STDERR_TAIL = 800  # characters of a dead worker's last words that its record quotes
ALLOCATORS: Mapping[str, Mapping[str, str]] = {
    "default": {},
    # glibc maps blocks above a threshold afresh each time, and pages fault in one by one; never
    # mapping and never trimming keeps them. Seen: 210 ms instead of 12 for filling a new 200 MB
    # tensor.
    "retaining": {
        "MALLOC_MMAP_MAX_": "0",
        "MALLOC_TRIM_THRESHOLD_": str(2**62),
        "MALLOC_TOP_PAD_": str(64 << 20),
    },
}
HUGE_PAGES: Mapping[str, Mapping[str, str]] = {
    "default": {},
    # glibc asks the kernel for them (2.35 and later), which grants them where it is set to
    # "madvise" or "always".
    "asked": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
}


@dataclass(frozen=True)
class WaitPolicy:
    """What OpenMP's idle threads do: the environment that says so, and the seconds after which they
    are sure to sleep.
    """

    environment: Mapping[str, str]
    settle_seconds: float


# libgomp spins 300,000 times by default, 16 ms where a pause takes 140 cycles: into the next
# process's sample. "brief" is the same within a sample, where gaps are microseconds, and quiet
# after one.
WAIT_POLICIES: Mapping[str, WaitPolicy] = {
    "brief": WaitPolicy({"GOMP_SPINCOUNT": "50000"}, 0.005),
    "default": WaitPolicy({}, 0.03),
    "passive": WaitPolicy({"OMP_WAIT_POLICY": "passive"}, 0.0),
}


class Killed(Exception):  # noqa: N818 -- an event, not a programming error
    """The worker died. The message says by what, and quotes the end of what it wrote to stderr."""


class Overdue(Exception):  # noqa: N818
    """The worker did not answer in time, and was killed."""


class RemoteError(Exception):
    """The worker's code raised. ``kind`` is the exception's class name, ``reason`` its message."""

    def __init__(self, kind: str, reason: str, where: str) -> None:
        super().__init__(f"{kind}: {reason} (at {where})")
        self.kind, self.reason = kind, reason


@dataclass(frozen=True)
class Settings:
    """What a worker process is started with; recorded with everything it measures."""

    threads: int = 1
    allocator: str = "retaining"
    wait_policy: str = "brief"
    device: str = "cpu"
    huge_pages: str = "default"
    lane: int = 0

    @property
    def cpus(self) -> list[int]:
        """The CPUs that the worker is bound to: the last ``threads`` allowed ones, since interrupts
        favour the first.

        A worker in another lane has those before them, as long as there are any.
        """
        allowed = sorted(os.sched_getaffinity(0))
        lanes = max(len(allowed) // self.threads, 1)
        end = len(allowed) - self.lane % lanes * self.threads
        return allowed[max(end - self.threads, 0) : end]

    def environment(self) -> dict[str, str]:
        count = str(self.threads)
        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"),
            count,
        )
        return {
            **os.environ,
            **threads,
            **ALLOCATORS[self.allocator],
            **WAIT_POLICIES[self.wait_policy].environment,
            **HUGE_PAGES[self.huge_pages],
            "OMP_DYNAMIC": "false",
            "PYTHONHASHSEED": "0",
            "PYTHONUNBUFFERED": "1",
        }


class Host:
    """A running worker. Use it as a context manager; after ``Killed`` or ``Overdue`` it is gone, so
    start another.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 -- lives as long as the worker
        to_worker, self._requests = os.pipe()
        self._replies, from_worker = os.pipe()
        # -P keeps the working directory off the import path: a user's own folder named conf must
        # not hide ours.
        command = [
            sys.executable,
            "-P",
            "-m",
            "harness.isolation.worker_main",
            str(to_worker),
            str(from_worker),
        ]
        self.process = subprocess.Popen(
            [*command, json.dumps({**asdict(settings), "cpus": settings.cpus})],
            env=settings.environment(),
            pass_fds=(to_worker, from_worker),
            stdin=subprocess.DEVNULL,
            stdout=self._stderr,
            stderr=self._stderr,
        )
        os.close(to_worker)
        os.close(from_worker)
        self._buffer = b""
        self.facts: dict[str, Any] = self._reply(START_TIMEOUT, None)

    def call(
        self,
        service: str,
        timeout: float,
        on_progress: Callable[[Any], None] | None = None,
        **arguments: Any,
    ) -> Any:
        """Ask the worker for ``service`` and return its answer, plain data.

        ``timeout`` is in seconds, from the beginning or the last progress on. Raises
        ``RemoteError``, after which the worker goes on; ``Killed`` or ``Overdue``, after which it
        is gone.
        """
        try:
            os.write(
                self._requests,
                json.dumps({"service": service, "arguments": arguments}).encode() + b"\n",
            )
        except BrokenPipeError:
            self._raise_killed()
        return self._reply(timeout, on_progress)

    def close(self) -> None:
        """End the worker; harmless when it is dead already."""
        if self.process.poll() is None:
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

    def _reply(self, timeout: float, on_progress: Callable[[Any], None] | None) -> Any:
        deadline = time.monotonic() + timeout
        while True:
            reply = json.loads(self._line(deadline, timeout))
            if "progress" in reply:
                deadline = time.monotonic() + timeout
                if on_progress is not None:
                    on_progress(reply["progress"])
            elif "error" in reply:
                raise RemoteError(**reply["error"])
            else:
                return reply["value"]

    def _line(self, deadline: float, timeout: float) -> bytes:
        while b"\n" not in self._buffer:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._replies], [], [], remaining)[0]:
                self.process.kill()
                raise Overdue(f"no answer within {timeout:g} s; the worker was killed")
            read = os.read(self._replies, 1 << 16)
            if not read:
                self._raise_killed()
            self._buffer += read
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _raise_killed(self) -> None:
        status = self.process.wait()
        cause = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        if status == -signal.SIGKILL:
            cause += ", which is what the kernel sends when memory runs out"
        self._stderr.seek(0)
        said = self._stderr.read().decode(errors="replace").strip()[-STDERR_TAIL:]
        raise Killed(f"the worker died of {cause}" + (f"; its last words: {said}" if said else ""))
