"""How often is an effect found that is there? Copies of the baseline that take 3, 5, 10 and 20 %
longer, and one that does not.

    python tests/experiments/planted_effects.py --results FOLDER [--threads N]

The copies are plug-ins from outside, so each has a process of its own, as a user's kernel has. All
of them stand in every cell. Verdicts are told for the usual margin, 3 %, which an effect of 3 %
sits on, and for 1 %, from the same samples.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import median

from rich.console import Console
from rich.table import Table

from harness import statistics
from harness.records import AnyRecord, Status, ThroughputRecord, Verdict
from harness.store import Journal
from tests.experiments.cells import run

EFFECTS = (1.0, 1.03, 1.05, 1.1, 1.2)
MARGINS = (0.03, 0.01)
SHAPES = "[[8,64,28,28],[16,32,16,16],[32,128,7,7]]"
PHASES = "[forward_training,backward,training_step,inference,backward_inference]"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results",
        required=True,
        help="a folder for the journal; what is in it is not measured again",
    )
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    plugins = ",".join(
        f"{{_target_: troublesome_bn.Slowed, factor: {effect}}}" for effect in EFFECTS
    )
    run(
        arguments.results,
        f"implementations=[torch_native,{plugins}]",
        f"problem.shapes={SHAPES}",
        f"task.phases={PHASES}",
        f"device.threads={arguments.threads}",
    )
    Console(width=120).print(table(Journal(f"{arguments.results}/journal").read().records.values()))


def table(records: Iterable[AnyRecord]) -> Table:
    cells: defaultdict[str, dict[str, ThroughputRecord]] = defaultdict(dict)
    for record in records:
        if isinstance(record, ThroughputRecord) and record.status is Status.OK:
            cells[record.identity.cell_key][record.implementation] = record
    made = Table(
        "planted",
        "measured, median",
        "cells",
        "flagged",
        *(f"SLOWER, margin {margin:.0%}" for margin in MARGINS),
        *(f"FASTER, margin {margin:.0%}" for margin in MARGINS),
        title="effects found",
    )
    for effect in EFFECTS:
        name = f"troublesome_bn.Slowed(factor={effect})"
        found = [
            (arms[name], arms["torch_native"])
            for arms in cells.values()
            if {name, "torch_native"} <= arms.keys()
        ]
        counts = [
            Counter(judged(record, baseline, margin) for record, baseline in found)
            for margin in MARGINS
        ]
        made.add_row(
            f"{effect - 1:+.0%}",
            f"{median(record.figures.ratio.estimate for record, _ in found) - 1:+.1%}",
            str(len(found)),
            str(sum(bool(record.flags) for record, _ in found)),
            *(
                str(count[verdict])
                for verdict in (Verdict.SLOWER, Verdict.FASTER)
                for count in counts
            ),
        )
    return made


def judged(record: ThroughputRecord, baseline: ThroughputRecord, margin: float) -> Verdict | None:
    """The verdict at a margin; None where a flag forbids one."""
    if record.flags:
        return None
    samples = {"arm": record.samples, "baseline": baseline.samples}
    interval = statistics.interval(
        statistics.log_ratios(samples, "arm", "baseline"),
        record.cell.alpha,
        record.cell.protocol.launches,
    )
    return statistics.verdict(interval, margin)


if __name__ == "__main__":
    main()
