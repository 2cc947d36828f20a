"""Whether implementations of BN train the same network: equally good at the end, and along the same
path or another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TypeAlias

from harness import statistics
from harness.analysis.outcomes import REFUSED
from harness.analysis.training_groups import TrainingGroup
from harness.records import TrainingRecord
from harness.statistics import POINT, Difference, Equivalence
from harness.training.alternatives import ALTERNATIVES

# ulp: half of a float32's digits. Where right implementations first part, 1 to 422 were seen
ROUNDING = 4096
# fewer pairs, all alike, are no rarer than 1 in 20 by chance, 2 / 2**n, and then have no spread to
# judge by
LEAST_SEEDS = 6


class EquivalenceVerdict(StrEnum):
    """Of two arms' test accuracies: proven alike within the margin, proven apart by more, or
    neither.
    """

    EQUIVALENT = "EQUIVALENT"
    DIFFERENT = "DIFFERENT"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class UnpairedSeeds:
    """Seeds at which one arm alone diverged, or alone failed, so that there is no accuracy to
    compare. Without them the arms are not called the same.
    """

    diverged: tuple[int, ...]
    failed: tuple[int, ...]


@dataclass(frozen=True)
class TooFewSeeds:
    """Fewer than ``LEAST_SEEDS`` have a test accuracy in both arms."""

    seeds: int


@dataclass(frozen=True)
class PartlyWithin:
    """The interval lies across an edge of the margin."""


@dataclass(frozen=True)
class VerdictWithdrawn:
    """The verdict does not stand among so many."""

    verdict: EquivalenceVerdict


UndecidedReason: TypeAlias = UnpairedSeeds | TooFewSeeds | PartlyWithin | VerdictWithdrawn


@dataclass(frozen=True)
class NetworkComparison:
    """One implementation against the baseline.

    ``seeds`` are those in which both have a test accuracy; ``test`` is None for fewer than two.
    ``reason`` is why it is UNDECIDED. ``divergences`` has for each seed where the losses first
    differ, None where they do not within the ``steps`` that were compared at every seed.
    """

    implementation: str
    seeds: int
    test: Equivalence | None
    verdict: EquivalenceVerdict
    reason: UndecidedReason | None
    divergences: tuple[Difference | None, ...]
    steps: int

    @property
    def ulps(self) -> list[int]:
        """How far the losses are apart where they first differ, of each seed in which both runs
        still have one there.
        """
        found = (difference.ulps for difference in self.divergences if difference)
        return [ulps for ulps in found if ulps is not None]

    @property
    def beyond_rounding(self) -> bool:
        """Whether losses, where they first differ, lie farther apart than sums in another order
        bring them, in most seeds.
        """
        return bool(self.ulps) and median(self.ulps) > ROUNDING


def compare_networks(group: TrainingGroup) -> list[NetworkComparison]:
    """Every implementation of BN against the baseline; none where that did not run.

    The verdicts of those with seeds enough hold together, by Holm's correction. Each is given the
    p-value of what its mean points at: being within the margin, or beyond it.
    """
    if group.baseline not in group.arms:
        return []
    names = [name for name in group.arms if name not in {group.baseline, *ALTERNATIVES}]
    tests = {name: _test(group, name) for name in names}
    p_values = {
        name: min(test.level, 1 - test.level)
        for name, (seeds, test) in tests.items()
        if test and seeds >= LEAST_SEEDS
    }
    stands = dict(zip(p_values, statistics.holm(list(p_values.values()), group.alpha), strict=True))
    return [_compare(group, name, *tests[name], stands=stands.get(name, False)) for name in names]


def _test(group: TrainingGroup, name: str) -> tuple[int, Equivalence | None]:
    """How many seeds have a test accuracy in both arms, and what the two one-sided tests find."""
    known = [
        (ours.final_accuracy, theirs.final_accuracy)
        for ours, theirs in group.pairs(name, group.baseline)
        if ours.final_accuracy is not None and theirs.final_accuracy is not None
    ]
    arm, reference = [ours for ours, _ in known], [theirs for _, theirs in known]
    return len(known), statistics.equivalence(arm, reference, POINT, group.alpha)


def _compare(
    group: TrainingGroup, name: str, seeds: int, test: Equivalence | None, *, stands: bool
) -> NetworkComparison:
    curves = _paired_losses(group, name)
    verdict, reason = _judge(test, seeds, _unpaired(group, name), stands=stands)
    return NetworkComparison(
        name,
        seeds,
        test,
        verdict,
        reason,
        tuple(statistics.first_difference(*pair) for pair in curves),
        min((len(losses) for pair in curves for losses in pair), default=0),
    )


def _paired_losses(group: TrainingGroup, name: str) -> list[tuple[list[float], list[float]]]:
    """The losses of both arms at each seed at which both are OK and any were kept."""
    ours, theirs = group.arms[name], group.arms[group.baseline]
    paired = [seed for seed in group.figures_of(name) if seed in group.figures_of(group.baseline)]
    curves = [(_losses(ours[seed]), _losses(theirs[seed])) for seed in paired]
    return [pair for pair in curves if any(pair)]


def _losses(record: TrainingRecord) -> list[float]:
    return [sample.loss for sample in record.samples]


def _judge(
    test: Equivalence | None, seeds: int, unpaired: UnpairedSeeds | None, *, stands: bool
) -> tuple[EquivalenceVerdict, UndecidedReason | None]:
    if unpaired:
        return EquivalenceVerdict.UNDECIDED, unpaired
    if test is None or seeds < LEAST_SEEDS:
        return EquivalenceVerdict.UNDECIDED, TooFewSeeds(seeds)
    if not test.equivalent and not test.beyond:
        return EquivalenceVerdict.UNDECIDED, PartlyWithin()
    verdict = EquivalenceVerdict.DIFFERENT if test.beyond else EquivalenceVerdict.EQUIVALENT
    if not stands:
        return EquivalenceVerdict.UNDECIDED, VerdictWithdrawn(verdict)
    return verdict, None


def _unpaired(group: TrainingGroup, name: str) -> UnpairedSeeds | None:
    found = UnpairedSeeds(_lone_divergences(group, name), _lone_failures(group, name))
    return found if found.diverged or found.failed else None


def _lone_divergences(group: TrainingGroup, name: str) -> tuple[int, ...]:
    ours, theirs = group.figures_of(name), group.figures_of(group.baseline)
    return tuple(
        seed
        for seed in ours
        if seed in theirs and (ours[seed].diverged_at is None) != (theirs[seed].diverged_at is None)
    )


def _lone_failures(group: TrainingGroup, name: str) -> tuple[int, ...]:
    """None where one was refused at every seed: there is nothing to compare. A seed not yet
    measured is no failure.
    """
    ours, theirs = group.arms[name], group.arms[group.baseline]
    if _always_refused(ours) or _always_refused(theirs):
        return ()
    return tuple(
        seed
        for seed in ours
        if seed in theirs and (ours[seed].figures is None) != (theirs[seed].figures is None)
    )


def _always_refused(arm: Mapping[int, TrainingRecord]) -> bool:
    return all(record.status in REFUSED for record in arm.values())
