"""What a gate measures: a job for each pair under each configuration. Their budgets together are
the gate's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.config import Config, ThroughputConfig, UsageError
from harness.config.effects import key_of
from harness.gate.pairs import MeasuredPair
from harness.problems import problems
from harness.statistics.stopping_rule import StoppingRule
from harness.tasks.common import task_config

# Keys that say in a run what a gate says itself, and what to do in their place.
DECIDED_BY_THE_GATE = {
    "baseline": "the baseline is the arm of base",
    "alpha": "gate.alarms is the share of gates of two equal trees that may raise an alarm",
    "resume": "nothing is compared with what was measured before",
    "task.cell_seconds": "gate.seconds is shared out over the cells",
    "gate.fail_if": "a gate ends with 1 where anything is slower or broken",
    "hydra": "a gate runs its jobs itself, one after the other",
}


# Where nobody asks for other numbers of them: few, since a gate looks after each, and in all more
# than a run takes.
LAUNCHES, MOST_LAUNCHES = 3, 12


@dataclass(frozen=True)
class GateJob:
    """``name`` says of what the job is, in messages and in the journal; ``rule`` decides its
    ``cells``, which have their part of the gate's alarms.
    """

    name: str
    config: Config
    cells: int
    rule: StoppingRule


def refuse_contradictions(overrides: Sequence[str], configs: Sequence[Config]) -> None:
    """Raise ``UsageError`` for a key that says what the gate says itself, or another task."""
    for word in overrides:
        key = key_of(word)
        reason = DECIDED_BY_THE_GATE.get(key) or DECIDED_BY_THE_GATE.get(key.partition(".")[0])
        if reason is not None:
            raise UsageError(f"{word} has no place in a gate: {reason}; leave it out")
    for config in configs:
        if not isinstance(config.task, ThroughputConfig):
            raise UsageError(
                f"task={config.task.name}: a gate is of task=throughput, which also checks that "
                "results are right; leave it out, and run the other by bnbench run"
            )


def with_launches(config: Config) -> Config:
    """A gate decides after few launches where it can, and takes many where it has to, unless the
    configuration asks for other numbers than a run's.
    """
    task = config.task
    if not isinstance(task, ThroughputConfig) or task.most_launches is not None:
        return config
    if task.launches != ThroughputConfig.launches:
        return config
    return replace(config, task=replace(task, launches=LAUNCHES, most_launches=MOST_LAUNCHES))


def jobs_of(pairs: Sequence[MeasuredPair], configs: Sequence[Config]) -> list[GateJob]:
    """A job for each pair that has a head, under each configuration."""
    measured = [one for one in pairs if one.pair.head is not None]
    cells = len(measured) * sum(map(_cells, configs))
    return [
        GateJob(
            f"{number} {one.pair.implementation}",
            _config(one, config, config.gate.seconds / max(1, cells)),
            _cells(config),
            stopping_rule([config], config.gate.alarms * _cells(config) / max(1, cells)),
        )
        for number, (config, one) in enumerate(
            (config, one) for config in configs for one in measured
        )
    ]


def stopping_rule(configs: Sequence[Config], alarms: float) -> StoppingRule:
    """The rule of cells under all these configurations, with this share of alarms."""
    tasks = [task_config(config, ThroughputConfig) for config in configs]
    pilot = max(task.launches for task in tasks)
    most = max(task.most_launches or 2 * task.launches for task in tasks)
    try:
        return StoppingRule(alarms, configs[0].alpha, configs[0].margin, pilot, max(pilot, most))
    except ValueError as error:
        raise UsageError(f"{error} (task.launches={pilot}, margin={configs[0].margin})") from None


def _config(measured: MeasuredPair, config: Config, cell_seconds: float) -> Config:
    base, head = measured.pair.base, measured.pair.head
    return replace(
        config,
        implementations=list(measured.items),
        baseline=base or head or config.baseline,
        task=replace(config.task, cell_seconds=cell_seconds),  # type: ignore[call-arg]  # seen above
    )


def _cells(config: Config) -> int:
    """How many cells one pair has."""
    task = task_config(config, ThroughputConfig)
    return len(list(problems(config.problem))) * len(task.phases) * len(task.faces)
