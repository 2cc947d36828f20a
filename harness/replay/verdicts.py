"""Whether a measurement that was made again came out the same, at one of three levels, and if not,
what differs first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.records import (
    AnyRecord,
    CaseRecord,
    ExitStatus,
    ThroughputRecord,
    TrainingCell,
    TrainingRecord,
    differing,
    plain_fields,
)
from harness.replay.levels import Level
from harness.replay.outcomes import Outcome, ReplayVerdict
from harness.replay.ratio_comparison import compare_ratios
from harness.replay.recorded_runs import Original
from harness.replay.training_comparison import bitwise_differences, compare_seeds, final_differences
from harness.statistics import POINT

Pair = tuple[Original, AnyRecord]


@dataclass(frozen=True)
class Replay:
    """An original, its replay, and how they compare. ``note`` says what is the same, or what
    differs first.
    """

    original: Original
    again: AnyRecord
    outcome: Outcome
    note: str

    @property
    def differences(self) -> dict[str, tuple[object, object]]:
        """What may explain another outcome: what differs in cell, source and instruction set."""
        return differing(_circumstances(self.original.record), _circumstances(self.again))


def compare_pairs(pairs: Iterable[Pair], level: Level) -> list[Replay]:
    """The replays of one task's records; at the statistical level all seeds of an arm together."""
    pairs = list(pairs)
    trainings = all(isinstance(original.record, TrainingRecord) for original, _ in pairs)
    if level is Level.STATISTICAL and trainings:
        return [_replay_of_seeds(group) for group in _groups_of_seeds(pairs)]
    return [_replay(original, again, level) for original, again in pairs]


def exit_status(replays: Iterable[Replay], *, complete: bool = True) -> ExitStatus:
    """OK where all came out the same, or faster; FAILED where something differs or is slower; else
    UNDECIDED, as where the session that was replayed is not ``complete``.
    """
    outcomes = {replay.outcome for replay in replays}
    if outcomes & {Outcome.DIFFERENT, Outcome.SLOWER}:
        return ExitStatus.FAILED
    decided = complete and outcomes and Outcome.AMBIGUOUS not in outcomes
    return ExitStatus.OK if decided else ExitStatus.UNDECIDED


def _replay(original: Original, again: AnyRecord, level: Level) -> Replay:
    verdict = _compare(original.record, again, level)
    return Replay(original, again, verdict.outcome, verdict.note)


def _compare(original: AnyRecord, again: AnyRecord, level: Level) -> ReplayVerdict:
    if original.status is not again.status:
        return ReplayVerdict(
            Outcome.DIFFERENT,
            f"{original.status} → {again.status}: {again.reason or original.reason}",
        )
    if _is_empty(original) and _is_empty(again):
        return _compare_reasons(original, again)
    match original, again:
        case ThroughputRecord(), ThroughputRecord():
            return compare_ratios(original, again)
        case CaseRecord(), CaseRecord():
            return _first(_case_differences(original, again), "every quantity, bit for bit")
        case TrainingRecord(), TrainingRecord() if level is Level.BITWISE:
            return _first(
                bitwise_differences(original, again),
                f"bit for bit: data, initial weights, {len(again.samples)} losses, parameters and "
                "buffers",
            )
        case TrainingRecord(), TrainingRecord():
            same = f"test accuracy within {100 * POINT:g} point"
            return _first(final_differences(original, again), same)
    raise TypeError(f"a {original.task} record was compared with a {again.task} record")


def _is_empty(record: AnyRecord) -> bool:
    return record.figures is None and not record.samples


def _compare_reasons(original: AnyRecord, again: AnyRecord) -> ReplayVerdict:
    """Of two records that hold nothing to compare. One failure may be worded in two ways, so other
    words decide nothing.
    """
    if original.reason == again.reason:
        reason = again.reason or "nothing was to be compared"
        return ReplayVerdict(Outcome.SAME, f"{again.status} again: {reason}")
    return ReplayVerdict(
        Outcome.AMBIGUOUS,
        f"{again.status} again, for another reason: {original.reason} → {again.reason}",
    )


def _first(differences: Iterator[str], same: str) -> ReplayVerdict:
    difference = next(differences, None)
    if difference is None:
        return ReplayVerdict(Outcome.SAME, same)
    return ReplayVerdict(Outcome.DIFFERENT, difference)


def _case_differences(original: CaseRecord, again: CaseRecord) -> Iterator[str]:
    for before, after in zip(original.samples, again.samples, strict=False):
        for name, (old, new) in differing(plain_fields(before), plain_fields(after)).items():
            yield f"{before.quantity}: {name} {old} → {new}"
    if len(original.samples) != len(again.samples):
        yield f"{len(original.samples)} quantities were compared, and now {len(again.samples)}"


def _circumstances(record: AnyRecord) -> dict[str, object]:
    in_use = None
    if isinstance(record, TrainingRecord) and record.figures is not None:
        in_use = record.figures.instruction_set
    return {
        **plain_fields(record.cell),
        "source of the implementation": record.identity.source,
        "instruction set in use": in_use,
        "arm": {} if record.identity.arm is None else plain_fields(record.identity.arm),
    }


def _groups_of_seeds(pairs: Sequence[Pair]) -> Iterable[list[Pair]]:
    """Trainings of an arm, in groups that differ in nothing but the seed."""
    groups: dict[tuple[str, TrainingCell], list[Pair]] = {}
    for original, again in pairs:
        record = original.record
        if isinstance(record, TrainingRecord):
            key = record.implementation, replace(record.cell, seed=0)
            groups.setdefault(key, []).append((original, again))
    return groups.values()


def _replay_of_seeds(group: Sequence[Pair]) -> Replay:
    trainings = [
        (original.record, again)
        for original, again in group
        if isinstance(original.record, TrainingRecord) and isinstance(again, TrainingRecord)
    ]
    verdict = compare_seeds(trainings)
    return Replay(*group[0], verdict.outcome, verdict.note)
