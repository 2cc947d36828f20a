"""A prepared implementation under pytest-benchmark: as many calls a round as bnbench would time
together, and what the figures are of beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter

import torch

from harness.bandwidth import cache_bytes, traffic
from harness.environment import machine
from harness.problems.memory import operand_bytes
from harness.records import Seconds
from harness.timing.calibration import calibrate
from harness.timing.messages import TimingResult
from implementations.interface import Phase, Prepared, Problem

ROUNDS, WARM_UP_ROUNDS = 20, 2
ROUND_SECONDS = 2e-3  # the clock's resolution is under a thousandth of it
MOST_CALLS = 200  # each call of a backward keeps a graph from before the round


class PreparedSampler:
    """Calls of one prepared implementation, timed together."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared

    def sample(self, arm: str, calls: int, untimed: int) -> TimingResult:
        for count in (untimed, calls):
            self.prepared.arm(count)
            start = perf_counter()
            for _ in range(count):
                self.call()
        return TimingResult(Seconds(perf_counter() - start))

    def call(self) -> None:
        self.prepared()
        self.prepared.synchronize()


def calibrated(benchmark, prepared: Prepared) -> None:
    """Time it, by calls alone: what a round consumes is made before it. One call where benchmarks
    are disabled.
    """
    sampler = PreparedSampler(prepared)
    calls = calibrate(sampler, "", ROUND_SECONDS, MOST_CALLS) if benchmark.enabled else 1
    prepared.arm(calls)  # pytest-benchmark allows a setup before single calls only
    benchmark.pedantic(
        sampler.call,
        teardown=lambda: prepared.arm(calls),
        rounds=ROUNDS,
        warmup_rounds=WARM_UP_ROUNDS,
        iterations=calls,
    )


def measured(problem: Problem, phase: Phase, name: str) -> Mapping[str, str | int]:
    """What a figure is of: for `extra_info`, so that whoever reads the JSON need not guess."""
    threads = torch.get_num_threads()
    cache = cache_bytes(machine.processor(), threads)
    least = traffic(problem, phase, face="layer", outputs="fresh", cache_bytes=cache)
    return {
        "implementation": name,
        "problem": str(problem),
        "phase": str(phase),
        "face": "layer",
        "threads": threads,
        "operand_bytes": operand_bytes(problem),
        "floor_bytes": least.bytes,
    }
