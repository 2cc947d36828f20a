"""One launch: the worker processes in which the arms of a cell stand side by side.

The package's own implementations share a process. An implementation from outside gets one of its
own, so that its threads, its memory and its death are its own; the parent asks for one sample at a
time, so all stay in step.
"""

from __future__ import annotations

import time
from typing import Self

from harness.isolation import (
    WAIT_POLICIES,
    WorkerDied,
    WorkerError,
    WorkerProcess,
    WorkerSettings,
    WorkerTimedOut,
)
from harness.isolation.failures import REMOTE_STATUSES
from harness.isolation.worker_process import Reply
from harness.records import Bytes, Cost, MemoryUse, Seconds, Status
from harness.timing.messages import CellSetup, CheckResult, TimingResult
from implementations import registry

WORKER = "harness.timing.worker"
NO_ROOM = "there is not enough memory for the inputs, before any implementation is called"
SHARED = "shared"  # the process of the package's own implementations


class ArmFailed(Exception):  # noqa: N818 -- an event that becomes a record
    """An arm refused, crashed, hung, or computed something wrong, and is out of this cell.

    ``died`` says that its process died with it, and with that the arms beside it.
    """

    def __init__(self, arm: str, status: Status, reason: str, *, died: bool = False) -> None:
        super().__init__(f"{arm}: {status}: {reason}")
        self.arm, self.status, self.reason, self.died = arm, status, reason, died


class Launch:
    """Worker processes, started when first needed and kept from cell to cell: imports are paid once
    a launch.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        timeout: float,
        unloadable: dict[str, ArmFailed] | None = None,
    ) -> None:
        self._settings, self._timeout = settings, timeout
        # By name, what came of loading those that could not be; shared between launches, since a
        # module that hangs is to be waited for once.
        self._unloadable = {} if unloadable is None else unloadable
        self._loaded: set[str] = set()  # names of those from outside that were
        self._workers: dict[str, WorkerProcess] = {}
        self._place: dict[str, str] = {}  # of each arm: the name of its process
        self._setup: CellSetup | None = None
        self._open: set[str] = set()  # processes in which the cell is open
        self._last_sampled: str | None = None
        self.starting = 0.0  # seconds spent on starting processes

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        return [worker.process.pid for worker in self._workers.values()]

    @property
    def cpus(self) -> tuple[int, ...]:
        """Those that the workers are bound to."""
        bound = [cpu for worker in self._workers.values() for cpu in worker.facts.cpus]
        return tuple(sorted(set(bound)))

    def open(self, setup: CellSetup) -> None:
        """Begin a cell. Its operands are made in a process when the first arm is prepared there. A
        process that has died since the last cell cost nothing yet, and is replaced.
        """
        for place in [place for place, worker in self._workers.items() if not worker.alive]:
            self._drop(place)
        self._setup, self._place, self._open = setup, {}, set()

    def prepare(self, arm: str, implementation: registry.Specification) -> Cost:
        """Make the arm ready; what that cost. Raises ``ArmFailed``."""
        foreign = registry.is_foreign(implementation)
        self._place[arm] = registry.name_of(implementation) if foreign else SHARED
        if foreign:
            self._load(arm, implementation)
        return self._ask(arm, "prepare", Cost, implementation=implementation)

    def prepare_floor(self, arm: str, stores: str) -> Bytes:
        """Make an arm of the least traffic, with that kind of stores; its bytes a call.

        Raises ``ArmFailed``.
        """
        self._place[arm] = SHARED
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
        """A sample, begun when the process sampled before has gone quiet. Raises ``ArmFailed``."""
        if self._place[arm] != self._last_sampled:
            time.sleep(WAIT_POLICIES[self._settings.wait_policy].settle_seconds)
            self._last_sampled = self._place[arm]
        return self._ask(arm, "sample", TimingResult, calls=calls, untimed=untimed)

    def clear(self) -> None:
        """Give back the cell's memory; the processes stay."""
        for place in self._open & self._workers.keys():
            try:
                self._workers[place].call("clear", type(None), self._timeout)
            except (
                WorkerDied,
                WorkerTimedOut,
            ):  # it has no memory left; the next cell starts another
                self._workers.pop(place).close()
        self._open.clear()

    def close(self) -> None:
        for worker in self._workers.values():
            worker.close()
        self._workers.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, arm: str, implementation: registry.Specification) -> None:
        """Raises ``ArmFailed`` where it cannot be loaded, in this launch or an earlier one."""
        name = self._place[arm]
        if name in self._unloadable:
            failure = self._unloadable[name]
            raise ArmFailed(arm, failure.status, failure.reason)
        if name in self._loaded:
            return
        try:
            self._ask(arm, "load", type(None), implementation=implementation)
        except ArmFailed as failure:
            self._unloadable[name] = failure
            raise
        self._loaded.add(name)

    def _check(self, arm: str, service: str, **arguments: object) -> CheckResult:
        result = self._ask(arm, service, CheckResult, **arguments)
        if result.reason is not None:
            raise ArmFailed(arm, Status.WRONG, result.reason)
        return result

    def _ask(self, arm: str, service: str, reply: type[Reply], **arguments: object) -> Reply:
        """One request, and whatever goes wrong with it charged to the arm that it was for."""
        place = self._place[arm]
        try:
            worker = self._worker(place)
            self._open_cell(worker, arm, place)
            return worker.call(service, reply, self._timeout, None, arm=arm, **arguments)
        except WorkerError as error:
            if error.kind in REMOTE_STATUSES:
                raise ArmFailed(arm, REMOTE_STATUSES[error.kind], error.reason) from error
            cause = "out of memory: " if _no_memory(error) else ""
            raise ArmFailed(arm, Status.CRASHED, f"{cause}{error}") from error
        except (WorkerDied, WorkerTimedOut) as death:
            status = Status.CRASHED if isinstance(death, WorkerDied) else Status.TIMEOUT
            self._drop(place)
            raise ArmFailed(arm, status, str(death), died=True) from death

    def _open_cell(self, worker: WorkerProcess, arm: str, place: str) -> None:
        """Make the operands in a process that has none yet. No memory for them is the machine's
        lack, and no fault of the arm that came first.
        """
        if place in self._open:
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
            self._drop(place)
            reason = f"{NO_ROOM}, or something else killed the process: {death}"
            raise ArmFailed(arm, Status.UNAVAILABLE, reason, died=True) from death
        self._open.add(place)

    def _drop(self, place: str) -> None:
        if place in self._workers:
            self._workers.pop(place).close()
        self._open.discard(place)

    def _worker(self, place: str) -> WorkerProcess:
        if place not in self._workers:
            began = time.monotonic()
            self._workers[place] = WorkerProcess(WORKER, self._settings)
            self.starting += time.monotonic() - began
        return self._workers[place]


def _no_memory(error: WorkerError) -> bool:
    """By the words of Python and of PyTorch's CPU allocator."""
    return error.kind == "MemoryError" or "can't allocate memory" in error.reason
