"""How often does the baseline, measured against itself, get a verdict? On a quiet machine, and
beside a busy process.

    python tests/experiments/false_verdicts.py --results FOLDER [--busy CPU] [--threads N]

Sixty cells of `bnbench run` with no implementation but the baseline, which runs twice under two
names. Whatever is FASTER or SLOWER there is false. The same samples are also judged as a less
careful harness would, so that each precaution shows what it is for:

    bnbench                         log-ratios paired by block, the launch as the unit, disturbed
                                    blocks set aside, flags heeded
    ... flags not heeded            the same interval, whatever the record's flags say
    blocks as the unit              a t-interval over all blocks of all launches, as if those were
                                    independent
    one launch                      a t-interval over the blocks of the first launch
    unpaired                        Welch's interval of the two arms' launch medians, each by itself
    least times                     the ratio of the two least times beyond the margin, with no
                                    interval

Of each: the share of false verdicts with its one-sided 95 % upper bound (Clopper and Pearson), the
undecided cells, and how many intervals do not hold 1: of sixty 95 % intervals, about three.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from math import log, log1p

from rich.console import Console
from rich.table import Table

from harness import statistics
from harness.records import Status, Verdict
from harness.store import Journal
from tests.experiments.cells import FACES, PHASES, SHAPES, busy_loop, run

FALSE = (Verdict.FASTER, Verdict.SLOWER)


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
            "implementations=[torch_native]",
            f"problem.shapes={SHAPES}",
            f"task.phases={PHASES}",
            f"task.faces={FACES}",
            f"device.threads={arguments.threads}",
        )
    Console(width=120).print(table(pairs(arguments.results)))


def pairs(results):
    """The canary's record and the baseline's of each cell that was measured."""
    cells = defaultdict(dict)
    for record in Journal(f"{results}/journal").read().records.values():
        if record.task == "throughput" and record.status is Status.OK:
            cells[record.identity.cell_key][record.implementation] = record
    return [(arms["canary"], arms["torch_native"]) for arms in cells.values() if len(arms) == 2]


def table(cells):
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
            *(judge(canary, baseline) for canary, baseline in cells), strict=True
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
    aside = sum(canary.figures.conditions.set_aside for canary, _ in cells)
    blocks = sum(canary.figures.conditions.blocks for canary, _ in cells)
    made.caption = f"{flagged} cells flagged; {aside} of {blocks} blocks set aside"
    return made


def by_bnbench(canary, baseline):
    return canary.figures.verdict, canary.figures.ratio


def flags_not_heeded(canary, baseline):
    return judged(canary.figures.ratio, canary)


def blocks_as_the_unit(canary, baseline):
    ratios = [ratio for launch in block_ratios(canary, baseline) for ratio in launch]
    return judged(statistics.interval(ratios, canary.cell.alpha), canary)


def one_launch(canary, baseline):
    return judged(statistics.interval(block_ratios(canary, baseline)[0], canary.cell.alpha), canary)


def unpaired(canary, baseline):
    logs = [
        [log(seconds) for seconds in statistics.launch_seconds(record.samples)]
        for record in (canary, baseline)
    ]
    return judged(statistics.welch(*logs, canary.cell.alpha), canary)


def least_times(canary, baseline):
    least = [
        min(sample.seconds / sample.calls for sample in record.samples)
        for record in (canary, baseline)
    ]
    ratio = log(least[0] / least[1])
    if abs(ratio) <= log1p(canary.cell.margin):
        return Verdict.SAME, None
    return Verdict.SLOWER if ratio > 0 else Verdict.FASTER, None


def block_ratios(canary, baseline):
    """Log-ratios by launch, as of a harness that takes no sample again and sets none aside: of the
    first of each block.
    """
    first = {record.implementation: first_samples(record) for record in (canary, baseline)}
    return statistics.block_log_ratios(first, canary.implementation, baseline.implementation)


def first_samples(record):
    first = {}
    for sample in record.samples:
        first.setdefault((sample.launch, sample.block), {**sample, "set_aside": False})
    return list(first.values())


def judged(found, record):
    return statistics.verdict(found, record.cell.margin), found


JUDGES = {
    "bnbench": by_bnbench,
    "... flags not heeded": flags_not_heeded,
    "blocks as the unit": blocks_as_the_unit,
    "one launch": one_launch,
    "unpaired": unpaired,
    "least times": least_times,
}


if __name__ == "__main__":
    main()
