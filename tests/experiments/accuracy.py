"""How accurate the built-in implementations are: errors of a training step against float64 on the
ten shapes, in both layouts, in float32 and bfloat16, as a Markdown page.

    python tests/experiments/accuracy.py [--out reports/accuracy.md] [--shapes 10] [--threads 2]

Problems come from small to large, and the page is written anew after each, so that an interrupted
run leaves the page of what was done. Nothing is timed: the machine may be busy. Takes about half an
hour on two cores, most of it in float64.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

import implementations
from harness import formatting
from harness.config import ProblemConfig
from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.conformance.errors import ErrorTotals
from harness.problems import problems
from harness.problems.inputs import drawn
from harness.records import Accuracy, QuantityError
from harness.report import phrases
from implementations.interface import Arrays, Phase, Problem, call_once, refusal

STEP = Phase.TRAINING_STEP
DTYPES = ("float32", "bfloat16")
LAYOUTS = ("contiguous", "channels_last")
SEED = 0
ABOUT = """\
# Accuracy of the built-in implementations

One training step with ReLU against float64 on the very same inputs: of bfloat16 data, with float32
parameters, the exact result of that bfloat16 data. Standard normal inputs, seed {seed}, layer,
fresh outputs, {threads} threads, PyTorch {torch} ({capability}). {done} of {planned} problems are
done{missing}.

