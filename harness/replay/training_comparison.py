"""Two trainings of the same recipe and seed: the same bit for bit, the same in the end, or what
differs first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import statistics
from harness.analysis.equivalence import LEAST_SEEDS
from harness.formatting import counted, points
from harness.records import TrainingFigures, TrainingRecord, TrainingStep
from harness.replay.outcomes import Outcome, ReplayVerdict
from harness.statistics import POINT

TrainingPair = tuple[TrainingRecord, TrainingRecord]


def bitwise_differences(original: TrainingRecord, again: TrainingRecord) -> Iterator[str]:
    """What differs, causes before their effects. What an old record lacks is not compared, and
    times are not.
    """
    before, after = original.figures, again.figures
    if before is None or after is None:
        yield from _loss_difference(original, again)
        yield from _curve_differences(original, again)
        return
    yield from _hash_difference("the data differ", before.data_sha256, after.data_sha256)
    yield from _hash_difference(
        "the initial weights differ", before.initial_sha256, after.initial_sha256
    )
    yield from _loss_difference(original, again)
    yield from _hash_difference(
        "the hash of the losses differs", before.losses_sha256, after.losses_sha256
    )
    yield from _hash_difference(
        "parameters or buffers differ after the same losses",
        before.parameters_sha256,
        after.parameters_sha256,
    )
    yield from _curve_differences(original, again)
    yield from _figure_differences(before, after)


def final_differences(original: TrainingRecord, again: TrainingRecord) -> Iterator[str]:
    """Whether test accuracies differ by more than `POINT`."""
    before, after = _final_accuracy(original), _final_accuracy(again)
    if (before is None) != (after is None):
        yield f"one diverged: test accuracy {before} → {after}"
    elif before is not None and after is not None and abs(after - before) > POINT:
        yield f"test accuracy {100 * before:.1f} % → {100 * after:.1f} %"


def compare_seeds(pairs: Sequence[TrainingPair]) -> ReplayVerdict:
    """All seeds of an arm, compared as a report compares two implementations."""
    changed = [
        f"{before.cell.seed}: {before.status} → {after.status}"
        for before, after in pairs
        if before.status is not after.status
    ]
    if changed:
        return ReplayVerdict(Outcome.DIFFERENT, f"at seed {'; '.join(changed)}")
    known = _accuracies(pairs)
    alpha = pairs[0][0].cell.alpha
    after, before = [new for _, new in known], [old for old, _ in known]
    found = statistics.equivalence(after, before, POINT, alpha)
    if found is None or len(known) < LEAST_SEEDS:
        seeds = counted(len(known), "seed")
        return ReplayVerdict(
            Outcome.AMBIGUOUS, f"{seeds} with a test accuracy; a verdict takes {LEAST_SEEDS}"
        )
    difference = points(found.difference)
    note = f"test accuracy {difference} points over {len(known)} seeds, of {len(pairs)}"
    diverged = _seeds_where_one_diverged(pairs)
    if diverged:
        return ReplayVerdict(
            Outcome.AMBIGUOUS, f"{note}; one alone diverged at seed {', '.join(diverged)}"
        )
    return ReplayVerdict(_outcome(found), note)


def has_hashes(record: TrainingRecord) -> bool:
    """Whether a record of a training that is OK has all hashes that a comparison looks at."""
    figures = record.figures
    return figures is None or None not in (
        figures.data_sha256,
        figures.initial_sha256,
        figures.losses_sha256,
        figures.parameters_sha256,
    )


def _hash_difference(description: str, before: str | None, after: str | None) -> Iterator[str]:
    if before is not None and after is not None and before != after:
        yield f"{description}: SHA-256 {before[:16]}… → {after[:16]}…"


def _loss_difference(original: TrainingRecord, again: TrainingRecord) -> Iterator[str]:
    before, after = ([step.loss for step in record.samples] for record in (original, again))
    first = statistics.first_difference(before, after)
    if first is not None:
        distance = "" if first.ulps is None else f", {first.ulps} ulp"
        old, new = _loss_at(before, first.step), _loss_at(after, first.step)
        yield f"losses first differ at step {first.step}: {old} → {new}{distance}"


def _loss_at(losses: Sequence[float], step: int) -> str:
    return repr(losses[step - 1]) if step <= len(losses) else "none"


def _curve_differences(original: TrainingRecord, again: TrainingRecord) -> Iterator[str]:
    before, after = (list(map(_values, record.samples)) for record in (original, again))
    kinds = before[0] if before else {}
    recorded = {name for name in kinds if any(values[name] is not None for values in before)}
    for step, old, new in zip(original.samples, before, after, strict=False):
        changed = [name for name in kinds if name in recorded and old[name] != new[name]]
        for name in changed:
            yield f"{name} at step {step.step}: {old[name]!r} → {new[name]!r}"


def _values(step: TrainingStep) -> dict[str, float | None]:
    """What the same computation leaves again of a step."""
    return {
        "loss": step.loss,
        "gradient norm": step.gradient_norm,
        "weight norm": step.weight_norm,
        "accuracy": step.accuracy,
        "running lag": step.running_lag,
    }


def _figure_differences(before: TrainingFigures, after: TrainingFigures) -> Iterator[str]:
    compared: dict[str, tuple[float | None, float | None]] = {
        "steps": (before.steps, None if before.steps is None else after.steps),
        "diverged at": (before.diverged_at, after.diverged_at),
        "steps to target": (before.steps_to_target, after.steps_to_target),
        "final loss": (before.final_loss, after.final_loss),
        "best validation accuracy": (
            before.best_validation_accuracy,
            after.best_validation_accuracy,
        ),
        "final accuracy": (before.final_accuracy, after.final_accuracy),
    }
    for name, (old, new) in compared.items():
        if old != new:
            yield f"{name}: {old} → {new}"


def _accuracies(pairs: Sequence[TrainingPair]) -> list[tuple[float, float]]:
    """Test accuracies before and after, of the seeds at which neither training diverged."""
    both = [(_final_accuracy(before), _final_accuracy(after)) for before, after in pairs]
    return [(old, new) for old, new in both if old is not None and new is not None]


def _seeds_where_one_diverged(pairs: Sequence[TrainingPair]) -> list[str]:
    return [
        str(before.cell.seed)
        for before, after in pairs
        if (_final_accuracy(before) is None) != (_final_accuracy(after) is None)
    ]


def _outcome(found: statistics.Equivalence) -> Outcome:
    if found.equivalent:
        return Outcome.SAME
    return Outcome.DIFFERENT if found.beyond else Outcome.AMBIGUOUS


def _final_accuracy(record: TrainingRecord) -> float | None:
    return None if record.figures is None else record.figures.final_accuracy
