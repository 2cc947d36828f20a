"""Two trainings of the same recipe and seed: alike bit for bit, alike in the end, or in what they
differ first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness import statistics
from harness.analysis.equivalence import LEAST_SEEDS
from harness.records import Record, Status
from harness.replay.outcomes import Outcome
from harness.report.formatting import counted, points
from harness.statistics import POINT

# Of what a training leaves, all that the same computation leaves again; times are none of it.
FIGURES = (
    "steps",
    "diverged_at",
    "steps_to_target",
    "final_loss",
    "best_validation_accuracy",
    "final_accuracy",
)
CURVES = ("loss", "gradient_norm", "weight_norm", "accuracy", "running_lag")
HASHES = ("data_sha256", "initial_sha256", "losses_sha256", "parameters_sha256")


def unlike_bits(original: Record, again: Record) -> Iterator[str]:
    """What differs, in the order in which one thing leads to the next. What an old record lacks is
    not compared.
    """
    before, after = original.figures or {}, again.figures or {}
    yield from _unlike_hash("data_sha256", "the data are others", before, after)
    yield from _unlike_hash("initial_sha256", "the initial weights are others", before, after)
    yield from _unlike_losses(original, again)
    yield from _unlike_hash("losses_sha256", "the hash of the losses is another one", before, after)
    yield from _unlike_hash(
        "parameters_sha256", "parameters or buffers differ after the same losses", before, after
    )
    for one, other in zip(original.samples, again.samples, strict=False):
        for name in CURVES:
            if name in one and one[name] != other.get(name):
                yield (
                    f"{name.replace('_', ' ')} at step {one['step']}: {one[name]!r} → "
                    f"{other.get(name)!r}"
                )
    for name in FIGURES:
        if name in before and before[name] != after.get(name):
            yield f"{name.replace('_', ' ')}: {before[name]} → {after.get(name)}"


def _unlike_hash(
    name: str, said: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    if before[name] != after[name]:
        yield f"{said}: SHA-256 {before[name][:16]}… → {after[name][:16]}…"


def _unlike_losses(original: Record, again: Record) -> Iterator[str]:
    curves = [[sample["loss"] for sample in record.samples] for record in (original, again)]
    parted = statistics.first_difference(*curves)
    if parted is not None:
        losses = [
            repr(curve[parted.step - 1]) if parted.step <= len(curve) else "none"
            for curve in curves
        ]
        apart = "" if parted.ulps is None else f", {parted.ulps} ulp"
        yield f"losses first differ at step {parted.step}: {losses[0]} → {losses[1]}{apart}"


def unlike_ends(original: Record, again: Record) -> Iterator[str]:
    before, after = _end(original), _end(again)
    if (before is None) != (after is None):
        yield f"one diverged: test accuracy {before} → {after}"
    elif before is not None and after is not None and abs(after - before) > POINT:
        yield f"test accuracy {100 * before:.1f} % → {100 * after:.1f} %"


def together(pairs: Sequence[tuple[Record, Record]]) -> tuple[Outcome, str]:
    """An outcome and its reason for all seeds of an arm, judged as a report judges two
    implementations.
    """
    turned = [
        f"{before.cell['seed']}: {before.status} → {after.status}"
        for before, after in pairs
        if before.status is not after.status
    ]
    if turned:
        return Outcome.DIFFERENT, f"at seed {'; '.join(turned)}"
    ends = {before.cell["seed"]: (_end(before), _end(after)) for before, after in pairs}
    alone = [
        str(seed) for seed, (before, after) in ends.items() if (before is None) != (after is None)
    ]
    known = [
        (before, after)
        for before, after in ends.values()
        if before is not None and after is not None
    ]
    found = statistics.equivalence(
        [after for _, after in known],
        [before for before, _ in known],
        POINT,
        pairs[0][0].cell.alpha,
    )
    if found is None or len(known) < LEAST_SEEDS:
        return (
            Outcome.AMBIGUOUS,
            (f"{counted(len(known), 'seed')} with a test accuracy; a verdict takes {LEAST_SEEDS}"),
        )
    said = (
        f"test accuracy {points(found.difference)} points over {len(known)} seeds, of {len(pairs)}"
    )
    if alone:
        return Outcome.AMBIGUOUS, f"{said}; one alone diverged at seed {', '.join(alone)}"
    return (
        Outcome.SAME
        if found.equivalent
        else Outcome.DIFFERENT
        if found.beyond
        else Outcome.AMBIGUOUS,
        said,
    )


def complete(record: Record) -> bool:
    """Whether a record of a training that is OK has all that a comparison looks at."""
    figures = record.figures
    return record.status is not Status.OK or (
        figures is not None
        and all(isinstance(figures.get(name), str) for name in HASHES)
        and "final_accuracy" in figures
        and all(
            isinstance(sample.get("loss"), float) and "step" in sample for sample in record.samples
        )
    )


def _end(record: Record) -> float | None:
    accuracy: float | None = (record.figures or {}).get("final_accuracy")
    return accuracy
