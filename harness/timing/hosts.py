"""The processes of a launch: which arms share one, and which start before they are asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from harness.isolation import (
    HERE,
    Arm,
    Place,
    WorkerDied,
    WorkerError,
    WorkerProcess,
    WorkerTimedOut,
)
from implementations import registry


class Host(NamedTuple):
    """One of a launch's processes: of the implementation from outside that has it for itself, or of
    all the package's own that run in one place.
    """

    owner: str | None = None
    place: Place = HERE


SHARED = Host()


def host_of(arm: Arm) -> Host:
    foreign = registry.is_foreign(arm.implementation)
    return Host(registry.name_of(arm.implementation) if foreign else None, arm.place)


def startable_hosts(arms: Iterable[Arm]) -> set[Host]:
    """Without those of arms that cannot be loaded here, which start when the arm is prepared, to
    which it is charged.
    """
    return {
        host_of(arm)
        for arm in arms
        if arm.place != HERE or registry.unavailable(arm.implementation) is None
    }


def becomes_ready(worker: WorkerProcess, names: Sequence[str], timeout: float) -> bool:
    """Wait until a worker that was begun has imported everything, those implementations too, and
    has nothing more to do. One that does not come to that is ended.
    """
    try:
        worker.await_start()
        worker.call("load_ahead", type(None), timeout, names=names)
    except WorkerError:  # it lives on; what cannot be imported is told when it is prepared
        return True
    except (WorkerDied, WorkerTimedOut):
        worker.close()
        return False
    except BaseException:
        worker.close()
        raise
    return True
