"""How many cases and cells of each implementation came to what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness import statistics
from harness.analysis.multiple_testing import CorrectedVerdicts
from harness.analysis.outcomes import ALL_OUTCOMES, FAILED, AnyOutcome, Qualified, outcome_label
from harness.analysis.ratios import ratio_to_baseline
from harness.analysis.sections import Section
from harness.conformance.cases.properties import PROPERTIES
from harness.records import CaseRecord, Flag, Status

ALL_CASES = "all"
Counts = Mapping[AnyOutcome, int]


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
    outcomes: Counts


@dataclass(frozen=True)
class CaseTally:
    """One implementation's conformance. ``worst`` is its largest error among the cases passed, as a
    share of the tolerance.
    """

    implementation: str
    outcomes: Counts
    worst: float | None

    @property
    def cases(self) -> int:
        return sum(self.outcomes.values())

    @property
    def passed(self) -> int:
        return self.outcomes.get(Status.OK, 0)

    @property
    def failed(self) -> Counts:
        return {outcome: count for outcome, count in self.outcomes.items() if outcome in FAILED}

    @property
    def declared(self) -> int:
        return self.outcomes.get(Qualified.DECLARED, 0)

    @property
    def mistrusted(self) -> int:
        return self.outcomes.get(Qualified.MISTRUSTED, 0)

    @property
    def others(self) -> Counts:
        """All but what passed."""
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != Status.OK}


def count_outcomes(outcomes: Iterable[AnyOutcome]) -> dict[AnyOutcome, int]:
    """How often each outcome came, in the order of `ALL_OUTCOMES`."""
    counts = Counter(outcomes)
    return {outcome: counts[outcome] for outcome in ALL_OUTCOMES if counts[outcome]}


def speed_tallies(section: Section, verdicts: CorrectedVerdicts) -> list[SpeedTally]:
    """Every implementation of a section but its baseline, which has no ratio."""
    names = (name for name in section.implementations if name != section.baseline)
    return [_speed_tally(section, name, verdicts) for name in names]


def case_tallies(records: Iterable[CaseRecord]) -> list[CaseTally]:
    arms: dict[str, list[CaseRecord]] = {}
    for record in records:
        arms.setdefault(record.implementation, []).append(record)
    return [
        CaseTally(name, count_outcomes(map(outcome_label, own)), _worst_error(own))
        for name, own in arms.items()
    ]


def property_matrix(records: Sequence[CaseRecord]) -> dict[str, dict[str, CaseTally]]:
    """A row a property, and one of all cases; in each the tally of every implementation that has
    cases there.
    """
    rows: dict[str, list[CaseRecord]] = {}
    for record in records:
        rows.setdefault(property_of(record), []).append(record)
    rows[ALL_CASES] = list(records)
    return {label: _by_implementation(case_tallies(own)) for label, own in rows.items()}


def property_of(record: CaseRecord) -> str:
    """What a conformance case holds an implementation to, by its name up to the first slash."""
    group = record.cell.case.split("/", 1)[0]
    return PROPERTIES.get(group, group)


def _by_implementation(tallies: Iterable[CaseTally]) -> dict[str, CaseTally]:
    return {tally.implementation: tally for tally in tallies}


def _speed_tally(section: Section, name: str, verdicts: CorrectedVerdicts) -> SpeedTally:
    records = section.records_of(name)
    plausible = (record for record in records if Flag.IMPLAUSIBLE not in record.flags)
    ratios = [ratio.estimate for ratio in map(ratio_to_baseline, plausible) if ratio]
    return SpeedTally(
        implementation=name,
        cells=len(records),
        geometric_mean=statistics.geometric_mean(ratios) if ratios else None,
        covered=len(ratios),
        outcomes=count_outcomes(map(verdicts.outcome, records)),
    )


def _worst_error(records: Iterable[CaseRecord]) -> float | None:
    errors = (
        record.figures.worst
        for record in records
        if record.figures and outcome_label(record) == Status.OK
    )
    return max(errors, default=None)
