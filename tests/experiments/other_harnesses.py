"""The same call timed by other harnesses, side by side: how far is a ratio of a call to itself from
1, by each?

    python tests/experiments/other_harnesses.py --rounds 20 [--problems large small] [--threads 1]
    [--seconds 20] [--out FILE]

A round asks every harness once on every problem, in an order drawn anew, so that all see the same
machine. Each times one training step of `torch_native` twice, under two names, in fresh processes
with the same threads, CPUs and allocator:

    torch             torch.utils.benchmark: a Timer each, blocked_autorange, one after the other in
                      one process
    pyperf            a Runner with a benchmark each: as many worker processes for either as the
                      time allows
    pytest-benchmark  a test each in one process; the times are read from its JSON
    bnbench           this one: baseline and canary, as many launches as the time allows

Each keeps its own defaults but for what makes it last about as long as the rest. Start-up counts,
and so does bnbench's check of the results against the oracle. A round that fails is told and
counted, never averaged. Interrupting shows what is done.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import exp, log
from pathlib import Path
from statistics import median, stdev
from typing import Any, NamedTuple, TextIO

import pytest
from rich import box
from rich.console import Console
from rich.table import Table

from harness.isolation import WorkerSettings
from harness.records import CANARY
from implementations.interface import Phase, Problem

IMPLEMENTATION = "torch_native"
NAMES = ("first", "second")  # of the same call
PROBLEMS = {
    "large": Problem((16, 64, 56, 56), activation="relu"),
    "small": Problem((8, 32, 14, 14), activation="relu"),
}
SEED = 0  # of the inputs, the same for all
LEAST_SECONDS = 0.2  # of timing a call, where starting up has used the time
LEAST_COUNT = 2  # of launches or processes
# begin the variables that pyperf's workers need
INHERITED = ("OMP_", "GOMP_", "MKL_", "OPENBLAS_", "NUMBA_", "MALLOC_")
PATIENCE = 10  # times the seconds asked for, after which a harness hangs
DISTRIBUTIONS = ("torch", "pyperf", "pytest-benchmark")


class Starts(NamedTuple):
    """How many processes a harness starts: ``fixed``, and ``each`` for every launch that is asked
    for.
    """

    fixed: int
    each: int


# pyperf: itself and two calibrations; bnbench: itself
COUNTED = {"pyperf": Starts(3, 2), "bnbench": Starts(1, 1)}


@dataclass(frozen=True)
class Asked:
    """What a harness's process is told. ``until`` is on the monotonic clock, which all processes of
    a machine share.
    """

    problem: str
    threads: int
    count: int
    until: float
    folder: str


class Times(NamedTuple):
    """Median seconds per call under either name, and the ratio that the harness makes of them,
    second over first.
    """

    first: float
    second: float
    ratio: float


@dataclass(frozen=True)
class Result:
    """What became of asking one harness once. ``times`` is None where it failed, for the
    ``reason``.
    """

    round: int
    problem: str
    harness: str
    threads: int
    count: int
    wall_seconds: float
    times: Times | None
    reason: str | None = None

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "times": self.times and self.times._asdict()})


# In the harness's own process
# ----------------------------------------------------------------------------------------


def calls(asked: Asked, names: Sequence[str] = NAMES) -> dict[str, Callable[[], None]]:
    """The same call under each of the names: on the same arrays, prepared apart, and called
    once.
    """
    import torch

    import implementations
    from harness.problems.inputs import make_arrays

    torch.set_num_threads(asked.threads)
    problem = PROBLEMS[asked.problem]
    arrays, implementation = make_arrays(problem, SEED), implementations.load(IMPLEMENTATION)
    made = {
        name: implementation.prepare(
            problem, Phase.TRAINING_STEP, face="layer", outputs="fresh", arrays=arrays
        )
        for name in names
    }
    for prepared in made.values():
        prepared.arm(1)
        prepared()
    return dict(made)


def seconds_each(asked: Asked) -> float:
    """What is left for timing, for either name."""
    return max(LEAST_SECONDS, (asked.until - time.monotonic()) / len(NAMES))


def of_medians(first: float, second: float) -> Times:
    return Times(first, second, second / first)


def by_torch(asked: Asked) -> Times:
    from torch.utils.benchmark import Timer

    timers = [
        Timer("call()", globals={"call": call}, num_threads=asked.threads)
        for call in calls(asked).values()
    ]
    seconds = seconds_each(asked)
    return of_medians(*(timer.blocked_autorange(min_run_time=seconds).median for timer in timers))


def by_pyperf(asked: Asked) -> Times | None:
    """None in pyperf's own workers, which are this program again with pyperf's options behind ours.

    A worker prepares what it times and nothing else: beside another one, which lies elsewhere in
    memory, it would be another call. Python's hashes are drawn anew in each, as pyperf means it, so
    PYTHONHASHSEED stays behind.
    """
    import pyperf

    ours, theirs, output = sys.argv[:4], sys.argv[4:], Path(asked.folder, "pyperf.json")
    inherited = ",".join(name for name in os.environ if name.startswith(INHERITED))
    runner = pyperf.Runner(program_args=ours)
    options = runner.parse_args(
        theirs
        or [
            f"--processes={asked.count}",
            f"--affinity={','.join(map(str, WorkerSettings(asked.threads).cpus))}",
            f"--inherit-environ={inherited}",
            f"--output={output}",
            "--quiet",
        ]
    )
    made = calls(asked, [NAMES[options.worker_task]]) if options.worker else {}
    for name in NAMES:
        runner.bench_func(name, made.get(name))
    if options.worker:
        return None
    suite = pyperf.BenchmarkSuite.load(str(output))
    return of_medians(*(suite.get_benchmark(name).median() for name in NAMES))


def by_pytest_benchmark(asked: Asked) -> Times:
    output, given = Path(asked.folder, "pytest.json"), Given(calls(asked))
    status = pytest.main(
        [
            __file__,
            f"--benchmark-json={output}",
            f"--benchmark-max-time={seconds_each(asked)}",
            "--quiet",
            "--noconftest",
            "--import-mode=importlib",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            f"--rootdir={asked.folder}",
        ],
        [given],
    )
    if status:
        raise RuntimeError(f"pytest ended with status {int(status)}")
    medians = {
        made["params"]["name"]: made["stats"]["median"]
        for made in json.loads(output.read_text())["benchmarks"]
    }
    return of_medians(*(medians[name] for name in NAMES))


class Given:
    """The calls, as a plug-in of pytest."""

    def __init__(self, calls: dict[str, Callable[[], None]]) -> None:
        self._calls = calls

    @pytest.fixture
    def given(self):
        return self._calls


@pytest.mark.parametrize("name", NAMES)
def test_call(benchmark, given, name):
    """What pytest-benchmark times; this file is no test, so that only `by_pytest_benchmark`
    collects it.
    """
    benchmark(given[name])


def by_bnbench(asked: Asked) -> Times:
    import harness

    problem = PROBLEMS[asked.problem]
    made = harness.measure(
        [IMPLEMENTATION],
        [problem],
        threads=asked.threads,
        launches=asked.count,
        most_launches=asked.count,
        baseline=IMPLEMENTATION,
    )
    figures = {}
    for record in made:
        if record.figures is None:
            raise RuntimeError(f"{record.implementation} is {record.status}: {record.reason}")
        figures[record.implementation] = record.figures
    first, second = figures[IMPLEMENTATION], figures[CANARY]
    if second.canary is None:
        raise RuntimeError(f"there is no ratio: {second.ratio_absent}")
    return Times(first.median_seconds, second.median_seconds, second.canary.estimate)


HARNESSES = {
    "torch": by_torch,
    "pyperf": by_pyperf,
    "pytest-benchmark": by_pytest_benchmark,
    "bnbench": by_bnbench,
}


def answer(name: str, asked: Asked) -> None:
    """Time, and leave the times in the folder."""
    if name != "bnbench":  # which binds its own workers
        os.sched_setaffinity(0, WorkerSettings(asked.threads).cpus)
    times = HARNESSES[name](asked)
    if times is not None:
        Path(asked.folder, "times.json").write_text(json.dumps(times))


# In the parent
# ------------------------------------------------------------------------------


def ask(round_: int, problem: str, name: str, options: argparse.Namespace, count: int) -> Result:
    """One harness, once, in processes of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bnbench-harnesses-") as folder:
        asked = Asked(problem, options.threads, count, began + options.seconds, folder)
        command = [sys.executable, __file__, "--as", name, json.dumps(asdict(asked))]
        try:
            subprocess.run(
                command,
                env=WorkerSettings(options.threads).environment(),
                check=True,
                capture_output=True,
                text=True,
                timeout=PATIENCE * max(options.seconds, 10.0),
            )
            times, reason = Times(*json.loads(Path(folder, "times.json").read_text())), None
        except (subprocess.SubprocessError, OSError) as error:
            times, reason = None, words(error)
    return Result(
        round_, problem, name, options.threads, count, time.monotonic() - began, times, reason
    )


