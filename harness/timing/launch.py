"""One launch: the worker processes in which the arms of a cell stand side by side.

The package's own implementations share a process. An implementation from outside gets one of its
own, so that its threads, its memory and its death are its own; the parent asks for one sample at a
time, so all stay in step.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Self

from harness.isolation import WAIT_POLICIES, Host, Killed, Overdue, RemoteError, Settings
from harness.records import Status
from harness.timing.timing_result import Taken
from implementations import registry

SHARED = "shared"


REFUSALS = {"Unsupported": Status.UNSUPPORTED, "Unavailable": Status.UNAVAILABLE}


class NotOK(Exception):  # noqa: N818 -- an event that becomes a record
    """An arm refused, crashed, hung, or computed something wrong, and is out of this cell.

    ``died`` tells whether its process went with it, and with that the arms beside it.
    """

    def __init__(self, arm: str, status: Status, reason: str, *, died: bool = False) -> None:
        super().__init__(f"{arm}: {status}: {reason}")
        self.arm, self.status, self.reason, self.died = arm, status, reason, died


class Launch:
    """Worker processes, started when first needed and kept from cell to cell: imports are paid once
    a launch.
    """

    def __init__(self, settings: Settings, timeout: float) -> None:
        self._settings, self._timeout = settings, timeout
        self._hosts: dict[str, Host] = {}
        self._home: dict[str, str] = {}
        self._cell: dict[str, Any] = {}
        self._open: set[str] = set()
        self._sampled: str | None = None
        self.starting = 0.0  # seconds spent on starting processes

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        return [host.process.pid for host in self._hosts.values()]

    def lay_out(self, cell: Mapping[str, Any]) -> None:
        """Begin a cell. Its arrays are made in a process when the first arm is prepared there."""
        self._cell, self._home, self._open = dict(cell), {}, set()

    def prepare(self, arm: str, implementation: registry.Specification) -> dict[str, float]:
        """What making the arm ready cost, in seconds. Raises ``NotOK``."""
        self._home[arm] = (
            registry.name_of(implementation) if registry.is_foreign(implementation) else SHARED
        )
        plain = implementation if isinstance(implementation, str) else dict(implementation)
        cost: dict[str, float] = self._ask(arm, "timing.prepare", implementation=plain)
        return cost

    def prepare_floor(self, arm: str, stores: str) -> int:
        """Make an arm of the least traffic, with that kind of stores; its bytes. Raises
        ``NotOK``.
        """
        self._home[arm] = SHARED
        moved: int = self._ask(arm, "timing.prepare_floor", stores=stores)["bytes"]
        return moved

    def verify(self, arm: str, *, whole: bool) -> float:
        """Hold an arm against the oracle; the seconds that took. Raises ``NotOK`` with status
        WRONG.
        """
        return self._judged(arm, "timing.verify", whole=whole)

    def audit(self, arm: str, calls: int) -> float:
        """See whether an arm works as it did when it was verified; the seconds that took. Raises
        ``NotOK``.
        """
        return self._judged(arm, "timing.audit", calls=calls)

    def measure_memory(self, arm: str) -> dict[str, int | None]:
        """``saved_bytes`` and ``peak_extra_bytes`` of an arm. Raises ``NotOK``."""
        told: dict[str, int | None] = self._ask(arm, "timing.measure_memory")
        return told

    def sample(self, arm: str, calls: int, untimed: int) -> Taken:
        """A sample, begun when the process sampled before has gone quiet. Raises ``NotOK``."""
        if self._home[arm] != self._sampled:
            time.sleep(WAIT_POLICIES[self._settings.wait_policy].settle_seconds)
            self._sampled = self._home[arm]
        return Taken(**self._ask(arm, "timing.sample", calls=calls, untimed=untimed))

    def clear(self) -> None:
        """Give back the cell's memory; the processes stay."""
        for home in self._open & self._hosts.keys():
            try:
                self._hosts[home].call("timing.clear", self._timeout)
            # it has nothing to give back any more; the next cell starts another
            except (Killed, Overdue):
                self._hosts.pop(home).close()
        self._open.clear()

    def close(self) -> None:
        for host in self._hosts.values():
            host.close()
        self._hosts.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _judged(self, arm: str, service: str, **arguments: Any) -> float:
        answer = self._ask(arm, service, **arguments)
        if answer["reason"] is not None:
            raise NotOK(arm, Status.WRONG, answer["reason"])
        seconds: float = answer["seconds"]
        return seconds

    def _ask(self, arm: str, service: str, **arguments: Any) -> Any:
        """One request, and whatever goes wrong with it laid to the arm that it was for."""
        home = self._home[arm]
        try:
            if home not in self._hosts:
                began = time.monotonic()
                self._hosts[home] = Host(self._settings)
                self.starting += time.monotonic() - began
            if home not in self._open:
                self._hosts[home].call("timing.open", self._timeout, **self._cell)
                self._open.add(home)
            return self._hosts[home].call(service, self._timeout, arm=arm, **arguments)
        except RemoteError as error:
            if error.kind in REFUSALS:
                raise NotOK(arm, REFUSALS[error.kind], error.reason) from error
            raise NotOK(
                arm, Status.CRASHED, ("out of memory: " if _no_memory(error) else "") + str(error)
            ) from error
        except (Killed, Overdue) as death:
            status = Status.CRASHED if isinstance(death, Killed) else Status.TIMEOUT
            self._hosts.pop(home).close()
            self._open.discard(home)
            raise NotOK(arm, status, str(death), died=True) from death


def _no_memory(error: RemoteError) -> bool:
    # as PyTorch's CPU allocator says it
    return error.kind == "MemoryError" or "can't allocate memory" in error.reason
