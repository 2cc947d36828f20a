"""A report's first words: the verdicts, in sentences, before any table."""

from __future__ import annotations

from collections.abc import Sequence

from harness import formatting
from harness.analysis.canary_noise import canary_noise
from harness.analysis.completeness import Completeness, completeness
from harness.analysis.disturbances import disturbances
from harness.analysis.floors import floor_distance, has_floors
from harness.analysis.moderation import Moderation
from harness.analysis.multiple_testing import CorrectedVerdicts, correct_verdicts
from harness.analysis.outcomes import REFUSED, Qualified
from harness.analysis.sections import Section, sections
from harness.analysis.selection import case_records
from harness.analysis.tallies import CaseTally, SpeedTally, case_tallies, speed_tallies
from harness.analysis.time_budget import time_budget
from harness.analysis.training_groups import training_groups
from harness.analysis.unasked import UnaskedProperty, unasked_properties
from harness.records import Verdict
from harness.report import phrases
from harness.report.completeness import completeness_sentences
from harness.report.labels import group_title, section_title
from harness.report.markdown import training_summary
from harness.store import Contents


def summary(
    contents: Contents, session: str, moderation: Moderation
) -> list[tuple[str, list[str]]]:
    """Headings, each with its sentences in Markdown; of the session's records as moderated."""
    records = moderation.records
    verdicts, timed = correct_verdicts(records), sections(records)
    cases = case_tallies(case_records(records))
    unasked = map(_not_asked, unasked_properties(case_records(records)))
    parts = [("Conformance", [*unasked, *map(_conformance, cases)])]
    for section in timed:
        heading = f"against {formatting.code(section.baseline)}: {section_title(section)}"
        parts.append((f"Throughput {heading}", _throughput(section, verdicts)))
    parts.append(("Measuring speed", _measuring(verdicts, timed, moderation)))
    parts += [
        (f"Convergence: {group_title(group)}", training_summary.sentences(group))
        for group in training_groups(records)
    ]
    parts.append(("Completeness", _completeness(completeness(contents, session))))
    return [(heading, sentences) for heading, sentences in parts if sentences]


def _not_asked(found: UnaskedProperty) -> str:
    reason = formatting.plain(phrases.not_asked(found))
    asked = "**Not asked**" if found.whole else "Not asked"
    return f"{asked} of {formatting.code(found.implementation)}: {reason}."


def _conformance(tally: CaseTally) -> str:
    name, cases = formatting.code(tally.implementation), formatting.counted(tally.cases, "case")
    if not tally.others:
        return f"{name} passed all {cases}."
    if tally.failed:
        failed = sum(tally.failed.values())
        passed = (
            f"**failed {failed} of {cases}** ({phrases.outcome_counts(tally.failed)}) "
            f"and passed {tally.passed}"
        )
    else:
        passed = f"passed {tally.passed} of {cases} and failed none"
    return f"{name} {'; '.join([passed, *_neither(tally)])}."


def _neither(tally: CaseTally) -> list[str]:
    """What neither passed nor failed."""
    counts = (
        (tally.declared, phrases.DECLARED),
        (tally.mistrusted, f"{Qualified.MISTRUSTED}, which proves nothing"),
        *((tally.outcomes.get(status, 0), str(status)) for status in REFUSED),
    )
    return [f"{count} {description}" for count, description in counts if count]


def _throughput(section: Section, verdicts: CorrectedVerdicts) -> list[str]:
    return [
        *_broken_baseline(section),
        *(_speed(tally) for tally in speed_tallies(section, verdicts)),
        *_floor(section),
        _noise(section),
    ]


def _broken_baseline(section: Section) -> list[str]:
    records = section.records_of(section.baseline)
    broken = sum(record.figures is None for record in records)
    if not broken:
        return []
    cells = f"{broken} of {formatting.counted(len(section.cells), 'cell')}"
    return [f"The baseline has no result in {cells}, so that ratios are absent there."]


def _speed(tally: SpeedTally) -> str:
    counts = [
        f"**{outcome}** in {count}" if isinstance(outcome, Verdict) else f"{outcome} in {count}"
        for outcome, count in tally.outcomes.items()
    ]
    counts[0] += f" of {formatting.counted(tally.cells, 'cell')}"
    text = f"{formatting.code(tally.implementation)}: {', '.join(counts)}"
    if tally.geometric_mean is None:
        return f"{text}."
    return (
        f"{text}; {formatting.ratio(tally.geometric_mean)} times the baseline's time "
        f"(geometric mean over {formatting.counted(tally.covered, 'cell')})."
    )


def _floor(section: Section) -> list[str]:
    """How far each arm is from the hardware's limit."""
    if not has_floors(section):
        return []
    means = {name: floor_distance(section, name).mean for name in section.implementations}
    known = [
        f"{formatting.code(name)} {phrases.floor_multiple(mean)}"
        for name, mean in means.items()
        if mean is not None
    ]
    if not known:
        return ["How far from the hardware's limit is not known in any cell."]
    return [f"Times over the hardware's limit (geometric means): {', '.join(known)}."]


def _noise(section: Section) -> str:
    noise, margin = canary_noise(section), formatting.percent(section.margin)
    if not noise.measured:
        return "No cell has an A/A ratio, so the noise of the ratios is unknown."
    text = (
        "A/A: the interval of the baseline against itself includes a ratio of 1 in "
        f"{noise.including_1} of {formatting.counted(noise.measured, 'cell')}, and lies within "
        f"±{margin} in {noise.inside}"
    )
    if not noise.beyond:
        return f"{text}."
    cells = formatting.listed(noise.beyond)
    return f"{text}; it **lies beyond ±{margin} in {cells}**: distrust verdicts there."


def _measuring(
    verdicts: CorrectedVerdicts, timed: Sequence[Section], moderation: Moderation
) -> list[str]:
    """What bears on all sections: what intervals rest on, the correction, what was set aside, and
    what the harness took for itself.
    """
    sentences = [
        *phrases.moderated_variances(moderation),
        *phrases.plain_variances(moderation),
        *phrases.verdict_correction(verdicts),
    ]
    if found := list(filter(None, map(disturbances, timed))):
        blocks, aside = sum(one.blocks for one in found), sum(one.set_aside for one in found)
        sentences.append(
            f"{aside:,} of {formatting.counted(blocks, 'block')} set aside as disturbed."
        )
    if budget := time_budget(timed):
        sentences.append(phrases.time_budget_summary(budget))
    return sentences


def _completeness(found: Completeness) -> list[str]:
    counts = (
        (found.failed, "{} failed."),
        (found.flagged, "{} flagged, and so without a verdict."),
    )
    whole = f"All of {formatting.counted(found.planned, 'planned record')} are there."
    return [
        *([] if found.missing else [whole]),
        *completeness_sentences(found, emphasis="**"),
        *(text.format(formatting.counted(count, "record")) for count, text in counts if count),
    ]