def words(error: Exception) -> str:
    said = (getattr(error, "stderr", None) or "").strip() or (
        getattr(error, "stdout", None) or ""
    ).strip()
    return (
        said.splitlines()[-1]
        if said and isinstance(said, str)
        else f"{type(error).__name__}: {error}"
    )


def affordable(past: Sequence[Result], seconds: float) -> int:
    """How many launches fit, if each start of a process costs what it mostly did."""
    starts = COUNTED[past[0].harness]
    each = median(
        result.wall_seconds / (starts.fixed + starts.each * result.count) for result in past
    )
    return max(LEAST_COUNT, round((seconds / each - starts.fixed) / starts.each))


def results(options: argparse.Namespace, say: Callable[[str], None]) -> Iterable[Result]:
    """Trials first, which are not given, then the rounds."""
    pairs = [(problem, name) for problem in options.problems for name in options.harnesses]
    past = {pair: [trial(*pair, options, say)] for pair in pairs if pair[1] in COUNTED}
    for round_ in range(options.rounds):
        for pair in random.Random(f"{options.seed}/{round_}").sample(pairs, len(pairs)):
            count = affordable(past[pair], options.seconds) if pair in past else 0
            result = ask(round_, *pair, options, count)
            say(f"round {round_ + 1} of {options.rounds}: {line(result)}")
            if pair in past and result.times is not None:
                past[pair].append(result)
            yield result


