"""What each implementation came to: one line for many records, the same in summary, tables and
terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isinf
from statistics import median
from typing import Any

from harness import statistics
from harness.config.choices import WITHOUT
from harness.records import Flag, Interval, Record, Status, Verdict
from harness.report.headlines import Headlines
from harness.report.views import (
    DOCUMENTED,
    FAILED,
    MISTRUSTED,
    NO_RATIO,
    NO_VERDICT,
    OUTCOMES,
    Race,
    Section,
    property_of,
    ratio_of,
    told_as,
)

ORDER = (*Verdict, NO_VERDICT, NO_RATIO, *OUTCOMES)
ALL = "all"
Compare = Callable[[Sequence[float | None], Sequence[float | None], float], Interval]
Pairs = Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


@dataclass(frozen=True)
class SpeedTally:
    """One implementation in one section. ``geometric_mean`` is of the ratios of its ``covered``
    cells.

    What is IMPLAUSIBLE did not do the work, and is in no mean.
    """

    implementation: str
    cells: int
    geometric_mean: float | None
    covered: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True)
class CaseTally:
    """One implementation's conformance. ``worst`` is its largest error among the cases passed, as a
    share of the tolerance.
    """

    implementation: str
    outcomes: Mapping[str, int]
    worst: float | None

    @property
    def cases(self) -> int:
        return sum(self.outcomes.values())

    @property
    def passed(self) -> int:
        return self.outcomes.get(Status.OK, 0)

    @property
    def failed(self) -> Mapping[str, int]:
        return {name: count for name, count in self.outcomes.items() if name in FAILED}

    @property
    def documented(self) -> int:
        return self.outcomes.get(DOCUMENTED, 0)

    @property
    def mistrusted(self) -> int:
        return self.outcomes.get(MISTRUSTED, 0)

    @property
    def others(self) -> Mapping[str, int]:
        return {name: count for name, count in self.outcomes.items() if name != Status.OK}

    def __str__(self) -> str:
        return f"{self.passed} of {self.cases}" if self.others else f"{self.passed}"


@dataclass(frozen=True)
class RaceTally:
    """One arm of a race over its OK seeds. A median with half or more of the seeds missing the
    target is infinite.

    Times are None where arms ran side by side. ``steps_ratio`` and ``outperforms`` compare steps to
    the target with the race's reference over the seeds both have.
    """

    implementation: str
    statuses: Mapping[str, int]
    misses: int
    diverged: int
    steps: float | None
    seconds: float | None
    step_seconds: float | None
    accuracy: float | None
    steps_ratio: Interval | None
    outperforms: Interval | None

    @property
    def seeds(self) -> int:
        return self.statuses.get(Status.OK, 0)


def speed(section: Section, headlines: Headlines) -> list[SpeedTally]:
    """Every implementation of a section but its baseline, for whom there is nothing to say."""
    return [
        _speed(section, name, headlines)
        for name in section.implementations
        if name != section.baseline
    ]


def conformance(records: Iterable[Record]) -> list[CaseTally]:
    arms: dict[str, list[Record]] = {}
    for record in records:
        arms.setdefault(record.implementation, []).append(record)
    return [CaseTally(name, counted(map(told_as, own)), _worst(own)) for name, own in arms.items()]


def matrix(records: Sequence[Record]) -> dict[str, dict[str, CaseTally]]:
    """A row a property, and one of all cases; in each the tally of every implementation that has
    cases there.
    """
    rows: dict[str, list[Record]] = {}
    for record in records:
        rows.setdefault(property_of(record), []).append(record)
    return {
        label: {tally.implementation: tally for tally in conformance(own)}
        for label, own in {**rows, ALL: records}.items()
    }


def convergence(race: Race) -> list[RaceTally]:
    return [_race(race, name, reference(race)) for name in race.arms]


def reference(race: Race) -> str | None:
    """The arm that others' steps are compared with: the network without normalization, else the
    baseline, if it ran.
    """
    return next(
        (
            name
            for name in (WITHOUT, race.about["baseline"])
            if name in race.arms and len(race.arms) > 1
        ),
        None,
    )


def counted(outcomes: Iterable[str]) -> dict[str, int]:
    """How often each outcome came: verdicts first, then statuses, failures before what is none."""
    counts = Counter(str(outcome) for outcome in outcomes)
    return {str(name): counts[name] for name in ORDER if counts[name]}


def _speed(section: Section, name: str, headlines: Headlines) -> SpeedTally:
    records = [cell.arms[name] for cell in section.cells if name in cell.arms]
    plausible = [record for record in records if Flag.IMPLAUSIBLE not in record.flags]
    ratios = [ratio.estimate for ratio in map(ratio_of, plausible) if ratio]
    return SpeedTally(
        name,
        len(records),
        statistics.geometric_mean(ratios) if ratios else None,
        len(ratios),
        counted(map(headlines.outcome, records)),
    )


def _worst(records: Iterable[Record]) -> float | None:
    errors = [
        record.figures.get("worst")
        for record in records
        if record.figures and told_as(record) == Status.OK
    ]
    return max((error for error in errors if error is not None), default=None)


def _race(race: Race, name: str, against: str | None) -> RaceTally:
    figures = race.ok(name).values()
    steps = [arm["steps_to_target"] for arm in figures]
    seconds = [arm["seconds_to_target"] for arm in figures] if race.timed else []
    pairs = [] if against in {None, name} else race.pairs(name, str(against))
    return RaceTally(
        name,
        counted(record.status for record in race.arms[name].values()),
        steps.count(None),
        sum(arm["diverged_at"] is not None for arm in figures),
        _median(_or_infinite(steps)),
        _median(_or_infinite(seconds)),
        _median(arm["seconds_per_step"] for arm in figures),
        _median(arm["final_accuracy"] for arm in figures),
        compared(statistics.step_ratio, pairs, "steps_to_target", race.alpha),
        compared(statistics.outperformance, pairs, "steps_to_target", race.alpha),
    )


def compared(by: Compare, pairs: Pairs, figure: str, alpha: float) -> Interval | None:
    """What a statistic of paired seeds says of a figure that a miss lacks; None where every arm
    missed, or none is paired.
    """
    arm, other = [ours[figure] for ours, _ in pairs], [theirs[figure] for _, theirs in pairs]
    return None if set(arm + other) <= {None} else by(arm, other, alpha)


def _or_infinite(values: Iterable[float | None]) -> list[float]:
    return [inf if value is None else value for value in values]


def _median(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return median(present) if present else None


def missed(value: float | None) -> bool:
    """Whether a median lies among the misses."""
    return value is not None and isinf(value)
