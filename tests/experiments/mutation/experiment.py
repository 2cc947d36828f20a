"""How many of some random one-line mistakes does the conformance suite catch?

    python tests/experiments/mutation/experiment.py --count 10 --seed 0 [--only GLOB] [--jobs 1]
    [--output DIR]

Draws mutants of what computes and of what holds results against the oracle, judges each in a copy
of the repository, and writes what became of them after each one. A survivor is for a person to
judge: it may be a mistake that the suite should catch, or none. Interrupting it keeps what is done.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tests.experiments.mutation.judging import WrongCode, judge
from tests.experiments.mutation.mutants import Mutant, difference, draw, files, found
from tests.experiments.mutation.summary import Experiment, Result, diff, line, table, write
from tests.experiments.mutation.workshop import Workshop

ROOT = Path(__file__).parents[3]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 all that was drawn is judged, 1 nothing can be told, 2 wrong usage, 130
    interrupted.
    """
    asked = options(arguments)
    with tempfile.TemporaryDirectory(prefix="bnbench-mutants-") as folder:
        try:
            workshop = Workshop(asked.root, Path(folder), asked.timeout)
            return experiment(workshop, asked)
        except WrongCode as error:
            print(f"what ran is not what was changed: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"interrupted; what is done is in {asked.output}", file=sys.stderr)
            return 130


def experiment(workshop: Workshop, asked: argparse.Namespace) -> int:
    """Draw, see that the unchanged code passes, judge, and show."""
    say = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    every = found(workshop.snapshot, asked.only)
    drawn = draw(every, asked.count, asked.seed)
    say.print(f"{len(drawn)} drawn of {len(every)} mutants; first the unchanged code")
    unchanged = judge(workshop, None)
    if unchanged.caught:
        say.print(
            f"it does not pass, so nothing can be told: {unchanged.by}: {unchanged.first}: "
            f"{unchanged.reason}"
        )
        return 1
    done = Experiment(vars(asked), len(drawn), unchanged)
    with closing(judged(workshop, drawn, asked.jobs)) as results:
        try:
            for result in results:
                done = replace(done, results=(*done.results, result))
                say.print(f"{len(done.results)}/{len(drawn)} {line(result)}")
                write(done, asked.output)
        finally:
            show(done)
    return 0


def judged(workshop: Workshop, drawn: Sequence[Mutant], jobs: int) -> Generator[Result]:
    """A result for each, as they come. Closing it ends what still runs."""
    pool = ThreadPoolExecutor(jobs)
    try:
        for future in as_completed([pool.submit(_result, workshop, mutant) for mutant in drawn]):
            yield future.result()
    finally:
        workshop.stop()
        pool.shutdown(cancel_futures=True)


def _result(workshop: Workshop, mutant: Mutant) -> Result:
    start = time.monotonic()
    outcome = judge(workshop, mutant)
    text = (workshop.snapshot / mutant.file).read_text(encoding="utf-8")
    return Result(mutant, outcome, *difference(mutant, text), time.monotonic() - start)


def show(done: Experiment) -> None:
    """The table, and the survivors' differences."""
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table(done))
    for result in done.survivors:
        console.print(diff(result), markup=False)


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10, help="how many mutants are drawn")
    parser.add_argument(
        "--seed", type=int, default=0, help="the same one draws the same mutants of the same files"
    )
    parser.add_argument(
        "--only", default="*", metavar="GLOB", help="of files, such as '*/numpy_vectorized.py'"
    )
    parser.add_argument("--jobs", type=int, default=1, help="how many are judged at once")
    parser.add_argument(
        "--timeout",
        type=float,
        default=300.0,
        help="seconds after which a judge counts it as caught",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("bnbench-results/mutation"), metavar="DIR"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout that is copied")
    asked = parser.parse_args(arguments)
    if not files(asked.root, asked.only):
        parser.error(
            f"--only {asked.only} matches none of {', '.join(files(asked.root))}; allowed: a glob "
            "that does"
        )
    if min(asked.count, asked.jobs) < 1:
        parser.error(f"--count {asked.count} --jobs {asked.jobs}; allowed: 1 or more")
    return asked


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
