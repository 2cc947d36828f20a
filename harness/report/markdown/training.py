"""The convergence part of a report: how soon each arm reached the target, and how well it ended."""

from __future__ import annotations

from collections.abc import Iterator

from harness import formatting
from harness.analysis.equivalence import LEAST_SEEDS
from harness.analysis.training_groups import TrainingGroup
from harness.analysis.training_tallies import TrainingTally, reference_arm, training_tallies
from harness.records import TrainingRecord, plain_fields
from harness.report import phrases

SIDE_BY_SIDE = "Times are left out: arms ran side by side and slowed each other down"
ELSEWHERE = ("timed", "alpha")  # of a cell's fields: they stand beside what they bear on


def table(group: TrainingGroup) -> str:
    """A row an arm: medians over seeds, and steps relative to the reference."""
    times = ["time to target", "time a step"] if group.timed else []
    header = ["arm", "seeds", "steps to target", "missed", *times, "test accuracy"]
    right = range(1, len(header))
    if reference := reference_arm(group):
        name = formatting.code(reference)
        header += [f"steps, relative to {name}", f"P(sooner than {name})"]
    rows = [_row(group, tally) for tally in training_tallies(group)]
    return formatting.columns(header, rows, right)


def by_seed(group: TrainingGroup) -> str:
    """A row an arm, a column a seed: steps to the target and, where it says something, the time
    they took.
    """
    header = ["arm", *(f"seed {seed}" for seed in group.seeds)]
    rows = []
    for name, runs in group.arms.items():
        rows.append([formatting.code(name), *(_run(group, runs.get(seed)) for seed in group.seeds)])
    return formatting.columns(header, rows, right=range(1, len(header)))


def remarks(group: TrainingGroup) -> Iterator[str]:
    """Runs that diverged or have no result, with the reason."""
    for arm, runs in group.arms.items():
        name = formatting.code(arm)
        for seed, record in runs.items():
            if record.figures is None:
                reason = formatting.plain(record.reason or "")
                yield f"{name} **{record.status}** at seed {seed}: {reason}"
            elif record.figures.diverged_at is not None:
                yield f"{name} diverged at step {record.figures.diverged_at} of seed {seed}"


def conditions(group: TrainingGroup) -> str:
    """How the arms were trained, in one line."""
    settings = sorted(plain_fields(group.definition).items())
    return "; ".join(
        f"{name.replace('_', ' ')} {value}"
        for name, value in settings
        if name not in {*ELSEWHERE, "seed"}
    )


def few_seeds(group: TrainingGroup) -> bool:
    """Whether no interval over so few seeds can be trusted to 95 %."""
    return len(group.seeds) < LEAST_SEEDS


def final_accuracy(tally: TrainingTally) -> str:
    """An arm's test accuracy, and how many of its seeds diverged and are not in it."""
    accuracy = phrases.accuracy(tally.accuracy)
    if not tally.diverged:
        return accuracy
    return f"{accuracy} ({tally.diverged} of {formatting.counted(tally.seeds, 'seed')} diverged)"


def _row(group: TrainingGroup, tally: TrainingTally) -> list[str]:
    row = [
        formatting.code(tally.implementation),
        str(tally.seeds),
        phrases.median_steps(tally.steps),
        f"{tally.misses} of {tally.seeds}",
    ]
    if group.timed:
        row += [phrases.median_seconds(tally.seconds), formatting.seconds(tally.step_seconds)]
    row.append(final_accuracy(tally))
    if reference := reference_arm(group):
        row.append(phrases.duration_ratio(tally.steps_ratio, row[0], formatting.code(reference)))
        row.append(formatting.bounded_or_absent(tally.outperforms))
    return row


def _run(group: TrainingGroup, record: TrainingRecord | None) -> str:
    if record is None:
        return "not measured"
    if record.figures is None:
        return f"**{record.status}**"
    steps = record.figures.steps_to_target
    if steps is None:
        return "missed" if record.figures.diverged_at is None else "diverged"
    if not group.timed:
        return f"{steps:,}"
    return f"{steps:,} ({formatting.seconds(record.figures.seconds_to_target)})"
