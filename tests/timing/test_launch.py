"""Which arms share a process, and what goes wrong while a cell is opened is charged to whom it
belongs.
"""

from __future__ import annotations

import pytest

from harness.isolation import (
    HERE,
    Arm,
    Place,
    WorkerDied,
    WorkerError,
    WorkerSettings,
    WorkerUnavailable,
)
from harness.isolation.messages import RemoteFailure
from harness.records import Cost, Status
from harness.timing import launch
from harness.timing.arm_failure import ArmFailed
from harness.timing.hosts import Host
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
    with pytest.raises(ArmFailed) as failed:
        opened.prepare("numpy", Arm("numpy"))
    assert (failed.value.status, failed.value.died) == (status, died)
    assert (launch.NO_ROOM in failed.value.reason) == (status is Status.UNAVAILABLE)


V3, OTHER = Place(variables=(("BNBENCH_ISA", "v3"),)), Place(python="../env/bin/python")
FOREIGN = {"_target_": "my_bn.Mine"}
ARMS = [
    Arm("numpy"),
    Arm("numpy", V3),
    Arm("torch_native", V3),
    Arm(FOREIGN, V3),
    Arm("fused_cpu"),
    Arm(FOREIGN),
    Arm("torch_native", OTHER),
]


class Answering:
    """Prepares what it is asked to."""

    started: list[Place]

    def __init__(self, _module: str, settings: WorkerSettings) -> None:
        self.started.append(settings.place)

    def call(self, _service: str, reply: type, *_: object, **__: object) -> object:
        return Cost() if reply is Cost else None

    def close(self) -> None:
        """Nothing to end."""


def test_arms_of_one_place_share_a_process_and_an_arm_from_outside_has_its_own(monkeypatch):
    monkeypatch.setattr(Answering, "started", [], raising=False)
    monkeypatch.setattr(launch, "WorkerProcess", Answering)
    with launch.Launch(WorkerSettings(), 1.0) as opened:
        opened.open(SETUP)
        for number, arm in enumerate(ARMS):
            opened.prepare(f"arm {number}", arm)
    assert Answering.started == [HERE, V3, V3, HERE, OTHER]


def test_a_place_where_no_worker_starts_is_tried_once_and_costs_its_own_arms_only(monkeypatch):
    tried = []

    def unavailable(_module: str, settings: WorkerSettings) -> None:
        tried.append(settings.place)
        raise WorkerUnavailable("it has no bnbench")

    monkeypatch.setattr(launch, "WorkerProcess", unavailable)
    unloadable: dict[Host, ArmFailed] = {}
    for _ in range(2):  # launches of one task share what they know
        opened = launch.Launch(WorkerSettings(), 1.0, unloadable)
        opened.open(SETUP)
        for arm in ("one", "other"):
            with pytest.raises(ArmFailed) as failed:
                opened.prepare(arm, Arm("numpy", OTHER))
            assert (failed.value.arm, failed.value.status) == (arm, Status.UNAVAILABLE)
            assert failed.value.reason == "it has no bnbench"
            assert not failed.value.died
    assert tried == [OTHER]
