"""One launch: the worker processes in which the arms of a cell stand side by side.

The package's own implementations share a process. An implementation from outside gets one of its
own, so that its threads, its memory and its death are its own, and so do those that run elsewhere;
the parent asks for one sample at a time, so all stay in step.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Self

from harness.isolation import (
    WAIT_POLICIES,
    Arm,
    WorkerDied,
    WorkerError,
    WorkerProcess,
    WorkerSettings,
    WorkerTimedOut,
    WorkerUnavailable,
)
from harness.isolation.failures import REMOTE_STATUSES
from harness.isolation.worker_process import Reply
from harness.records import Bytes, Cost, MemoryUse, Seconds, Status
from harness.timing.arm_failure import ArmFailed
from harness.timing.hosts import SHARED, Host, becomes_ready, host_of, startable_hosts
from harness.timing.messages import CellSetup, CheckResult, TimingResult
from implementations import registry

WORKER = "harness.timing.worker"
NO_ROOM = "there is not enough memory for the inputs, before any implementation is called"


class Launch:
    """Worker processes, started when first needed and kept from cell to cell: imports are paid once
    a launch.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        timeout: float,
        unloadable: dict[Host, ArmFailed] | None = None,
    ) -> None:
        self._settings, self._timeout = settings, timeout
        # What came of loading those that could not be, or of starting their process; shared between
        # launches, since a module that hangs is to be waited for once.
        self._unloadable = {} if unloadable is None else unloadable
        self._loaded: set[Host] = set()  # of those from outside that were
        self._workers: dict[Host, WorkerProcess] = {}
        self._host: dict[str, Host] = {}  # of each arm
        self._setup: CellSetup | None = None
        self._open: set[Host] = set()  # processes in which the cell is open
        # which process worked last, and until when
        self._last: tuple[Host | None, float] = (None, 0.0)
        self._unawaited: dict[Host, WorkerProcess] = {}  # begun, and not yet seen to have started
        self.starting = 0.0  # seconds spent on starting processes

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        return [worker.process.pid for worker in self._workers.values()]

    @property
    def is_started(self) -> bool:
        return bool(self._workers)

    @property
    def cpus(self) -> tuple[int, ...]:
        """Those that the workers are bound to."""
        bound = [cpu for worker in self._workers.values() for cpu in worker.facts.cpus]
        return tuple(sorted(set(bound)))

    def begin_start(self, arms: Collection[Arm]) -> None:
        """Begin to start the processes that these arms need, without waiting for them."""
        for host in startable_hosts(arms) - self._workers.keys() - self._unloadable.keys():
            settings = replace(self._settings, place=host.place)
            with suppress(WorkerUnavailable):  # it is charged to the arm that is prepared there
                self._unawaited[host] = WorkerProcess(WORKER, settings, awaited=False)

    def await_start(self, names: Collection[str]) -> None:
        """Wait until what was begun has nothing more to do, and the package's implementations of
        these ``names`` are imported. A process that does not start is left to `prepare`.
        """
        for host in list(self._unawaited):
            worker = self._unawaited.pop(host)
            if becomes_ready(worker, sorted(names) if host == SHARED else [], self._timeout):
                self._workers[host] = worker

    def open(self, setup: CellSetup) -> None:
        """Begin a cell. Its operands are made in a process when the first arm is prepared there. A
        process that has died since the last cell cost nothing yet, and is replaced.
        """
        for host in [host for host, worker in self._workers.items() if not worker.alive]:
            self._drop(host)
        self._setup, self._host, self._open = setup, {}, set()

    def prepare(self, arm: str, what: Arm) -> Cost:
        """Make the arm ready; what that cost. Raises ``ArmFailed``."""
        implementation = what.implementation
        host = self._host[arm] = host_of(what)
        if host in self._unloadable:
            failure = self._unloadable[host]
            raise ArmFailed(arm, failure.status, failure.reason)
        if host.owner is not None and host not in self._loaded:
            self._load(arm, implementation)
        return self._ask(arm, "prepare", Cost, implementation=implementation)

    def instruction_sets(self, arm: str) -> dict[str, str]:
        """Which are in use in the process of a prepared arm. Raises ``ArmFailed``."""
        return self._ask(arm, "instruction_sets", dict[str, str])

    def prepare_floor(self, arm: str, stores: str) -> Bytes:
        """Make an arm of the least traffic, with that kind of stores; its bytes a call.

        Raises ``ArmFailed``.
        """
        self._host[arm] = SHARED
        return Bytes(self._ask(arm, "prepare_floor", int, stores=stores))

    def verify(self, arm: str, *, whole: bool) -> CheckResult:
        """Compare an arm with the oracle. Raises ``ArmFailed`` where WRONG."""
        return self._check(arm, "verify", whole=whole)

    def audit(self, arm: str, calls: int) -> Seconds:
        """See whether an arm works as it did when it was verified; how long that took.

        Raises ``ArmFailed``.
        """
        return self._check(arm, "audit", calls=calls).seconds

    def measure_memory(self, arm: str) -> MemoryUse:
        """Raises ``ArmFailed``."""
        return self._ask(arm, "measure_memory", MemoryUse)

    def sample(self, arm: str, calls: int, untimed: int) -> TimingResult:
        """A sample, begun when another process that worked before has gone quiet. Raises
        ``ArmFailed``.
        """
        host, ended = self._last
        if host not in {None, self._host[arm]}:
            settled = ended + WAIT_POLICIES[self._settings.wait_policy].settle_seconds
            time.sleep(max(settled - time.monotonic(), 0.0))
        return self._ask(arm, "sample", TimingResult, calls=calls, untimed=untimed)

    def clear(self) -> None:
        """Give back the cell's memory; the processes stay."""
        for host in self._open & self._workers.keys():
            try:
                self._workers[host].call("clear", type(None), self._timeout)
            except (
                WorkerDied,
                WorkerTimedOut,
            ):  # it has no memory left; the next cell starts another
                self._workers.pop(host).close()
        self._open.clear()

    def close(self) -> None:
        for worker in (*self._workers.values(), *self._unawaited.values()):
            worker.close()
        self._workers.clear()
        self._unawaited.clear()
        self._loaded.clear()
        self._open.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, arm: str, implementation: registry.Specification) -> None:
        """Raises ``ArmFailed`` where it cannot be loaded."""
        try:
            self._ask(arm, "load", type(None), implementation=implementation)
        except ArmFailed as failure:
            self._unloadable[self._host[arm]] = failure
            raise
        self._loaded.add(self._host[arm])

    def _check(self, arm: str, service: str, **arguments: object) -> CheckResult:
        result = self._ask(arm, service, CheckResult, **arguments)
        if result.reason is not None:
            raise ArmFailed(arm, Status.WRONG, result.reason)
        return result

    def _ask(self, arm: str, service: str, reply: type[Reply], **arguments: object) -> Reply:
        """One request, and whatever goes wrong with it charged to the arm that it was for."""
        host = self._host[arm]
        try:
            worker = self._worker(host)
            self._open_cell(worker, arm, host)
            return worker.call(service, reply, self._timeout, None, arm=arm, **arguments)
        except WorkerError as error:
            if error.kind in REMOTE_STATUSES:
                raise ArmFailed(arm, REMOTE_STATUSES[error.kind], error.reason) from error
            cause = "out of memory: " if _no_memory(error) else ""
            raise ArmFailed(arm, Status.CRASHED, f"{cause}{error}") from error
        except WorkerUnavailable as absence:
            self._unloadable[host] = ArmFailed(arm, Status.UNAVAILABLE, str(absence))
            raise self._unloadable[host] from absence
        except (WorkerDied, WorkerTimedOut) as death:
            status = Status.CRASHED if isinstance(death, WorkerDied) else Status.TIMEOUT
            self._drop(host)
            raise ArmFailed(arm, status, str(death), died=True) from death
        finally:
            self._last = host, time.monotonic()

    def _open_cell(self, worker: WorkerProcess, arm: str, host: Host) -> None:
        """Make the operands in a process that has none yet. No memory for them is the machine's
        lack, and no fault of the arm that came first.
        """
        if host in self._open:
            return
        try:
            worker.call("open", type(None), self._timeout, setup=self._setup)
        except WorkerError as error:
            if not _no_memory(error):
                raise
            raise ArmFailed(arm, Status.UNAVAILABLE, f"{NO_ROOM}: {error}") from error
        except WorkerDied as death:
            if not death.killed:
                raise
            self._drop(host)
            reason = f"{NO_ROOM}, or something else killed the process: {death}"
            raise ArmFailed(arm, Status.UNAVAILABLE, reason, died=True) from death
        self._open.add(host)

    def _drop(self, host: Host) -> None:
        if host in self._workers:
            self._workers.pop(host).close()
        self._open.discard(host)

    def _worker(self, host: Host) -> WorkerProcess:
        if host not in self._workers:
            began = time.monotonic()
            settings = replace(self._settings, place=host.place)
            self._workers[host] = WorkerProcess(WORKER, settings)
            self.starting += time.monotonic() - began
        return self._workers[host]


def _no_memory(error: WorkerError) -> bool:
    """By the words of Python and of PyTorch's CPU allocator."""
    return error.kind == "MemoryError" or "can't allocate memory" in error.reason
