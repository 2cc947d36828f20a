"""The throughput part of a report: for each section a table with all arms side by side, and what
each came to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness import statistics
from harness.records import Record, Verdict
from harness.report import floors, tallies, text
from harness.report.headlines import Headlines
from harness.report.views import NO_RATIO, Cell, Section, floor_of, ratio_of

DECIDED = (Verdict.FASTER, Verdict.SLOWER)
BREAK = "<br>"
TITLED = ("phase", "face", "outputs", "cache", "device", "threads")


def table(section: Section, headlines: Headlines) -> str:
    """A row a cell, a column an arm: median time, floor, ratio, verdict, minimum detectable effect;
    the canary last.
    """
    header = [f"{section.common or 'problem'}", *map(text.code, section.implementations), "A/A"]
    rows = [
        [
            cell.label,
            *(_entry(cell, name, headlines) for name in section.implementations),
            text.bounded(cell.canary) if cell.canary else text.ABSENT,
        ]
        for cell in section.cells
    ]
    return text.columns(header, rows)


def overview(section: Section, headlines: Headlines) -> str:
    """A row an implementation: geometric means of its ratios and of its times over the floor, and
    its verdicts.
    """
    rows = [
        [
            text.code(tally.implementation),
            text.ratio(tally.geometric_mean) if tally.geometric_mean is not None else text.ABSENT,
            f"{tally.covered} of {len(section.cells)}",
            *(str(tally.outcomes.get(verdict, 0)) for verdict in Verdict),
            others(tally.outcomes),
        ]
        for tally in tallies.speed(section, headlines)
    ]
    header, right = (
        ["implementation", "geometric mean", "over cells", *Verdict, "other"],
        range(1, 3 + len(Verdict)),
    )
    if not floors.present(section):
        return text.columns(header, rows, right)
    names = [name for name in section.implementations if name != section.baseline]
    if section.baseline in section.implementations:
        rows.insert(
            0, [text.code(section.baseline), "baseline", *[text.ABSENT] * (2 + len(Verdict))]
        )
        names.insert(0, section.baseline)
    distances = [floors.brief(floors.distance(section, name).mean, text.ABSENT) for name in names]
    rows = [[*row, distance] for row, distance in zip(rows, distances, strict=True)]
    return text.columns([*header, floors.SIGN], rows, [*right, len(header)])


def others(outcomes: Mapping[str, int]) -> str:
    """Outcomes that are no verdicts."""
    told = [f"{name} {count}" for name, count in outcomes.items() if name not in set(Verdict)]
    return ", ".join(told) or text.ABSENT


def conditions(section: Section) -> str:
    """Under what conditions the section was measured, in one line."""
    about = section.about
    said = [
        f"{key.replace('_', ' ')} {_flat(value)}"
        for key, value in about.items()
        if key not in TITLED
    ]
    return "; ".join(said)


def remarks(section: Section) -> list[str]:
    """What became of the cells that have no ratio, each reason once with the cells it holds for."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for cell in section.cells:
        for name, record in cell.arms.items():
            if record.figures is None:
                places.setdefault((record.status.value, record.reason or "", name), []).append(
                    cell.label
                )
            elif name != cell.baseline and ratio_of(record) is None:
                reason = record.figures["ratio_absent"] or "no reason was recorded"
                places.setdefault((NO_RATIO, reason, name), []).append(cell.label)
    alike: dict[tuple[str, str, str], list[str]] = {}
    for (what, reason, name), labels in places.items():
        alike.setdefault((what, reason, _cells(labels, len(section.cells))), []).append(
            text.code(name)
        )
    return [
        f"{text.listed(implementations)} {what} in {where}: {text.plain(reason)}"
        for (what, reason, where), implementations in alike.items()
    ]


def resumed(section: Section) -> list[str]:
    """The cells whose arms were measured by more than one session."""
    return [
        cell.label
        for cell in section.cells
        if len({record.session for record in cell.arms.values()}) > 1
    ]


def stops(section: Section) -> str:
    """How many records stopped sampling for which reason."""
    records = [record for cell in section.cells for record in cell.arms.values() if record.figures]
    counts = Counter(str(record.figures.get("stopped")) for record in records if record.figures)
    return ", ".join(f"{reason} ({count})" for reason, count in counts.most_common())


@dataclass(frozen=True)
class Noise:
    """In how many cells the canary was measured, and its interval holds 1, lies inside the margin,
    or strays beyond it.
    """

    measured: int
    holding: int
    inside: int
    strays: list[str]


def noise(section: Section) -> Noise:
    canaries = [(cell, cell.canary) for cell in section.cells if cell.canary]
    margin = float(section.about["margin"])
    verdicts = [statistics.verdict(ratio, margin) for _, ratio in canaries]
    return Noise(
        len(canaries),
        sum(ratio.low <= 1 <= ratio.high for _, ratio in canaries),
        verdicts.count(Verdict.SAME),
        [
            cell.label
            for (cell, _), found in zip(canaries, verdicts, strict=True)
            if found in DECIDED
        ],
    )


def _entry(cell: Cell, name: str, headlines: Headlines) -> str:
    record = cell.arms.get(name)
    if record is None:
        return "not measured"
    if record.figures is None:
        return f"**{record.status}**"
    lines = [text.seconds(record.figures["median_seconds"])]
    ratio, floor = ratio_of(record), floor_of(record)
    if name == cell.baseline:
        lines.append("baseline")
    elif ratio is None:
        lines.append(NO_RATIO)
    else:
        lines += [text.bounded(ratio), _judged(record, headlines)]
    if floor:
        lines.append(floors.bounded(floor))
    return BREAK.join([*lines, *map(str, record.flags)])


def _judged(record: Record, headlines: Headlines) -> str:
    said, before = headlines.outcome(record), headlines.before(record)
    said = f"**{said}**" if said in DECIDED else f"{said} ({before})" if before else said
    effect = (record.figures or {}).get("minimum_detectable_effect")
    return said if effect is None else f"{said}, MDE {text.percent(effect)}"


def _cells(labels: list[str], total: int) -> str:
    if len(labels) == total:
        return "all cells" if total > 1 else "the only cell"
    return text.listed(labels)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "("
            + ", ".join(f"{key.replace('_', ' ')} {_flat(item)}" for key, item in value.items())
            + ")"
        )
    return f"{value:g}" if isinstance(value, float) else str(value)
