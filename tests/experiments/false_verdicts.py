"""How often does the baseline, measured against itself, get a verdict? On a quiet machine, and
beside a busy process.

    python tests/experiments/false_verdicts.py --results FOLDER [--busy CPU] [--threads N]

Sixty cells of `bnbench run` with no implementation but the baseline, which runs twice under two
names. Whatever is FASTER or SLOWER there is false. The same samples are also judged as a less
careful harness would, so that each precaution shows what it is for:

    bnbench                         log-ratios paired by block, the launch as the unit, disturbed
                                    blocks set aside, flags heeded, variances moderated over cells
    ... each cell by itself         the same, its variance that of its own launches
    ... flags not heeded            the same interval, whatever the record's flags say
    blocks as the unit              a t-interval over all blocks of all launches, as if those were
                                    independent
    one launch                      a t-interval over the blocks of the first launch
    unpaired                        Welch's interval of the two arms' launch medians, each by itself
    minimum times                   the ratio of the two minimum times beyond the margin, with no
                                    interval

Of each: the share of false verdicts with its one-sided 95 % upper bound (Clopper and Pearson), the
undecided cells, and how many intervals do not hold 1: of sixty 95 % intervals, about three.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import log, log1p

from rich.console import Console
from rich.table import Table

from harness import statistics
from harness.analysis.moderation import moderate
from harness.records import (
    CANARY,
    AnyRecord,
    Interval,
    Status,
    ThroughputFigures,
    ThroughputRecord,
    TimedSample,
    Verdict,
)
from harness.store import Journal
from tests.experiments.cells import FACES, PHASES, SHAPES, busy_loop, run

FALSE = (Verdict.FASTER, Verdict.SLOWER)
BASELINE, MODERATED = "torch_native", "bnbench"

Judgement = tuple[Verdict | None, Interval | None]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results",
        required=True,
        help="a folder for the journal; what is in it is not measured again",
    )
    parser.add_argument("--busy", type=int, metavar="CPU", help="keep this CPU busy meanwhile")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    with busy_loop(arguments.busy):
        run(
            arguments.results,
            f"implementations=[{BASELINE}]",
            f"problem.shapes={SHAPES}",
            f"task.phases={PHASES}",
            f"task.faces={FACES}",
            f"device.threads={arguments.threads}",
        )
    records = list(Journal(f"{arguments.results}/journal").read().records.values())
    Console(width=120).print(table(pairs(records), pairs(moderate(records).records)))


def pairs(records: Iterable[AnyRecord]) -> list[tuple[ThroughputRecord, ThroughputRecord]]:
    """The canary's record and the baseline's of each cell that was measured."""
    cells: defaultdict[str, dict[str, ThroughputRecord]] = defaultdict(dict)
    for record in records:
        if isinstance(record, ThroughputRecord) and record.status is Status.OK:
            cells[record.identity.cell_key][record.implementation] = record
    return [(arms[CANARY], arms[BASELINE]) for arms in cells.values() if len(arms) == 2]


def table(
    cells: Sequence[tuple[ThroughputRecord, ThroughputRecord]],
    moderated: Sequence[tuple[ThroughputRecord, ThroughputRecord]],
) -> Table:
    made = Table(
        "judged by",
        "cells",
        "false",
        "at most (95 %)",
        "undecided",
        "1 outside",
        title="the baseline against itself",
    )
    for name, judge in JUDGES.items():
        verdicts, intervals = zip(
            *(judge(*pair) for pair in (moderated if name == MODERATED else cells)), strict=True
        )
        false = sum(verdict in FALSE for verdict in verdicts)
        undecided = sum(verdict not in {*FALSE, Verdict.SAME} for verdict in verdicts)
        outside = sum(not found.low <= 1 <= found.high for found in intervals if found)
        bound = statistics.binomial_upper(false, len(cells), 0.05)
        made.add_row(
            name,
            str(len(cells)),
            str(false),
            f"{bound:.1%}",
            str(undecided),
            str(outside) if any(intervals) else "-",
        )
    flagged = sum(bool(canary.flags) for canary, _ in cells)
    conditions = [figures_of(canary).conditions for canary, _ in cells]
    aside = sum(one.set_aside for one in conditions if one is not None)
    blocks = sum(one.blocks for one in conditions if one is not None)
    made.caption = f"{flagged} cells flagged; {aside} of {blocks} blocks set aside"
    return made


def figures_of(record: ThroughputRecord) -> ThroughputFigures:
    """Those of a record that is OK, which always has some."""
    assert record.figures is not None
    return record.figures


def by_bnbench(canary: ThroughputRecord, _baseline: ThroughputRecord) -> Judgement:
    figures = figures_of(canary)
    return figures.verdict, figures.ratio


def flags_not_heeded(canary: ThroughputRecord, _baseline: ThroughputRecord) -> Judgement:
    ratio = figures_of(canary).ratio
    return (None, None) if ratio is None else judged(ratio, canary)


def blocks_as_the_unit(canary: ThroughputRecord, baseline: ThroughputRecord) -> Judgement:
    ratios = [ratio for launch in block_ratios(canary, baseline) for ratio in launch]
    return judged(statistics.interval(ratios, canary.cell.alpha), canary)


def one_launch(canary: ThroughputRecord, baseline: ThroughputRecord) -> Judgement:
    return judged(statistics.interval(block_ratios(canary, baseline)[0], canary.cell.alpha), canary)


def unpaired(canary: ThroughputRecord, baseline: ThroughputRecord) -> Judgement:
    found = statistics.welch(launch_logs(canary), launch_logs(baseline), canary.cell.alpha)
    return judged(found, canary)


def launch_logs(record: ThroughputRecord) -> list[float]:
    return [log(seconds) for seconds in statistics.launch_seconds(record.samples)]


def minimum_times(canary: ThroughputRecord, baseline: ThroughputRecord) -> Judgement:
    ratio = log(minimum_time(canary) / minimum_time(baseline))
    if abs(ratio) <= log1p(canary.cell.margin):
        return Verdict.SAME, None
    return Verdict.SLOWER if ratio > 0 else Verdict.FASTER, None


def minimum_time(record: ThroughputRecord) -> float:
    """Seconds per call of the quickest sample."""
    return min(sample.seconds / sample.calls for sample in record.samples)


def block_ratios(canary: ThroughputRecord, baseline: ThroughputRecord) -> list[list[float]]:
    """Log-ratios by launch, as of a harness that takes no sample again and sets none aside: of the
    first of each block.
    """
    first = {record.implementation: first_samples(record) for record in (canary, baseline)}
    return statistics.block_log_ratios(first, canary.implementation, baseline.implementation)


def first_samples(record: ThroughputRecord) -> list[TimedSample]:
    first: dict[tuple[int, int], TimedSample] = {}
    for sample in record.samples:
        first.setdefault((sample.launch, sample.block), replace(sample, set_aside=False))
    return list(first.values())


def judged(found: Interval, record: ThroughputRecord) -> Judgement:
    return statistics.verdict(found, record.cell.margin), found


JUDGES: dict[str, Callable[[ThroughputRecord, ThroughputRecord], Judgement]] = {
    MODERATED: by_bnbench,
    "... each cell by itself": by_bnbench,
    "... flags not heeded": flags_not_heeded,
    "blocks as the unit": blocks_as_the_unit,
    "one launch": one_launch,
    "unpaired": unpaired,
    "minimum times": minimum_times,
}


if __name__ == "__main__":
    main()
