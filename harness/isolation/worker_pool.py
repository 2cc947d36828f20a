"""Work that nothing times, side by side: a lane for each CPU, and one worker at a time in each."""

from __future__ import annotations

import atexit
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from harness.isolation.fork_server import ForkServers
from harness.isolation.settings import WorkerSettings
from harness.isolation.worker_process import (
    Call,
    OnProgress,
    Reply,
    WorkerDied,
    WorkerError,
    WorkerProcess,
    WorkerTimedOut,
)

# Items of a group that another lane serves, below which helping it costs more than it brings.
WORTH_A_WORKER = 8
# Kept from one task to the next: what they have imported is what a job of a sweep need not.
FORK_SERVERS = ForkServers()
atexit.register(FORK_SERVERS.close)
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class WorkerKind:
    """Which worker an item needs: the module of its services, how it is set up, and what it is used
    for, since what one implementation leaves in a process is not for the next to find.
    """

    module: str
    settings: WorkerSettings
    used_for: str = ""


class Lane:
    """Asks a worker, which is replaced where another kind is needed, or the last has died.

    Lanes count from 0.
    """

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._worker: WorkerProcess | None = None
        self._kind: WorkerKind | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def call(
        self,
        kind: WorkerKind,
        service: str,
        reply: type[Reply],
        timeout: float,
        on_progress: OnProgress | None = None,
        **arguments: object,
    ) -> Reply:
        """What a worker of that kind answers. Raises what `WorkerProcess.call` raises."""
        if self._kind != kind:
            self.close()
        if self._worker is None:
            self._start(kind)
        worker = self._worker
        if worker is None:
            raise WorkerDied("the run was stopped")
        try:
            return worker.call(service, reply, timeout, on_progress, **arguments)
        except (WorkerDied, WorkerTimedOut, WorkerError):
            self.close()  # after an error too: something went wrong in that process
            raise

    def stop(self) -> None:
        """From another thread: end a call in progress with ``WorkerDied``; start nothing more."""
        with self._lock:
            self._stopped = True
            if self._worker is not None:
                self._worker.process.kill()

    def close(self) -> None:
        with self._lock:
            worker, self._worker, self._kind = self._worker, None, None
        if worker is not None:
            worker.close()

    def _start(self, kind: WorkerKind) -> None:
        settings = replace(kind.settings, lane=self._number)
        worker = WorkerProcess(kind.module, settings, FORK_SERVERS.start)
        with self._lock:
            self._worker, self._kind = worker, kind
            if self._stopped:
                worker.process.kill()


class _Backlog(Generic[Item]):
    """What is left to do, by the kind of worker that it needs."""

    def __init__(self, groups: Mapping[WorkerKind, Sequence[Item]], worth: int) -> None:
        self._worth = worth
        self._left = {kind: deque(items) for kind, items in groups.items()}
        self._served: set[WorkerKind] = set()
        self._lock = threading.Lock()

    def next_item(self, current: WorkerKind | None) -> tuple[WorkerKind, Item] | None:
        """The next item for the current worker, or of another group, where that is worth a worker's
        start; else None.
        """
        with self._lock:
            if current and self._left[current]:
                return current, self._left[current].popleft()
            kind = max(self._left, key=self._need)
            if self._need(kind) <= 0:
                return None
            self._served.add(kind)
            return kind, self._left[kind].popleft()

    def _need(self, kind: WorkerKind) -> int:
        """Items waiting for a kind of worker; if that kind is already served, only those beyond
        `worth`.
        """
        return len(self._left[kind]) - (self._worth if kind in self._served else 0)

    def drop(self) -> None:
        with self._lock:
            for items in self._left.values():
                items.clear()


@dataclass(frozen=True)
class _Failed:
    error: BaseException


def side_by_side(
    groups: Mapping[WorkerKind, Sequence[Item]],
    work: Callable[[Call, Item], Answer],
    lanes: int,
    worth: int = WORTH_A_WORKER,
) -> Generator[Answer]:
    """Do each item's work with the worker that its group wants, and yield answers as they come.

    ``work`` is given the worker's ``call`` and the item. A lane stays with a group to its end,
    since starting a worker costs seconds; then it takes another, or helps with one that has more
    than ``worth`` left. Closing the generator ends what is in progress. An error of ``work`` is
    raised.
    """
    backlog, all_lanes = _Backlog(groups, worth), [Lane(number) for number in range(lanes)]
    done: queue.SimpleQueue[Answer | _Failed] = queue.SimpleQueue()
    # A thread outlives its workers: the kernel kills a worker when the thread that started it ends.
    threads = [
        threading.Thread(target=_serve, args=(lane, backlog, work, done), daemon=True)
        for lane in all_lanes
    ]
    try:
        for thread in threads:
            thread.start()
        for _ in range(sum(map(len, groups.values()))):
            answer = done.get()
            if isinstance(answer, _Failed):
                raise answer.error
            yield answer
    finally:
        backlog.drop()
        for lane in all_lanes:
            lane.stop()
        for thread in threads:
            thread.join()


def _serve(
    lane: Lane,
    backlog: _Backlog[Item],
    work: Callable[[Call, Item], Answer],
    done: queue.SimpleQueue[Answer | _Failed],
) -> None:
    try:
        job = backlog.next_item(None)
        while job is not None:
            done.put(work(partial(lane.call, job[0]), job[1]))
            job = backlog.next_item(job[0])
    except BaseException as error:
        done.put(_Failed(error))
    finally:
        lane.close()
