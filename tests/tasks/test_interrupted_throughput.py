"""A throughput task that ends early hands over what it has measured. No worker is started."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from harness.config import Config, DeviceConfig, ProblemConfig, ThroughputConfig, TrackingConfig
from harness.config.validation import validated
from harness.environment import Environment
from harness.records import Status, ThroughputRecord
from harness.session import jobs
from harness.store import Journal, SessionStart
from harness.tasks import throughput
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell_progress import CellProgress
from harness.timing.cell_spec import CellSpec

SHAPES = [[4, 3, 5], [8, 3], [16, 3]]


class Rounds:
    """One cell is settled after its pilot; the others wait for launches that end in ``end``."""

    end: BaseException

    def __init__(self, *_: object) -> None:
        self.waiting: dict[str, CellProgress] = {}

    def measure(self, specs: Mapping[str, CellSpec]) -> Generator[CellProgress]:
        first, *others = [CellProgress(key, spec) for key, spec in specs.items()]
        for cell in (first, *others):
            for arm in cell.spec.arms:
                cell.measured.put_out(ArmFailed(arm, Status.CRASHED, "it died"))
        self.waiting = {cell.key: cell for cell in others}
        yield first
        raise self.end


@pytest.fixture
def config(tmp_path: Any) -> Config:
    return validated(
        Config(
            task=ThroughputConfig(),
            problem=ProblemConfig(shapes=SHAPES),
            device=DeviceConfig(threads=1),
            tracking=TrackingConfig(),
            implementations=["torch_native"],
            journal=str(tmp_path / "journal"),
        )
    )


@pytest.mark.parametrize("end", [KeyboardInterrupt(), OSError("no worker starts any more")])
def test_cells_that_wait_are_handed_over_before_the_task_ends(
    config: Config, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    monkeypatch.setattr(Rounds, "end", end, raising=False)
    monkeypatch.setattr(throughput, "CellRounds", Rounds)
    todo = throughput.plan(config, Environment())
    made: list[ThroughputRecord] = []
    with pytest.raises(type(end)):
        made.extend(throughput.measure(config, todo, "s", lambda _: None))
    assert [record.key for record in made] == [identity.key for identity in todo]


@pytest.mark.parametrize("after", range(1, 7))
def test_whenever_a_job_is_interrupted_all_that_was_measured_is_journalled_once(
    config: Config, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(Rounds, "end", KeyboardInterrupt(), raising=False)
    monkeypatch.setattr(throughput, "CellRounds", Rounds)
    monkeypatch.setenv("BNBENCH_PARENT_RUN", "")
    todo = throughput.plan(config, Environment())
    journal = Journal(config.journal)
    journal.begin(SessionStart("s", "2026-01-01T00:00:00+00:00", (), Environment(), {}, ""))
    checks = iter([None] * (after - 1))

    def check() -> None:
        if next(checks, KeyboardInterrupt) is KeyboardInterrupt:
            raise KeyboardInterrupt

    monkeypatch.setattr("harness.isolation.interruption.check", check)
    with pytest.raises(KeyboardInterrupt):
        jobs.measure(config, "s", "0", todo, Environment())
    keys = [record.key for record in journal.read().history]
    assert sorted(keys) == sorted(identity.key for identity in todo)
