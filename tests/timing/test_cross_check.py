"""The bench's figure beside another harness's: `torch.utils.benchmark` on the same call, its thread
count set.

The two need not agree to the percent: they run in different processes, one after the other. They
must agree on what a second and a call are.
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from statistics import median

import pytest
from torch.utils.benchmark import Timer

import harness
import implementations
from harness import statistics
from harness.problems.inputs import make_arrays
from harness.records import Status
from implementations.interface import Phase, Problem

pytestmark = pytest.mark.timed
FACTOR = sqrt(2)  # the widest that lets no twofold mistake pass beside a ratio that itself passes
TRIES = 5  # another process beside one of the harnesses passes; a mistake of units stays
PROBLEMS = {
    "a call of some microseconds": Problem((4, 8, 4, 4), activation="relu"),
    "a call of hundreds of microseconds": Problem((8, 32, 28, 28), activation="relu"),
}


def agree(ours, theirs):
    return 1 / FACTOR < ours / theirs < FACTOR


def bench_record(problem):
    records = harness.measure(["torch_native"], [problem], threads=1, launches=2, blocks=3)
    record = next(record for record in records if record.implementation == "torch_native")
    assert record.status is Status.OK, record.reason
    return record


def seconds_by_torch(problem):
    """Median seconds per call of the same call, by PyTorch's own timer."""
    prepared = implementations.load("torch_native").prepare(
        problem,
        Phase.TRAINING_STEP,
        face="layer",
        outputs="fresh",
        arrays=make_arrays(problem, seed=0),
    )
    prepared.arm(1)
    timer = Timer(
        "call(); wait()", globals={"call": prepared, "wait": prepared.synchronize}, num_threads=1
    )
    timer.timeit(1)
    return median(timer.blocked_autorange(min_run_time=0.05).median for _ in range(3))


@pytest.fixture(scope="module", params=PROBLEMS)
def compared(request):
    """A record and the other harness's seconds, of the first try in which they agree, or else of
    the last.
    """
    problem = PROBLEMS[request.param]
    for _ in range(TRIES):
        record, seconds = bench_record(problem), seconds_by_torch(problem)
        if agree(record.figures.median_seconds, seconds):
            break
    return record, seconds


def test_another_harness_finds_the_same_seconds_per_call(compared):
    record, seconds = compared
    assert agree(record.figures.median_seconds, seconds), (record.figures.median_seconds, seconds)


MISTAKES = {
    "a sample is taken for a call": lambda sample: replace(sample, calls=1),
    "the untimed calls are counted too": lambda sample: replace(sample, calls=2 * sample.calls),
    "half of the calls are counted": lambda sample: replace(sample, calls=sample.calls / 2),
    "milliseconds are taken for seconds": lambda sample: replace(
        sample, seconds=1e3 * sample.seconds
    ),
    "nanoseconds are taken for seconds": lambda sample: replace(
        sample, seconds=1e9 * sample.seconds
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_units_would_not_agree(compared, mistake):
    record, seconds = compared
    assert {sample.calls for sample in record.samples} != {1}, (
        "then a sample is a call, and the test tells nothing"
    )
    assert not agree(
        statistics.median_seconds([MISTAKES[mistake](sample) for sample in record.samples]), seconds
    )
