"""The harness as two functions, for notebooks and for other projects' own tests. Nothing is written
to disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TypeVar

from harness.config import (
    Config,
    ConformanceConfig,
    DeviceConfig,
    ProblemConfig,
    TaskConfig,
    ThroughputConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.choices import Cache, Inputs
from harness.config.validation import validated
from harness.environment import capture
from harness.records import AnyRecord, CaseRecord, ThroughputRecord
from harness.tasks import task_of
from implementations.interface import Face, Outputs, Problem
from implementations.registry import Specification

Item = TypeVar("Item")

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
    accuracy: float | None = None,
) -> list[ThroughputRecord]:
    """Time implementations side by side on each problem; a record for each of them, and the
    canary's. Each is a name or a mapping, with a label or a place if it has one, as the key
    ``implementations`` takes them. Each record's interval is of its own cell;
    `harness.analysis.moderation.moderate` gives those of all cells together.

    The arguments are the keys of ``task=throughput``. Raises ``UsageError`` for what cannot be
    measured as asked.
    """
    task = ThroughputConfig(
        phases=_listed("phases", phases),
        faces=_listed("faces", faces),
        outputs=outputs,
        cache=cache,
        inputs=inputs,
        launches=launches,
        most_launches=most_launches,
        blocks=blocks,
        accuracy=accuracy,
    )
    records: list[AnyRecord] = []
    for problem in _checked(problems):
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
            implementations=_listed("implementations", implementations),
            baseline=baseline,
        )
    )
    module = task_of(config)
    planned = module.plan(config, capture())
    made = {record.key: record for record in module.measure(config, planned, SESSION, _silent)}
    return [made[identity.key] for identity in planned if identity.key in made]


def _checked(problems: Iterable[object]) -> list[Problem]:
    if isinstance(problems, Problem):
        raise UsageError(f"problems is one Problem; a list is wanted: [{problems!r}]")
    found = []
    for problem in problems:
        if not isinstance(problem, Problem):
            raise UsageError(
                f"problems holds {problem!r}, which is no Problem; write Problem((4, 3, 5)), with "
                "Problem from implementations.interface"
            )
        found.append(problem)
    return found


def _listed(name: str, given: Iterable[Item]) -> list[Item]:
    """The items of an argument that takes several; of a text they would be its letters."""
    if isinstance(given, str):
        raise UsageError(f"{name}={given!r}: a list is wanted; write {name}=[{given!r}]")
    return list(given)


def _silent(_: str) -> None:
    """Progress goes nowhere."""