Made by `python tests/experiments/accuracy.py`; [MEASURING](../MEASURING.md#accuracy) has the
definitions.

The root mean square error of the worst quantity (output, gradients, running statistics), relative
to the root mean square of the exact quantity. Flipped are outputs on the other side of ReLU than
the exact ones, of which each has a wrong gradient:
"""
DETAILS = """\
## The worst of all shapes

Of each quantity, in the shape where its root mean square error is greatest: that error and the
largest, both relative, and the largest in units in the last place.
"""


@dataclass(frozen=True)
class Entry:
    """What became of one implementation on one problem: its accuracy, or a word with the reason."""

    problem: Problem
    implementation: str
    accuracy: Accuracy | None
    word: str = ""
    reason: str = ""


def planned(shapes: int) -> list[Problem]:
    """From small to large, so that what is dear comes last."""
    found = []
    for layout, dtype in itertools.product(LAYOUTS, DTYPES):
        config = ProblemConfig(
            suite="ten", dtype=dtype, parameter_dtype="float32", memory_format=layout
        )
        found.append(sorted(problems(config), key=lambda problem: problem.size)[:shapes])
    return [problem for same_size in zip(*found, strict=True) for problem in same_size]


def entry(name: str, problem: Problem, arrays: Arrays) -> Entry:
    try:
        implementation = implementations.load(name)
    except implementations.Unavailable as absence:
        return Entry(problem, name, None, "UNAVAILABLE", str(absence))
    reason = refusal(implementation, problem, STEP, "cpu")
    if reason is not None:
        return Entry(problem, name, None, "UNSUPPORTED", reason)
    prepared = implementation.prepare(problem, STEP, face="layer", outputs="fresh", arrays=arrays)
    totals = ErrorTotals(problem, STEP, arrays)
    findings = compare_with_oracle(
        call_once(prepared).results(), problem, STEP, arrays, errors=totals
    )
    wrong = failure_summary(findings)
    accuracy = Accuracy(problem.channels, totals.errors(), totals.flipped)
    return Entry(problem, name, accuracy, "WRONG" if wrong else "", wrong or "")


def entries(todo: Sequence[Problem], names: Sequence[str]) -> Iterator[list[Entry]]:
    for problem in todo:
        arrays = drawn(problem, SEED, "normal")
        yield [entry(name, problem, arrays) for name in names]
        torch.compiler.reset()


def page(done: Sequence[Entry], todo: Sequence[Problem], names: Sequence[str], threads: int) -> str:
    finished = {found.problem for found in done}
    missing = [str(problem) for problem in todo if problem not in finished]
    about = ABOUT.format(
        seed=SEED,
        threads=threads,
        torch=torch.__version__,
        capability=torch.backends.cpu.get_cpu_capability(),
        done=len(finished),
        planned=len(todo),
        missing=f"; not done: {', '.join(missing)}" if missing else "",
    )
    present = [name for name in names if any(known(done, name))]
    parts = [about, overview(done, present), DETAILS, details(done, present)]
    return "\n".join([*parts, *notes(done)]) + "\n"


def known(done: Sequence[Entry], name: str) -> Iterator[Entry]:
    return (found for found in done if found.implementation == name and found.accuracy)


def overview(done: Sequence[Entry], names: Sequence[str]) -> str:
    """A row a problem, a column an implementation."""
    rows = []
    for problem, group in itertools.groupby(done, key=lambda found: found.problem):
        by_name = {found.implementation: found for found in group}
        shape = "×".join(map(str, problem.shape))
        cells = [worst(by_name[name]) for name in names]
        rows.append([shape, problem.dtype, problem.memory_format, *cells])
    header = ["shape", "dtype", "layout", *map(formatting.code, names)]
    return formatting.columns(header, rows) + "\n"


def worst(found: Entry) -> str:
    if found.accuracy is None or found.accuracy.worst is None:
        return found.word
    error = formatting.power_of_ten(found.accuracy.worst)
    flipped = f", {found.accuracy.flipped} flipped" if found.accuracy.flipped else ""
    return f"{error} (`{found.accuracy.worst_quantity}`{flipped}) {found.word}".rstrip()


def details(done: Sequence[Entry], names: Sequence[str]) -> str:
    """A row an implementation, dtype and layout, a column a quantity: its greatest error."""
    quantities = dict.fromkeys(
        quantity for found in done if found.accuracy for quantity in found.accuracy.errors
    )
    rows = []
    for name, dtype, layout in itertools.product(names, DTYPES, LAYOUTS):
        own = [
            found
            for found in known(done, name)
            if (found.problem.dtype, found.problem.memory_format) == (dtype, layout)
        ]
        if own:
            worst_of = greatest(own)
            texts = [formatting.code(name), dtype, layout]
            rows.append([*texts, *(phrases.error(worst_of[quantity]) for quantity in quantities)])
    header = ["implementation", "dtype", "layout", *map(formatting.code, quantities)]
    return formatting.columns(header, rows) + "\n"


def greatest(own: Sequence[Entry]) -> dict[str, QuantityError]:
    """Of each quantity the greatest error over the problems."""
    found: dict[str, QuantityError] = {}
    for each in own:
        for quantity, error in (each.accuracy.errors if each.accuracy else {}).items():
            found[quantity] = max(found.get(quantity, error), error, key=lambda one: one.rms)
    return found


def notes(done: Sequence[Entry]) -> list[str]:
    """Reasons, each once with those that it is of."""
    reasons: dict[tuple[str, str], list[Entry]] = {}
    for found in done:
        if found.word:
            own = str(found.problem) if found.word == "WRONG" else ""
            reasons.setdefault((f"{found.word} {own}".strip(), found.reason), []).append(found)
    return [
        f"- {formatting.listed(sorted({formatting.code(one.implementation) for one in own}))}, "
        f"{formatting.counted(len(own), 'problem')}, {word}: {formatting.plain(reason)}"
        for (word, reason), own in reasons.items()
    ]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("reports/accuracy.md"))
    parser.add_argument("--shapes", type=int, choices=range(1, 11), default=10)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args(arguments)


def main(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    todo, names = planned(options.shapes), implementations.names()
    done: list[Entry] = []
    for found in entries(todo, names):
        done += found
        options.out.write_text(page(done, todo, names, options.threads))
        lines = (f"{one.implementation} {worst(one)}" for one in found)
        print(found[0].problem, *lines, sep="\n  ", flush=True)


if __name__ == "__main__":
    main(parse(sys.argv[1:]))
