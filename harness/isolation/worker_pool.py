"""Work that nothing times, side by side: a lane for each CPU, and in each lane one worker at a
time.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Generic, TypeVar

from harness.isolation.worker_process import Host, Killed, Overdue, RemoteError, Settings

Wanted = tuple[str, Settings]  # what a worker serves, and how it is set up
# items of a group that another lane serves, below which helping it costs more than it brings
WORTH_A_WORKER = 8
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Lane:
    """Asks a worker, which is replaced where another one is wanted, or the last has died. Lanes
    count from 0.
    """

    def __init__(self, number: int = 0) -> None:
        self._number = number
        self._host: Host | None = None
        self._wanted: Wanted | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def call(self, wanted: Wanted, service: str, timeout: float, **arguments: Any) -> Any:
        """What the worker for ``wanted`` answers. Raises what `Host.call` raises."""
        if self._wanted != wanted:
            self.close()
        if self._host is None:
            self._started(wanted)
        host = self._host
        if host is None:
            raise Killed("the run was stopped")
        try:
            return host.call(service, timeout, **arguments)
        # the last left a worker that something went wrong in
        except (Killed, Overdue, RemoteError):
            self.close()
            raise

    def stop(self) -> None:
        """From another thread: end a call in progress with ``Killed``, and start nothing more."""
        with self._lock:
            self._stopped = True
            if self._host is not None:
                self._host.process.kill()

    def close(self) -> None:
        with self._lock:
            host, self._host, self._wanted = self._host, None, None
        if host is not None:
            host.close()

    def _started(self, wanted: Wanted) -> None:
        host = Host(replace(wanted[1], lane=self._number))
        with self._lock:
            self._host, self._wanted = host, wanted
            if self._stopped:
                host.process.kill()


class _Backlog(Generic[Item]):
    """What is left to do, by the worker that it wants."""

    def __init__(self, groups: Mapping[Wanted, Sequence[Item]], worth: int) -> None:
        self._worth = worth
        self._left = {wanted: deque(items) for wanted, items in groups.items()}
        self._served: set[Wanted] = set()
        self._lock = threading.Lock()

    def taken(self, current: Wanted | None) -> tuple[Wanted, Item] | None:
        """The next item for the current worker, or of another group, where that is worth a worker's
        start; else None.
        """
        with self._lock:
            if current and self._left[current]:
                return current, self._left[current].popleft()
            wanted = max(self._left, key=self._need)
            if self._need(wanted) <= 0:
                return None
            self._served.add(wanted)
            return wanted, self._left[wanted].popleft()

    def _need(self, wanted: Wanted) -> int:
        """How many items wait for a worker that nobody has started, or more than a second one is
        worth.
        """
        return len(self._left[wanted]) - (self._worth if wanted in self._served else 0)

    def drop(self) -> None:
        with self._lock:
            for items in self._left.values():
                items.clear()


@dataclass(frozen=True)
class _Failed:
    error: BaseException


def side_by_side(
    groups: Mapping[Wanted, Sequence[Item]],
    work: Callable[[Callable[..., Any], Item], Answer],
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
    work: Callable[[Callable[..., Any], Item], Answer],
    done: queue.SimpleQueue[Answer | _Failed],
) -> None:
    try:
        job = backlog.taken(None)
        while job is not None:
            done.put(work(partial(lane.call, job[0]), job[1]))
            job = backlog.taken(job[0])
    except BaseException as error:
        done.put(_Failed(error))
    finally:
        lane.close()
