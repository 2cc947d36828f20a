"""The throughput part of a report: for each section a table with all arms side by side, and what
each came to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from harness import formatting
from harness.analysis.accuracy import accuracy_of
from harness.analysis.floors import floor_distance, has_floors, quicker_stores
from harness.analysis.grouped_reasons import MissingRatio, missing_ratios
from harness.analysis.multiple_testing import CorrectedVerdicts
from harness.analysis.outcomes import WithoutVerdict
from harness.analysis.ratios import ratio_to_baseline, ratio_to_floor
from harness.analysis.sections import CellArms, Section, cells_of_several_sessions
from harness.analysis.tallies import SpeedTally, speed_tallies
from harness.records import ThroughputRecord, Verdict, plain_fields
from harness.report import phrases

BREAK = "<br>"
# What a section's title names, and what its cells differ in.
TITLED = ("phase", "face", "outputs", "cache", "device", "threads", "problem")


def table(section: Section, verdicts: CorrectedVerdicts) -> str:
    """A row a cell, a column an arm: median time, floor, ratio, verdict, minimum detectable effect;
    the canary last.
    """
    names = section.implementations
    header = [section.common or "problem", *map(formatting.code, names), "A/A"]
    rows = []
    for cell in section.cells:
        canary = formatting.bounded(cell.canary) if cell.canary else formatting.ABSENT
        rows.append([cell.label, *(_entry(cell, name, verdicts) for name in names), canary])
    return formatting.columns(header, rows)


def overview(section: Section, verdicts: CorrectedVerdicts) -> str:
    """A row an implementation: geometric means of its ratios and of its times over the floor, and
    its verdicts.
    """
    header = ["implementation", "geometric mean", "over cells", *Verdict, "other"]
    right = [*range(1, 3 + len(Verdict))]
    rows = {
        tally.implementation: _overview_row(section, tally)
        for tally in speed_tallies(section, verdicts)
    }
    if not has_floors(section):
        return formatting.columns(header, rows.values(), right)
    if section.baseline in section.implementations:
        absent = [formatting.ABSENT] * (2 + len(Verdict))
        own = [formatting.code(section.baseline), "baseline", *absent]
        rows = {section.baseline: own, **rows}
    with_floors = [[*row, _distance(section, name)] for name, row in rows.items()]
    return formatting.columns([*header, phrases.FLOOR_SIGN], with_floors, [*right, len(header)])


def conditions(section: Section) -> str:
    """Under what conditions the section was measured, in one line."""
    settings = sorted(plain_fields(section.definition).items())
    return "; ".join(_setting(name, value) for name, value in settings if name not in TITLED)


def without_ratio(section: Section) -> list[str]:
    """What became of the cells that have no ratio, each reason once with the cells it holds for."""
    return [_without_ratio(missing, section) for missing in missing_ratios(section)]


def resumed(section: Section) -> list[str]:
    """The cells whose arms were measured by more than one session."""
    return [cell.label for cell in cells_of_several_sessions(section)]


def stops(section: Section) -> str:
    """How many records stopped sampling for which reason."""
    counts = Counter(record.figures.stopped for record in section.records() if record.figures)
    return ", ".join(f"{reason} ({count})" for reason, count in counts.most_common())


def stores(section: Section) -> str:
    """The stores that were the quicker: ordinary in 9 cells, streaming in 1."""
    return ", ".join(
        f"{kind} in {formatting.counted(count, 'cell')}"
        for kind, count in quicker_stores(section).items()
    )


def _entry(cell: CellArms, name: str, verdicts: CorrectedVerdicts) -> str:
    record = cell.arms.get(name)
    if record is None:
        return "not measured"
    if record.figures is None:
        return f"**{record.status}**"
    lines = [formatting.seconds(record.figures.median_seconds)]
    ratio, floor = ratio_to_baseline(record), ratio_to_floor(record)
    if name == cell.baseline:
        lines.append("baseline")
    elif ratio is None:
        lines.append(WithoutVerdict.NO_RATIO)
    else:
        lines += [formatting.bounded(ratio), _verdict(record, verdicts)]
    if floor:
        lines.append(f"{phrases.FLOOR_SIGN} {formatting.bounded(floor)}")
    return BREAK.join([*lines, *_error(record), *record.flags])


def _error(record: ThroughputRecord) -> list[str]:
    """The error of the worst quantity, with its name."""
    accuracy = accuracy_of(record)
    if accuracy is None or accuracy.worst is None:
        return []
    error = formatting.power_of_ten(accuracy.worst)
    flipped = f", {accuracy.flipped:,} flipped" if accuracy.flipped else ""
    return [f"{phrases.ERROR} {error} (`{accuracy.worst_quantity}`{flipped})"]


def _verdict(record: ThroughputRecord, verdicts: CorrectedVerdicts) -> str:
    outcome, withdrawn = verdicts.outcome(record), phrases.withdrawn_verdict(verdicts, record)
    text = f"{outcome} ({withdrawn})" if withdrawn else f"{outcome}"
    if outcome in {Verdict.FASTER, Verdict.SLOWER}:
        text = f"**{outcome}**"
    effect = record.figures and record.figures.minimum_detectable_effect
    return text if effect is None else f"{text}, MDE {formatting.percent(effect)}"


def _overview_row(section: Section, tally: SpeedTally) -> list[str]:
    mean = tally.geometric_mean
    return [
        formatting.code(tally.implementation),
        formatting.ABSENT if mean is None else formatting.ratio(mean),
        f"{tally.covered} of {len(section.cells)}",
        *(str(tally.outcomes.get(verdict, 0)) for verdict in Verdict),
        phrases.outcomes_without_verdict(tally.outcomes),
    ]


def _distance(section: Section, name: str) -> str:
    return phrases.floor_multiple(floor_distance(section, name).mean, formatting.ABSENT)


def _without_ratio(missing: MissingRatio, section: Section) -> str:
    names = formatting.listed(map(formatting.code, missing.implementations))
    where = phrases.named_cells(missing.cells, section)
    reason = formatting.plain(missing.reason or "no reason was recorded")
    return f"{names} {missing.outcome} in {where}: {reason}"


def _setting(name: str, value: object) -> str:
    """A field and its value; of nested fields those that have one."""
    title = name.replace("_", " ")
    if isinstance(value, Mapping):
        nested = (_setting(key, item) for key, item in sorted(value.items()) if item is not None)
        return f"{title} ({', '.join(nested)})"
    return f"{title} {value:g}" if isinstance(value, float) else f"{title} {value}"
