"""What stands around the benchmarks: calls a round, and what they are of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.bandwidth import traffic
from implementations.interface import Phase, Prepared, Problem
from tests.helpers import calibrated_benchmarks
from tests.helpers.calibrated_benchmarks import MOST_CALLS, calibrated, measured


class Consuming(Prepared):
    """One whose calls consume what was made for them, and take a stated time."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        self.clock, self.seconds, self.ready = clock, seconds, 0

    def arm(self, calls: int) -> None:
        self.ready = calls

    def __call__(self) -> None:
        assert self.ready, "nothing was made for this call"
        self.ready -= 1
        self.clock[0] += self.seconds

    def synchronize(self) -> None:
        """A call returns when all is done."""

    def results(self):
        raise NotImplementedError


class Benchmark:
    """The order of calls of pytest-benchmark's `pedantic`, and what it was asked for."""

    enabled = True

    def pedantic(
        self,
        target: Callable[[], None],
        *,
        teardown: Callable[[], None],
        rounds: int,
        warmup_rounds: int,
        iterations: int,
    ) -> None:
        self.iterations = iterations
        for _ in range(warmup_rounds + rounds):
            for _ in range(iterations if self.enabled else 1):
                target()
            teardown()


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(calibrated_benchmarks, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(("seconds", "calls"), [(1e-4, 20), (1.0, 1), (1e-7, MOST_CALLS)])
def test_a_round_has_as_many_calls_as_the_clock_needs(clock, seconds, calls):
    benchmark = Benchmark()
    calibrated(benchmark, Consuming(clock, seconds))
    assert calls <= benchmark.iterations <= min(1.1 * calls + 1, MOST_CALLS)


def test_where_benchmarks_are_disabled_nothing_is_calibrated(clock):
    benchmark = Benchmark()
    benchmark.enabled = False
    calibrated(benchmark, Consuming(clock, 1e-4))
    assert benchmark.iterations == 1


def test_a_figure_says_what_it_is_of():
    problem = Problem((4, 8, 6, 6), activation="relu")
    told = measured(problem, Phase.INFERENCE, "numpy")
    least = traffic(
        problem, Phase.INFERENCE, face="layer", outputs="fresh", cache_bytes=1 << 30
    ).bytes
    assert (told["implementation"], told["problem"]) == ("numpy", str(problem))
    assert (told["operand_bytes"], told["floor_bytes"]) == (2 * 4 * 4 * 8 * 36, least)
