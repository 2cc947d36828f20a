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

# Keys that say in a run what a gate says itself, and what to do in their place.
DECIDED_BY_THE_GATE = {
    "baseline": "the baseline is the arm of base",
    "alpha": "gate.alarms is the share of gates of two equal trees that may raise an alarm",
    "resume": "nothing is compared with what was measured before",
    "task.cell_seconds": "gate.seconds is shared out over the cells",
    "gate.fail_if": "a gate ends with 1 where anything is slower or broken",
    "hydra": "a gate runs its jobs itself, one after the other",
}


@dataclass(frozen=True)
class GateJob:
    """``name`` says of what the job is, in messages and in the journal."""

    name: str
    config: Config


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


def jobs_of(pairs: Sequence[MeasuredPair], configs: Sequence[Config]) -> list[GateJob]:
    """A job for each pair that has a head, under each configuration."""
    measured = [one for one in pairs if one.pair.head is not None]
    cells = len(measured) * sum(map(_cells, configs))
    return [
        GateJob(
            f"{number} {one.pair.implementation}",
            _config(one, config, config.gate.seconds / max(1, cells)),
        )
        for number, (config, one) in enumerate(
            (config, one) for config in configs for one in measured
        )
    ]


def _config(measured: MeasuredPair, config: Config, cell_seconds: float) -> Config:
    base, head = measured.pair.base, measured.pair.head
    return replace(
        config,
        implementations=list(measured.items),
        baseline=base or head or config.baseline,
        alpha=config.gate.alarms,
        task=replace(config.task, cell_seconds=cell_seconds),  # type: ignore[call-arg]  # seen above
    )


def _cells(config: Config) -> int:
    """How many cells one pair has."""
    task = config.task
    if not isinstance(task, ThroughputConfig):
        raise TypeError(f"a gate of task={task.name} should have been refused")
    return len(list(problems(config.problem))) * len(task.phases) * len(task.faces)
