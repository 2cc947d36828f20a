"""The harness as two functions, for notebooks and for other projects' own tests. Nothing is written
to disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from harness.config import (
    Config,
    ConformanceConfig,
    DeviceConfig,
    ProblemConfig,
    TaskConfig,
    ThroughputConfig,
    TrackingConfig,
)
from harness.config.choices import Cache, Inputs
from harness.config.validation import validated
from harness.environment import capture
from harness.records import AnyRecord, CaseRecord, ThroughputRecord
from harness.tasks import task_of
from implementations.interface import Face, Outputs, Problem
from implementations.registry import Specification

SESSION = "api"  # these records belong to no session's journal


def check(
    implementation: Specification,
    *,
    cases: str = "*",
    thorough: bool = False,
    threads: int | None = None,
) -> list[CaseRecord]:
    """Hold one implementation, a name or ``{"_target_": "package.Class"}``, against the conformance
    suite.

    One record a case whose name the glob ``cases`` matches, in the order of the cases; ``thorough``
    adds those that take longer. All are OK or UNSUPPORTED for one that is right. In its own
    project's tests that reads

        @pytest.mark.parametrize("record", harness.check("mine"), ids=lambda r: r.cell.case)
        def test_my_batch_norm_conforms(record):
            assert not record.failed, record.reason

    Runs in processes of its own. Raises ``UsageError`` for an unknown name, or a glob that matches
    nothing.
    """
    task = ConformanceConfig(cases=cases, thorough=thorough)
    records = _records([implementation], task, ProblemConfig(), threads)
    return [record for record in records if isinstance(record, CaseRecord)]


def measure(
    implementations: Sequence[Specification],
    problems: Iterable[Problem],
    *,
    phases: Sequence[str] = ("training_step",),
    faces: Sequence[Face] = ("layer",),
    outputs: Outputs = "fresh",
    cache: Cache = "warm",
    inputs: Inputs = "normal",
    threads: int | None = None,
    launches: int = 8,
    most_launches: int | None = None,
    blocks: int = 5,
    baseline: str = "torch_native",
) -> list[ThroughputRecord]:
    """Time implementations side by side on each problem; a record for each of them, and the
    canary's.

    The arguments are the keys of ``task=throughput``. Raises ``UsageError`` for what cannot be
    measured as asked.
    """
    task = ThroughputConfig(
        phases=list(phases),
        faces=list(faces),
        outputs=outputs,
        cache=cache,
        inputs=inputs,
        launches=launches,
        most_launches=most_launches,
        blocks=blocks,
    )
    records: list[AnyRecord] = []
    for problem in problems:
        attributes = {key: value for key, value in asdict(problem).items() if key != "shape"}
        described = ProblemConfig(shapes=[list(problem.shape)], **attributes)
        records += _records(implementations, task, described, threads, baseline)
    return [record for record in records if isinstance(record, ThroughputRecord)]


def _records(
    implementations: Sequence[Specification],
    task: TaskConfig,
    problem: ProblemConfig,
    threads: int | None,
    baseline: str = "torch_native",
) -> list[AnyRecord]:
    config = validated(
        Config(
            task=task,
            problem=problem,
            device=DeviceConfig(threads=threads),
            tracking=TrackingConfig(),
            implementations=list(implementations),
            baseline=baseline,
        )
    )
    module = task_of(config)
    planned = module.plan(config, capture())
    made = {record.key: record for record in module.measure(config, planned, SESSION, _silent)}
    return [made[identity.key] for identity in planned if identity.key in made]


def _silent(_: str) -> None:
    """Progress goes nowhere."""
