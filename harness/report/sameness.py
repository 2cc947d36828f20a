"""Whether implementations of BN train the same network: equally good at the end, and along the same
path or another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isinf
from statistics import median

from harness import statistics
from harness.config.choices import ALTERNATIVES
from harness.records import Interval
from harness.report import text
from harness.report.views import REFUSED, Race
from harness.statistics import POINT, Difference, Equivalence

# ulp: half of a float32's digits. Where right implementations first part, 1 to 422 were seen
ROUNDING = 4096
# fewer pairs, all alike, are no rarer than 1 in 20 by chance, 2 / 2**n, and then have no spread to
# judge by
LEAST_SEEDS = 6


class Judgement(StrEnum):
    """Of two arms' test accuracies: proven alike within the margin, proven apart by more, or
    neither.
    """

    EQUIVALENT = "EQUIVALENT"
    DIFFERENT = "DIFFERENT"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True)
class Sameness:
    """One implementation against the baseline.

    ``seeds`` are those in which both have a test accuracy; ``found`` is None for fewer than two.
    ``reason`` tells why it is UNDECIDED. ``parted`` has for each seed where the losses first
    differ, None where they do not within the ``steps`` that were compared at every seed.
    """

    implementation: str
    seeds: int
    found: Equivalence | None
    judgement: Judgement
    reason: str | None
    parted: tuple[Difference | None, ...]
    steps: int

    @property
    def ever_parted(self) -> bool:
        return any(self.parted)

    @property
    def beyond_rounding(self) -> bool:
        """Whether losses, where they first differ, lie farther apart than sums in another order
        bring them, in most seeds.
        """
        known = [parted.ulps for parted in self.parted if parted and parted.ulps is not None]
        return bool(known) and median(known) > ROUNDING


def sameness(race: Race) -> list[Sameness]:
    """Every implementation of BN against the baseline; none where that did not run.

    The verdicts of those with seeds enough hold together, by Holm's correction. Each is given the
    p-value of what its mean points at: being within the margin, or beyond it.
    """
    baseline = race.about["baseline"]
    names = (
        [name for name in race.arms if name not in {baseline, *ALTERNATIVES}]
        if baseline in race.arms
        else []
    )
    found = {name: _found(race, name, baseline) for name in names}
    levels = {
        name: min(one.level, 1 - one.level)
        for name, (seeds, one) in found.items()
        if one and seeds >= LEAST_SEEDS
    }
    stands = dict(zip(levels, statistics.holm(list(levels.values()), race.alpha), strict=True))
    return [_sameness(race, name, *found[name], stands=stands.get(name, False)) for name in names]


def table(race: Race) -> str:
    """A row an implementation: accuracies, verdict, and where losses part."""
    header = [
        "arm",
        "seeds",
        f"test accuracy, points [{confidence(race)}]",
        f"within ±{100 * POINT:g} point",
        "losses first differ at step",
        "by, in ulp",
    ]
    rows = [
        [
            text.code(one.implementation),
            str(one.seeds),
            points(one.found.difference) if one.found else text.ABSENT,
            f"**{one.judgement}**" + (f": {one.reason}" if one.reason else ""),
            where(one),
            apart(one) + (", **more than rounding**" if one.beyond_rounding else ""),
        ]
        for one in sameness(race)
    ]
    return text.columns(header, rows, right=(1, 2))


def confidence(race: Race) -> str:
    """Of the interval that two one-sided tests go by: 90 %."""
    return text.percent(1 - 2 * race.alpha)


def points(difference: Interval) -> str:
    """A difference of accuracies in points with its interval: +0.12 [-0.30, +0.54]."""
    middle, low, high = (
        f"{100 * value:+.2f}" for value in (difference.estimate, difference.low, difference.high)
    )
    return f"{middle} [{low}, {high}]"


def where(one: Sameness) -> str:
    """The step at which losses first differ, its median and range over seeds."""
    if not one.parted:
        return text.ABSENT
    if not one.ever_parted:
        return f"never in {text.counted(one.steps, 'step')}"
    return _spread([inf if parted is None else parted.step for parted in one.parted])


def apart(one: Sameness) -> str:
    """How far losses are apart there, its median and range over seeds; or that there one run had
    ended.
    """
    known = [parted.ulps for parted in one.parted if parted and parted.ulps is not None]
    ended = sum(parted is not None and parted.ulps is None for parted in one.parted)
    said = [_spread(known)] if known else []
    return (
        "; ".join([*said, f"one run ends in {text.counted(ended, 'seed')}"] if ended else said)
        or text.ABSENT
    )


def told(race: Race, one: Sameness) -> str:
    """The verdict, and where losses part, in part of a sentence."""
    within = "by more than" if one.judgement is Judgement.DIFFERENT else "within"
    interval = (
        [f"{points(one.found.difference)} points, {confidence(race)} interval"] if one.found else []
    )
    why = "; ".join([*interval, *([one.reason] if one.reason else [])])
    said = f"test accuracies **{one.judgement}** {within} ±{100 * POINT:g} point ({why})"
    if not one.parted:
        return said
    if not one.ever_parted:
        return f"{said}; losses differ {where(one)}"
    by = f", by {apart(one)} ulp" if any(parted and parted.ulps for parted in one.parted) else ""
    rounding = ", **more than rounding**" if one.beyond_rounding else ""
    return f"{said}; losses first differ at step {where(one)}{by}{rounding}"


def _found(race: Race, name: str, baseline: str) -> tuple[int, Equivalence | None]:
    both = [
        (ours["final_accuracy"], theirs["final_accuracy"])
        for ours, theirs in race.pairs(name, baseline)
    ]
    known = [pair for pair in both if None not in pair]
    return len(known), statistics.equivalence(
        [ours for ours, _ in known], [theirs for _, theirs in known], POINT, race.alpha
    )


def _sameness(
    race: Race, name: str, seeds: int, found: Equivalence | None, *, stands: bool
) -> Sameness:
    ours, theirs = race.arms[name], race.arms[race.about["baseline"]]
    both = [
        [[sample["loss"] for sample in arm[seed].samples] for arm in (ours, theirs)]
        for seed in race.ok(name)
        if seed in race.ok(race.about["baseline"])
    ]
    curves = [pair for pair in both if any(pair)]
    judgement, reason = _judged(found, seeds, _alone(race, name), stands=stands)
    return Sameness(
        name,
        seeds,
        found,
        judgement,
        reason,
        tuple(statistics.first_difference(*pair) for pair in curves),
        min((len(losses) for pair in curves for losses in pair), default=0),
    )


def _judged(
    found: Equivalence | None,
    seeds: int,
    alone: str | None,
    *,
    stands: bool,
) -> tuple[Judgement, str | None]:
    """A seed in which one alone diverged or failed has no accuracy to compare; without it they are
    not called the same.
    """
    if alone:
        return Judgement.UNDECIDED, alone
    if found is None or seeds < LEAST_SEEDS:
        return Judgement.UNDECIDED, f"{text.counted(seeds, 'seed')}, a verdict takes {LEAST_SEEDS}"
    if not found.equivalent and not found.beyond:
        return Judgement.UNDECIDED, "the interval is partly within"
    verdict = Judgement.DIFFERENT if found.beyond else Judgement.EQUIVALENT
    return (
        (verdict, None)
        if stands
        else (Judgement.UNDECIDED, f"not {verdict} after Holm's correction")
    )


def _alone(race: Race, name: str) -> str | None:
    """Where one of both diverged or failed and the other did not."""
    alone = {"diverged": _lone_divergences(race, name), "failed": _lone_failures(race, name)}
    said = [
        f"{what} at seed {text.listed(map(str, seeds))}" for what, seeds in alone.items() if seeds
    ]
    return f"one alone {text.listed(said)}" if said else None


def _lone_divergences(race: Race, name: str) -> list[int]:
    ours, theirs = race.ok(name), race.ok(race.about["baseline"])
    return [
        seed
        for seed in ours
        if seed in theirs
        and (ours[seed]["diverged_at"] is None) != (theirs[seed]["diverged_at"] is None)
    ]


def _lone_failures(race: Race, name: str) -> list[int]:
    """None where one was refused at every seed: there is nothing to compare. A seed not yet
    measured is no failure.
    """
    ours, theirs = race.arms[name], race.arms[race.about["baseline"]]
    if any(all(record.status in REFUSED for record in arm.values()) for arm in (ours, theirs)):
        return []
    return [
        seed
        for seed in ours
        if seed in theirs and (ours[seed].figures is None) != (theirs[seed].figures is None)
    ]


def _spread(values: Sequence[float]) -> str:
    low, middle, high = (_number(value) for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _number(value: float) -> str:
    return "never" if isinf(value) else f"{value:,.1f}".removesuffix(".0")
