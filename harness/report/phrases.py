"""Sentences and parts of sentences that the terminal and the Markdown report share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from harness import formatting
from harness.analysis.disturbances import Disturbances
from harness.analysis.floors import MissingFloor, missing_floors
from harness.analysis.moderation import LEAST_CELLS, Moderation
from harness.analysis.multiple_testing import CorrectedVerdicts
from harness.analysis.outcomes import Qualified
from harness.analysis.sections import Section
from harness.analysis.tallies import CaseTally, Counts
from harness.analysis.time_budget import TimeBudget
from harness.analysis.unasked import UnaskedProperty
from harness.records import (
    Doubt,
    Interval,
    QuantityError,
    Seconds,
    Status,
    ThroughputRecord,
    Verdict,
)
from harness.statistics import Duration, DurationRatio

DECLARED = f"{Status.WRONG} as {Qualified.DECLARED}"
FLOOR_SIGN = "×floor"
ERROR = "error"
ERROR_MEANING = (
    "root mean square difference from float64 results, relative, of the worst output, gradient "
    "or statistic"
)
CASES_NAMED = 3  # that a sentence names
REASONS_NAMED = 3  # for which cases of a property were not asked
CELLS_NAMED = 3  # of a section; of more their number says as much


def moderated_variances(moderation: Moderation) -> list[str]:
    """What intervals rest on beside their own launches, where the session has cells enough."""
    if moderation.freedom is None:
        return []
    sentence = (
        "Intervals rest on each comparison's own launches and on the noise of the session's other "
        f"cells, which counts as {moderation.freedom:.1f} more launches "
        f"({moderation.comparisons} comparisons in {moderation.cells} cells)."
    )
    return [sentence]


def plain_variances(moderation: Moderation) -> list[str]:
    """Why intervals rest on their own launches alone, where the session has any comparison."""
    if moderation.freedom is not None or not moderation.comparisons:
        return []
    sentence = (
        "Intervals rest on each comparison's own launches alone: how noise differs from cell to "
        f"cell takes {LEAST_CELLS} cells to tell, and there "
        f"{'is' if moderation.cells == 1 else 'are'} {moderation.cells}."
    )
    return [sentence]


def verdict_correction(verdicts: CorrectedVerdicts) -> list[str]:
    """For how many comparisons the verdicts are corrected, and what that changed."""
    sentences = []
    if verdicts.compared:
        sentences.append(
            f"Verdicts are corrected for {formatting.counted(verdicts.compared, 'comparison')} "
            f"(Holm) and hold together with {formatting.percent(1 - verdicts.alpha)} confidence; "
            f"that made {len(verdicts.withdrawn) or 'none'} AMBIGUOUS."
        )
    if verdicts.uncorrected:
        sentences.append(
            f"{formatting.counted(verdicts.uncorrected, 'verdict')} of an earlier protocol have "
            "no p-value, and stand uncorrected."
        )
    return sentences


def withdrawn_verdict(verdicts: CorrectedVerdicts, record: ThroughputRecord) -> str | None:
    """What the verdict was, where it does not stand: SLOWER before Holm."""
    verdict = verdicts.withdrawn_verdict(record)
    return None if verdict is None else f"{verdict} before Holm"


def disturbance_summary(found: Disturbances) -> str:
    """What disturbed a section in one line, without names."""
    doubts = f"; in doubt: {doubt_counts(found.doubts)}" if found.doubts else ""
    flagged = (
        f"; DISTURBED in {len(found.disturbed)} of {formatting.counted(found.cells, 'cell')}"
        if found.disturbed
        else ""
    )
    return (
        f"{formatting.counted(found.samples, 'sample')}, {found.retaken} taken again; "
        f"{formatting.counted(found.blocks, 'block')}, {found.set_aside} set aside{doubts}; "
        f"others used {found.elsewhere:.2f} CPUs{flagged}."
    )


def doubt_counts(doubts: Mapping[Doubt, int]) -> str:
    """How many blocks are in doubt for which reason: waiting 7, steal 1."""
    return ", ".join(f"{doubt} {count}" for doubt, count in doubts.items())


def time_budget_summary(budget: TimeBudget) -> str:
    """The harness itself took 23 % of 312 s; timed calls were 30 %."""
    spent = budget.spent
    return (
        f"The harness itself took {formatting.percent(budget.share(spent.own))} of "
        f"{formatting.seconds(spent.wall)}; timed calls were "
        f"{formatting.percent(budget.share(spent.timed))}."
    )


def floor_multiple(value: float | None, absent: str = "") -> str:
    """2.3 ×."""
    if value is None:
        return absent
    return f"{value:.2f} ×" if value < 1 else f"{value:.1f} ×" if value < 100 else f"{value:,.0f} ×"


def error(found: QuantityError) -> str:
    """Root mean square and largest error, relative, and the largest in ulp: 4.1e-8 / 6e-7 / 9."""
    relative = map(formatting.power_of_ten, (found.rms, found.largest))
    ulp = f"{found.ulp:.2g}" if found.ulp < 99.5 else f"{found.ulp:,.0f}"
    return " / ".join([*relative, ulp])


def missing_floor_sentences(section: Section) -> list[str]:
    """Where there is no floor, each reason once."""
    return [_missing_floor(missing, section) for missing in missing_floors(section)]


def outcome_counts(outcomes: Counts) -> str:
    """Outcomes other than OK: 1 WRONG, 2 UNSUPPORTED."""
    return ", ".join(
        f"{count} {outcome}" for outcome, count in outcomes.items() if outcome != Status.OK
    )


def outcomes_without_verdict(outcomes: Counts) -> str:
    """Outcomes that are no verdicts: no ratio 1, WRONG 1."""
    others = [
        f"{outcome} {count}"
        for outcome, count in outcomes.items()
        if not isinstance(outcome, Verdict)
    ]
    return ", ".join(others) or formatting.ABSENT


def cases_passed(tally: CaseTally) -> str:
    """How many cases passed, and of how many where that is not all."""
    return f"{tally.passed} of {tally.cases}" if tally.others else f"{tally.passed}"


def named_cases(names: Sequence[str]) -> str:
    """A few cases by their names, many by their number and the first few."""
    if len(names) <= CASES_NAMED:
        return formatting.listed(names)
    return f"{formatting.counted(len(names), 'case')} ({', '.join(names[:CASES_NAMED])}, …)"


def not_asked(found: UnaskedProperty) -> str:
    """Which property was not asked, wholly or in part, and why."""
    part = "" if found.whole else f"{found.refused} of {found.cases} cases of "
    reasons = "; ".join(found.reasons[:REASONS_NAMED])
    more = len(found.reasons) - REASONS_NAMED
    others = f"; and {formatting.counted(more, 'other reason')}" if more > 0 else ""
    return f'{part}"{found.label}": {reasons}{others}'


def named_cells(labels: Sequence[str], section: Section) -> str:
    """Cells of a section by their labels, or that they are all of them."""
    if len(labels) < len(section.cells):
        return formatting.listed(labels)
    return "all cells" if len(labels) > 1 else "the only cell"


def duration_ratio(ratio: DurationRatio | None, arm: str, reference: str) -> str:
    """How many times the reference's steps, or time, an arm took: 0.41 [0.35, 0.47].

    One pair has no interval: 0.41 (one seed). Where misses leave the ratio open, the bound that is
    known, and who missed: < 0.47 (`none` missed 2 of 2 seeds). ``arm`` and ``reference`` are the
    names as they are to appear.
    """
    if ratio is None:
        return formatting.ABSENT
    notes = [*(["one seed"] if ratio.pairs == 1 else []), *_who_missed(ratio, arm, reference)]
    return f"{_known_ratio(ratio)} ({'; '.join(notes)})" if notes else _known_ratio(ratio)


def _known_ratio(ratio: DurationRatio) -> str:
    low, high = formatting.ratio(ratio.low), formatting.ratio(ratio.high)
    if ratio.estimate is not None and ratio.pairs == 1:
        return formatting.ratio(ratio.estimate)
    if ratio.estimate is not None:
        return formatting.bounded(Interval(ratio.estimate, ratio.low, ratio.high))
    if ratio.low and isfinite(ratio.high):
        return f"{low} to {high}"
    if isfinite(ratio.high):
        return f"< {high}"
    return f"> {low}" if ratio.low else "unknown"


def _who_missed(ratio: DurationRatio, arm: str, reference: str) -> list[str]:
    counts = {reference: ratio.reference_missed, arm: ratio.missed, "both": ratio.both_missed}
    found = [f"{who} missed {count}" for who, count in counts.items() if count]
    seeds = formatting.counted(ratio.pairs + ratio.both_missed, "seed")
    return [f"{', '.join(found)} of {seeds}"] if found else []


def median_steps(steps: Duration | None) -> str:
    """A median number of steps, or beyond how many it lies: 85, > 200."""
    if steps is None:
        return formatting.ABSENT
    return f"{steps.value:,.0f}" if steps.reached else f"> {steps.value:,.0f}"


def median_seconds(seconds: Duration | None) -> str:
    """The same of a time: 85.0 ms, > 0.200 s."""
    if seconds is None:
        return formatting.ABSENT
    text = formatting.seconds(Seconds(seconds.value))
    return text if seconds.reached else f"> {text}"


def accuracy(value: float | None) -> str:
    """An accuracy to the tenth of a percent."""
    return formatting.ABSENT if value is None else f"{100 * value:.1f} %"


def _missing_floor(missing: MissingFloor, section: Section) -> str:
    where = named_cells(missing.cells, section)
    if CELLS_NAMED < len(missing.cells) < len(section.cells):
        where = formatting.counted(len(missing.cells), "cell")
    reason = formatting.plain(missing.reason or "one launch gives no interval")
    return f"{FLOOR_SIGN} absent in {where}: {reason}; without it nothing can be IMPLAUSIBLE"
