"""Time to the target as steps × time a step, so that another path and another kernel are told
apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness import statistics
from harness.config.choices import WITHOUT
from harness.records import Interval
from harness.report import tallies, text
from harness.report.views import Race


@dataclass(frozen=True)
class Factors:
    """One arm against another over the seeds both have: ratios, below 1 where the arm is ahead.

    ``steps`` and ``time`` are to the target, medians over seeds with misses longer than any hit,
    and None where neither arm ever reached it. ``pace`` is the geometric mean of time a step, None
    for a single seed. Where arms ran side by side ``pace`` and ``time`` are None.
    """

    implementation: str
    against: str
    steps: Interval | None
    pace: Interval | None
    time: Interval | None


def factors(race: Race) -> list[Factors]:
    """Every arm against the race's reference, and against the baseline where that is another."""
    reference, baseline = tallies.reference(race), race.about["baseline"]
    others = dict.fromkeys(
        other for other in (reference, baseline) if reference and other in race.arms
    )
    return [
        _factors(race, name, str(other))
        for other in others
        for name in race.arms
        if name not in {other, WITHOUT}
    ]


def table(race: Race) -> str:
    """A row a pair of arms: the factors of the time to the target, and the whole."""
    header = ["arm", "relative to", "steps ×", "time a step ×", "time to target ×"]
    rows = [
        [
            text.code(found.implementation),
            text.code(found.against),
            *(
                text.bounded(ratio) if ratio else text.ABSENT
                for ratio in (found.steps, found.pace, found.time)
            ),
        ]
        for found in factors(race)
    ]
    return text.columns(header, rows, right=range(2, len(header)))


def between(race: Race, name: str, other: str | None) -> str:
    """The same of one pair in part of a sentence, or nothing where there is none to tell."""
    found = next(
        (one for one in factors(race) if (one.implementation, one.against) == (name, other)), None
    )
    if found is None or found.steps is None:
        return ""
    paced = f" at {text.bounded(found.pace)} times the time a step" if found.pace else ""
    whole = f", {text.bounded(found.time)} times the time to target" if found.time else ""
    return f"{text.bounded(found.steps)} times the steps{paced}{whole}"


def _factors(race: Race, name: str, other: str) -> Factors:
    pairs = race.pairs(name, other)
    paces = [(ours["seconds_per_step"], theirs["seconds_per_step"]) for ours, theirs in pairs]
    known = [pace for pace in paces if None not in pace]
    return Factors(
        name,
        other,
        tallies.compared(statistics.step_ratio, pairs, "steps_to_target", race.alpha),
        statistics.pace_ratio(
            [ours for ours, _ in known], [theirs for _, theirs in known], race.alpha
        ),
        tallies.compared(statistics.step_ratio, pairs, "seconds_to_target", race.alpha)
        if race.timed
        else None,
    )
