"""Which cases reject which wrong implementation: the whole suite over each of them, as a Markdown
table.

    python tests/experiments/rejections.py [GLOB]

GLOB chooses among the wrong ones by name. The exit status is 1 when one survives that is not known
to, or when one is not rejected by the case that `rejected` names, and 2 when GLOB matches none.
Takes some seconds for each of them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "plugins"))

import torch
from wrong_bn import WRONG, Wrong

from harness.conformance.cases import matching, named
from harness.conformance.checks import ask
from harness.conformance.compare import failure_summary
from implementations import Unsupported
from tests.helpers.rejected import REJECTED, SURVIVING

COLUMNS = ("wrong implementation", "rejected by", "reason", "cases in all that reject it")
REASON = 150  # characters of a reason that the table shows


@dataclass(frozen=True)
class Verdict:
    """What a case found wrong: the quantities, without the example of a law, and all of it in
    words.
    """

    quantities: frozenset[str]
    reason: str


def verdict(implementation, name):
    """On an implementation, by the case of that name, with as many threads as that wants. None is
    no objection.
    """
    case, threads = named(name), torch.get_num_threads()
    torch.set_num_threads(case.fixed_threads or 1)
    try:
        findings = ask(implementation, case).findings
    except Unsupported:
        return None
    except Exception as error:
        return Verdict(
            frozenset({"it raised"}),
            f"it raised {type(error).__name__}: {' '.join(str(error).split())}",
        )
    finally:
        torch.set_num_threads(threads)
    failed = frozenset(
        finding.quantity.partition(", for ")[0] for finding in findings if not finding.passed
    )
    return Verdict(failed, failure_summary(findings)) if failed else None


def objections(wrong, names):
    """The verdicts on the wrong implementation of that name, made anew for each case, by case."""
    found = {name: verdict(Wrong(wrong), name) for name in names}
    return {name: objection for name, objection in found.items() if objection is not None}


def row(wrong, found, asked):
    """The cells for `COLUMNS`."""
    case = REJECTED[wrong].case if wrong in REJECTED else next(iter(found), None)
    if case not in found:
        return (
            wrong,
            f"not by `{case}`" if found else "**nothing**",
            SURVIVING.get(wrong, ""),
            f"{len(found)} of {asked}",
        )
    reason = found[case].reason
    return (
        wrong,
        f"`{case}`",
        reason[:REASON] + "…" * (len(reason) > REASON),
        f"{len(found)} of {asked}",
    )


def line(cells):
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def parse(arguments=None):
    """The names of the wrong implementations that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "pattern", nargs="?", default="*", metavar="GLOB", help="such as '*variance*'; default: all"
    )
    pattern = parser.parse_args(arguments).pattern
    chosen = [wrong for wrong in WRONG if fnmatchcase(wrong, pattern)]
    if not chosen:
        parser.error(
            f"{pattern!r} matches none of the {len(WRONG)} implementations in wrong_bn.WRONG"
        )
    return chosen


def main(chosen):
    names = [case.name for case in matching("*")]
    print(line(COLUMNS), line(["---"] * len(COLUMNS)), sep="\n")
    unexpected = []
    workers = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for wrong, found in zip(
            chosen, pool.map(partial(objections, names=names), chosen), strict=True
        ):
            print(line(row(wrong, found, len(names))), flush=True)
            as_told = not found if wrong in SURVIVING else REJECTED[wrong].case in found
            unexpected += [] if as_told else [wrong]
    if unexpected:
        print(f"unlike `rejected` says: {', '.join(unexpected)}", file=sys.stderr)
    return bool(unexpected)


if __name__ == "__main__":
    sys.exit(main(parse()))
