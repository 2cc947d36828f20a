"""What goes wrong while a cell is opened is charged to whom it belongs."""

from __future__ import annotations

import pytest

from harness.isolation import Arm, WorkerDied, WorkerError, WorkerSettings
from harness.isolation.messages import RemoteFailure
from harness.records import Status
from harness.timing import launch
from harness.timing.messages import CellSetup
from implementations.interface import Phase, Problem

SETUP = CellSetup(Problem((2, 2)), Phase.TRAINING_STEP, "layer", "fresh", "cpu", 0, "normal")


class Worker:
    """Raises what it is given when a cell is opened in it."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def call(self, service: str, *_: object, **__: object) -> None:
        if service == "open":
            raise self.failure

    def close(self) -> None:
        """Nothing to end."""


def remote(kind: str, reason: str) -> WorkerError:
    return WorkerError(RemoteFailure(kind, reason, "inputs.py:1"))


OPENING = {
    "no memory": (remote("MemoryError", "Unable to allocate 1 PiB"), Status.UNAVAILABLE, False),
    "no memory for PyTorch": (
        remote("RuntimeError", "DefaultCPUAllocator: can't allocate memory"),
        Status.UNAVAILABLE,
        False,
    ),
    "killed": (WorkerDied("of SIGKILL", killed=True), Status.UNAVAILABLE, True),
    "a segmentation fault": (WorkerDied("of SIGSEGV"), Status.CRASHED, True),
    "another error": (remote("KeyError", "no_such_thing"), Status.CRASHED, False),
}


@pytest.mark.parametrize("name", OPENING)
def test_inputs_for_which_there_is_no_memory_are_no_fault_of_the_arm(name, monkeypatch):
    failure, status, died = OPENING[name]
    monkeypatch.setattr(launch, "WorkerProcess", lambda *_: Worker(failure))
    opened = launch.Launch(WorkerSettings(), 1.0)
    opened.open(SETUP)
    with pytest.raises(launch.ArmFailed) as failed:
        opened.prepare("numpy", Arm("numpy"))
    assert (failed.value.status, failed.value.died) == (status, died)
    assert (launch.NO_ROOM in failed.value.reason) == (status is Status.UNAVAILABLE)
