"""A report's first words: the verdicts, in sentences, before any table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.records import Record, Verdict
from harness.report import floors, race_summary, tallies, text, throughput
from harness.report.conformance import tolled
from harness.report.disturbances import Disturbances
from harness.report.headlines import Headlines
from harness.report.spending import Spending
from harness.report.tallies import CaseTally, SpeedTally
from harness.report.views import KNOWN, MISTRUSTED, REFUSED, Section, of_task, races, sections
from harness.store import Contents


@dataclass(frozen=True)
class Completeness:
    """How much of what a session planned is there, and how much of that is in doubt."""

    planned: int
    missing: int
    torn: int
    flagged: int
    earlier: int
    failures: tuple[tuple[str, str], ...]  # jobs that could not be carried through, with the reason

    @classmethod
    def of(cls, contents: Contents, session: str) -> Completeness:
        records = contents.of_session(session)
        missing = len(contents.missing(session))
        return cls(
            len(records) + missing,
            missing,
            contents.torn,
            sum(map(doubted, records)),
            sum(record.session != session for record in records),
            tuple(
                (entry["job"], entry["reason"])
                for entry in contents.failures
                if entry["session"] == session
            ),
        )


def doubted(record: Record) -> bool:
    """Whether a flag keeps a time from a verdict. MISTRUSTED cases are told among the cases."""
    return bool(record.flags) and record.task != "conformance"


def summary(contents: Contents, session: str) -> list[tuple[str, list[str]]]:
    """Headings, each with its sentences in Markdown."""
    records = contents.of_session(session)
    headlines = Headlines.of(records)
    cases = tallies.conformance(of_task(records, "conformance"))
    parts = [("Conformance", [_conformance(tally) for tally in cases])]
    parts += [
        (
            f"Throughput against {text.code(section.baseline)}: {section.title}",
            _throughput(section, headlines),
        )
        for section in sections(records)
    ]
    parts.append(("Measuring speed", _measuring(headlines, sections(records))))
    parts += [
        (f"Convergence: {race.title}", race_summary.sentences(race)) for race in races(records)
    ]
    parts.append(("Completeness", _completeness(Completeness.of(contents, session), records)))
    return [(heading, sentences) for heading, sentences in parts if sentences]


def _conformance(tally: CaseTally) -> str:
    name, failed = text.code(tally.implementation), sum(tally.failed.values())
    if not tally.others:
        return f"{name} passed all {text.counted(tally.cases, 'case')}."
    said = f"passed {tally.passed} of {text.counted(tally.cases, 'case')} and failed none"
    if failed:
        said = (
            f"**failed {failed} of {text.counted(tally.cases, 'case')}** ({tolled(tally.failed)}) "
            f"and passed {tally.passed}"
        )
    rest = (
        (tally.documented, KNOWN),
        (tally.mistrusted, f"{MISTRUSTED}, which proves nothing"),
        *((tally.outcomes.get(status, 0), str(status)) for status in REFUSED),
    )
    return f"{name} {'; '.join([said, *(f'{count} {what}' for count, what in rest if count)])}."


def _throughput(section: Section, headlines: Headlines) -> list[str]:
    baseline = [cell for cell in section.cells if section.baseline in cell.arms]
    broken = [cell for cell in baseline if cell.arms[section.baseline].figures is None]
    cells = f"{len(broken)} of {text.counted(len(section.cells), 'cell')}"
    said = (
        [f"The baseline has no result in {cells}, so that ratios are absent there."]
        if broken
        else []
    )
    return (
        said
        + [_speed(tally) for tally in tallies.speed(section, headlines)]
        + _floor(section)
        + _noise(section)
    )


def _speed(tally: SpeedTally) -> str:
    told = [
        f"**{name}** in {count}" if name in set(Verdict) else f"{name} in {count}"
        for name, count in tally.outcomes.items()
    ]
    told[0] += f" of {text.counted(tally.cells, 'cell')}"
    mean = tally.geometric_mean
    over = (
        ""
        if mean is None
        else (
            f"; {text.ratio(mean)} times the baseline's time (geometric mean over "
            f"{text.counted(tally.covered, 'cell')})"
        )
    )
    return f"{text.code(tally.implementation)}: {', '.join(told)}{over}."


def _floor(section: Section) -> list[str]:
    """How far each arm is from the hardware's limit."""
    if not floors.present(section):
        return []
    found = {name: floors.distance(section, name) for name in section.implementations}
    told = [
        f"{text.code(name)} {floors.brief(own.mean)}"
        for name, own in found.items()
        if own.mean is not None
    ]
    return [
        f"Times over the hardware's limit (geometric means): {', '.join(told)}."
        if told
        else "How far from the hardware's limit is not known in any cell."
    ]


def _noise(section: Section) -> list[str]:
    found = throughput.noise(section)
    if not found.measured:
        return ["No cell has a canary, so that the noise of the ratios is not known."]
    margin = text.percent(section.about["margin"])
    said = (
        f"A/A: the interval of the baseline against itself holds 1 in {found.holding} of "
        f"{text.counted(found.measured, 'cell')}, and lies within ±{margin} in {found.inside}"
    )
    return [
        f"{said}."
        if not found.strays
        else f"{said}; it **lies beyond ±{margin} in {text.listed(found.strays)}**: "
        "distrust verdicts there."
    ]


def _measuring(headlines: Headlines, timed: Sequence[Section]) -> list[str]:
    """What bears on all sections: the correction, what was set aside, and what the harness took for
    itself.
    """
    said = headlines.told()
    found = [disturbances for section in timed if (disturbances := Disturbances.of(section))]
    if found:
        blocks, aside = sum(one.blocks for one in found), sum(one.set_aside for one in found)
        said.append(f"{aside:,} of {text.counted(blocks, 'block')} set aside as disturbed.")
    spending = Spending.of(timed)
    return [*said, spending.brief()] if spending else said


def _completeness(found: Completeness, records: Sequence[Record]) -> list[str]:
    planned = text.counted(found.planned, "planned record")
    said = (
        f"**{found.missing} of {planned} missing**: the session was cut short; `resume=true` "
        "measures them."
        if found.missing
        else f"All of {planned} are there."
    )
    failed = sum(record.failed for record in records)
    doubts = (
        (
            len(found.failures),
            f"**{text.counted(len(found.failures), 'job')} could not be carried through.**",
        ),
        (failed, f"{text.counted(failed, 'record')} failed."),
        (
            found.flagged,
            f"{text.counted(found.flagged, 'record')} flagged, and so without a verdict.",
        ),
        (found.earlier, f"{text.counted(found.earlier, 'record')} measured by an earlier session."),
        (
            found.torn,
            (
                f"{text.counted(found.torn, 'line')} of the journal torn by a kill or a full disk, "
                "and skipped."
            ),
        ),
    )
    return [said, *(sentence for count, sentence in doubts if count)]
