"""Every task takes its share of the machine for each record, and records how long it waited. No
worker is started.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from harness.config import (
    Config,
    ConformanceConfig,
    DeviceConfig,
    ProblemConfig,
    TaskConfig,
    ThroughputConfig,
    TrackingConfig,
)
from harness.config.validation import validated
from harness.environment import Environment
from harness.isolation import Arm, WorkerDied
from harness.isolation.loading import Loading
from harness.records import Seconds, Status
from harness.statistics import LaunchVariance, Prior
from harness.tasks import conformance, throughput
from harness.timing import cell_rounds
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell_progress import CellProgress


def configured(task: TaskConfig) -> Config:
    return validated(
        Config(
            task=task,
            problem=ProblemConfig(shapes=[[4, 3, 5], [8, 3]]),
            device=DeviceConfig(threads=1),
            tracking=TrackingConfig(),
            implementations=["torch_native"],
        )
    )


class Lock:
    """A machine lock that says who takes it, and is held as long as the work goes on."""

    def __init__(self) -> None:
        self.taken: list[bool] = []
        self.held = False

    @contextmanager
    def __call__(self, *, timed: bool = True) -> Generator[Seconds]:
        self.taken.append(timed)
        self.held = True
        yield Seconds(1.5)
        self.held = False


def test_conformance_shares_the_machine_case_by_case(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lock()

    def call(*_: object, **__: object) -> None:
        assert lock.held
        raise WorkerDied("it died")

    monkeypatch.setattr(conformance, "machine_lock", lock)
    config = configured(ConformanceConfig(cases="edges/eps_0/*"))
    identity, *_ = conformance.plan(config, Environment())
    record = conformance._checked(call, Arm("torch_native"), identity, "s", 1.0, Loading(1.0))
    assert not lock.held
    assert lock.taken == [False]
    assert record.status is Status.CRASHED
    assert record.cost.lock_wait_seconds == 1.5
    assert record.cost.check_seconds < 1.5


def _fail(cell: CellProgress) -> None:
    for arm in cell.spec.arms:
        cell.measured.put_out(ArmFailed(arm, Status.CRASHED, "it died"))


def test_throughput_has_the_machine_to_itself_cell_by_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lock()

    def measure_pilot(cell: CellProgress, *_: object) -> None:
        assert lock.held
        _fail(cell)

    monkeypatch.setattr(throughput, "machine_lock", lock)
    monkeypatch.setattr(CellProgress, "measure_pilot", measure_pilot)
    config = configured(ThroughputConfig())
    todo = throughput.plan(config, Environment())
    for record in throughput.measure(config, todo, "s", lambda _: None):
        assert not lock.held  # others may have it while the record is written
        assert record.cost.lock_wait_seconds == 1.5
    assert lock.taken == [True, True]


def test_from_the_third_cell_on_launches_go_by_the_noise_of_the_cells_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    priors: list[Prior | None] = []

    def rule(_spec: object, _measured: object, prior: Prior | None) -> dict[str, int]:
        priors.append(prior)
        return {}

    def rows(_spec: object, _measured: object, cell: str) -> dict[str, LaunchVariance]:
        return {"canary": LaunchVariance(1e-4, 3, cell, (1.0,))}

    monkeypatch.setattr(CellProgress, "measure_pilot", lambda cell, *_: _fail(cell))
    monkeypatch.setattr(cell_rounds, "launch_variances", rows)
    config = configured(ThroughputConfig(phases=["training_step", "inference"]))
    todo = throughput.plan(config, Environment())
    assert list(throughput.measure(config, todo, "s", lambda _: None, rule=rule))
    assert [prior and prior.cells for prior in priors] == [None, None, 2, 3]