def trial(
    problem: str, name: str, options: argparse.Namespace, say: Callable[[str], None]
) -> Result:
    """What the least that can be asked for costs. Ends the program where even that fails."""
    result = ask(-1, problem, name, options, LEAST_COUNT)
    if result.times is None:
        raise SystemExit(f"{name} cannot time the {problem} problem: {result.reason}")
    say(f"trial, {LEAST_COUNT} launches: {line(result)}")
    return result


def line(result: Result) -> str:
    told = (
        result.reason
        if result.times is None
        else (
            f"{result.times.first * 1e6:.1f} and {result.times.second * 1e6:.1f} µs, ratio "
            f"{result.times.ratio:.4f}"
        )
    )
    return f"{result.problem}, {result.harness}: {told}, {result.wall_seconds:.1f} s"


def table(done: Sequence[Result], problem: str, title: str) -> Table:
    """One row a harness. Spreads are standard deviations over rounds, of logarithms."""
    shown = Table(
        "harness",
        *(
            "median µs per call",
            "its spread over rounds, %",
            "|A/A - 1|: median, %",
            "A/A: spread, %",
            "A/A: worst, %",
            "seconds per ratio",
            "launches",
            "rounds",
            "failed",
        ),
        title=title,
        box=box.MARKDOWN,
        title_justify="left",
    )
    for name in sorted({result.harness for result in done}, key=list(HARNESSES).index):
        shown.add_row(
            name,
            *row(
                [result for result in done if (result.problem, result.harness) == (problem, name)]
            ),
        )
    return shown


def row(asked: Sequence[Result]) -> list[str]:
    times = [result.times for result in asked if result.times is not None]
    if not times:
        return ["-"] * 7 + ["0", str(len(asked))]
    middle = [log(one.first * one.second) / 2 for one in times]
    ratios = [log(one.ratio) for one in times]
    sizes = [exp(abs(ratio)) - 1 for ratio in ratios]
    spread, ratio_spread = (
        f"{100 * stdev(logs):.2f}" if len(logs) > 1 else "-" for logs in (middle, ratios)
    )
    return [
        f"{exp(median(middle)) * 1e6:.1f}",
        spread,
        f"{100 * median(sizes):.2f}",
        ratio_spread,
        f"{100 * max(sizes):.2f}",
        f"{median(result.wall_seconds for result in asked):.1f}",
        f"{median(result.count for result in asked):g}" if asked[0].count else "-",
        str(len(times)),
        str(len(asked) - len(times)),
    ]


def show(done: Sequence[Result], options: argparse.Namespace) -> None:
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    for problem in sorted({result.problem for result in done}, key=list(PROBLEMS).index):
        console.print(
            table(done, problem, f"{PROBLEMS[problem]}, training step, {options.threads} thread(s)")
        )


def header(options: argparse.Namespace) -> str:
    asked: dict[str, Any] = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in vars(options).items()
    }
    return json.dumps({"asked": asked, "versions": {name: version(name) for name in DISTRIBUTIONS}})


def compare(options: argparse.Namespace) -> None:
    """All rounds, each result written as it comes, and the tables."""
    done: list[Result] = []
    with closing(
        options.out.open("w", encoding="utf-8") if options.out else Path(os.devnull).open("w")
    ) as lines:
        write(lines, header(options))
        try:
            for result in results(
                options, Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print
            ):
                done.append(result)
                write(lines, result.to_json())
        except KeyboardInterrupt:
            print("interrupted; this is what was done", file=sys.stderr)
        finally:
            show(done, options)


def write(lines: TextIO, text: str) -> None:
    print(text, file=lines, flush=True)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20, help="how often each harness is asked")
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--harnesses", nargs="+", choices=HARNESSES, default=list(HARNESSES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="that one A/A ratio may take, start-up included"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the order in each round")
    parser.add_argument("--out", type=Path, metavar="FILE", help="raw results, a line of JSON each")
    options = parser.parse_args(arguments)
    cpus = len(os.sched_getaffinity(0))
    if options.rounds < 1 or options.seconds <= 0 or not 1 <= options.threads <= cpus:
        parser.error(
            f"--rounds {options.rounds} --seconds {options.seconds:g} --threads {options.threads}; "
            f"allowed: 1 or more rounds, more than 0 seconds, 1 to {cpus} threads here"
        )
    return options


if __name__ == "__main__":
    if sys.argv[1:2] == ["--as"]:
        answer(sys.argv[2], Asked(**json.loads(sys.argv[3])))
    else:
        compare(parse(sys.argv[1:]))
