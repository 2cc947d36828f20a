"""Whether a measurement that was made again came out the same, at one of three levels, and if not,
what differs first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, hypot, log
from typing import Any

from harness import statistics
from harness.config import UsageError, suggestion
from harness.records import Interval, Record, Status, differing
from harness.replay import training_comparison
from harness.replay.outcomes import Outcome
from harness.replay.recorded_runs import Original
from harness.statistics import POINT


class Level(StrEnum):
    """What "the same" means: bit for bit; each ends as well; all seeds together do."""

    BITWISE = "bitwise"
    EQUIVALENT = "equivalent"
    STATISTICAL = "statistical"


LEVELS: Mapping[str, tuple[Level, ...]] = {  # the first is meant where none is named
    "conformance": (Level.BITWISE,),
    "convergence": tuple(Level),
    "throughput": (Level.STATISTICAL,),
}


@dataclass(frozen=True)
class Replay:
    """An original, its replay, and what the two say of each other."""

    original: Original
    again: Record
    outcome: Outcome
    note: str

    @property
    def differences(self) -> dict[str, tuple[Any, Any]]:
        """What may explain a difference: parts of the cell and the implementation's source that are
        others.
        """
        before, after = (
            {
                **record.cell,
                "source of the implementation": record.identity.source,
                "instruction set in use": (record.figures or {}).get("instruction_set"),
            }
            for record in (self.original.record, self.again)
        )
        return differing(before, after)


def level_of(task: str, given: str | None) -> Level:
    """The level at which a task's records are compared. Raises ``UsageError`` for one that it does
    not have.
    """
    if given is None:
        return LEVELS[task][0]
    allowed = [str(level) for level in LEVELS[task]]
    if given not in allowed:
        raise UsageError(
            f"--level {given} is no level of task={task}{suggestion(given, allowed)}; "
            f"allowed: {', '.join(allowed)}"
        )
    return Level(given)


def judged(pairs: Iterable[tuple[Original, Record]], level: Level) -> list[Replay]:
    """What the replays of one task came to; at the statistical level all seeds of an arm
    together.
    """
    pairs = list(pairs)
    if level is Level.STATISTICAL and all(
        original.record.task == "convergence" for original, _ in pairs
    ):
        return [_across_seeds(group) for group in _but_for_the_seed(pairs)]
    return [
        Replay(original, again, *_judged(original.record, again, level))
        for original, again in pairs
    ]


def exit_status(replays: Iterable[Replay]) -> int:
    """0 where all came out the same, or faster; 1 where something differs or is slower; else 3,
    undecided.
    """
    outcomes = {replay.outcome for replay in replays}
    if outcomes & {Outcome.DIFFERENT, Outcome.SLOWER}:
        return 1
    return 0 if outcomes and Outcome.AMBIGUOUS not in outcomes else 3


def _judged(original: Record, again: Record, level: Level) -> tuple[Outcome, str]:
    if original.status is not again.status:
        return (
            Outcome.DIFFERENT,
            f"{original.status} → {again.status}: {again.reason or original.reason}",
        )
    if not (original.figures or original.samples or again.figures or again.samples):
        return _by_reason(original, again)
    match original.task, level:
        case "throughput", _:
            return _by_time(original, again)
        case "conformance", _:
            return _first(_unlike_cases(original, again), "every quantity, bit for bit")
        case _, Level.BITWISE:
            return _first(
                training_comparison.unlike_bits(original, again),
                f"bit for bit: data, initial weights, {len(again.samples)} losses, parameters and "
                "buffers",
            )
        case _:
            return _first(
                training_comparison.unlike_ends(original, again),
                f"test accuracy within {100 * POINT:g} point",
            )


def _by_reason(original: Record, again: Record) -> tuple[Outcome, str]:
    """Of two that left nothing to compare. Reasons are words, which may tell the same failure twice
    in two ways.
    """
    if original.reason == again.reason:
        return Outcome.SAME, f"{again.status} again: {again.reason or 'nothing was to be compared'}"
    return (
        Outcome.AMBIGUOUS,
        f"{again.status} again, for another reason: {original.reason} → {again.reason}",
    )


def _first(differences: Iterator[str], same: str) -> tuple[Outcome, str]:
    difference = next(differences, None)
    return (Outcome.SAME, same) if difference is None else (Outcome.DIFFERENT, difference)


def _unlike_cases(original: Record, again: Record) -> Iterator[str]:
    for before, after in zip(original.samples, again.samples, strict=False):
        for name in before.keys() | after.keys():
            if before.get(name) != after.get(name):
                yield f"{before.get('quantity')}: {name} {before.get(name)} → {after.get(name)}"
    if len(original.samples) != len(again.samples):
        yield f"{len(original.samples)} quantities were compared, and now {len(again.samples)}"


def _by_time(original: Record, again: Record) -> tuple[Outcome, str]:
    """Each measurement's ratio to the baseline beside it or, of the baseline, to the floor: times
    alone are another day's.
    """
    ratios = [_ratio(record) for record in (original, again)]
    if ratios[0] is None or ratios[1] is None:
        return (
            Outcome.AMBIGUOUS,
            "there is no ratio to compare, neither to a baseline nor to the floor",
        )
    ratio = quotient(ratios[1], ratios[0])
    said = f"{ratio.estimate:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] of the ratio that it had"
    if flags := {
        flag for record in (original, again) for flag in record.flags if record.status is Status.OK
    }:
        return Outcome.AMBIGUOUS, f"{said}; no verdict: {', '.join(sorted(flags))}"
    return Outcome(statistics.verdict(ratio, again.cell["margin"])), said


def _ratio(record: Record) -> Interval | None:
    figures = record.figures or {}
    own = record.implementation == record.cell["baseline"]
    found = (figures.get("floor") or {}).get("ratio") if own else figures.get("ratio")
    return Interval(**found) if found else None


def quotient(after: Interval, before: Interval) -> Interval:
    """The ratio of two independent ratios: on logarithms half-widths add in quadrature, as standard
    errors do.
    """
    centre = log(after.estimate / before.estimate)
    below = hypot(log(after.estimate / after.low), log(before.high / before.estimate))
    above = hypot(log(after.high / after.estimate), log(before.estimate / before.low))
    return Interval(exp(centre), exp(centre - below), exp(centre + above))


def _but_for_the_seed(
    pairs: Sequence[tuple[Original, Record]],
) -> Iterable[list[tuple[Original, Record]]]:
    """Trainings of an arm, in groups that differ in nothing else."""
    groups: dict[str, list[tuple[Original, Record]]] = {}
    for original, again in pairs:
        record = original.record
        alike = sorted(repr(item) for item in record.cell.items() if item[0] != "seed")
        groups.setdefault(f"{record.implementation} {alike}", []).append((original, again))
    return groups.values()


def _across_seeds(group: Sequence[tuple[Original, Record]]) -> Replay:
    outcome, note = training_comparison.together(
        [(original.record, again) for original, again in group]
    )
    return Replay(*group[0], outcome, note)
