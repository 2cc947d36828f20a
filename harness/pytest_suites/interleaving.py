"""Whole runs of a suite in two trees, in turn, until every test is decided or the time is spent.

Looking again and again at growing data finds in the end what is not there, so each look spends part
of ``alpha``: half of what is left, and the last one all of it. By Bonferroni's inequality, whatever
decides when to stop, no more than ``alpha`` is spent in all.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil

from harness.pytest_suites.decisions import SuiteOutcome, SuiteTest, decide
from harness.pytest_suites.runs import SuiteRun, SuiteTree, run_suite
from harness.records import Seconds, StopReason

GROWTH = 1.5  # from look to look, so that few looks share alpha however long it takes
LONGEST = 3600.0  # seconds that a first run may take, where the plan has fewer
Runner = Callable[[SuiteTree, Sequence[str], float], SuiteRun]


@dataclass(frozen=True)
class Suite:
    """What is run: pytest's ``arguments``, in the trees of base and head."""

    base: SuiteTree
    head: SuiteTree
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuitePlan:
    """How long, and what is decided. ``launches`` are the fewest runs in each tree, whatever they
    take; the margin and ``alpha``, for all tests together, are those of a gate.
    """

    seconds: float
    margin: float = 0.03
    alpha: float = 0.01
    launches: int = 4
    most_launches: int = 100
    seed: int = 0


@dataclass(frozen=True)
class Judged:
    """What a suite came to. ``reason`` says why it could not be run, in which case there are no
    tests; ``side`` then names the tree.
    """

    tests: tuple[SuiteTest, ...]
    launches: int
    seconds: Seconds
    stopped: StopReason
    reason: str | None = None
    side: str | None = None


def gate_suite(
    suite: Suite,
    plan: SuitePlan,
    run: Runner = run_suite,
    clock: Callable[[], float] = time.monotonic,
    announce: Callable[[str], None] = lambda _: None,
) -> Judged:
    """Run it in both trees, and decide. ``announce`` is told of each pair of runs."""
    return _Gate(suite, plan, run, clock, announce).judged()


@dataclass
class _Gate:
    suite: Suite
    plan: SuitePlan
    run: Runner
    clock: Callable[[], float]
    announce: Callable[[str], None]
    pairs: list[tuple[SuiteRun, SuiteRun]] = field(default_factory=list)

    def judged(self) -> Judged:
        self.start, look = self.clock(), 0
        self.order = random.Random(self.plan.seed)
        wanted = self.plan.launches
        while True:
            failed = self._take_pairs(wanted)
            if failed is not None:
                return failed
            last = len(self.pairs) < wanted or wanted >= self.plan.most_launches
            last = last or not self._in_time()
            level = self.plan.alpha / 2 ** (look if last else look + 1)
            tests = decide(self.pairs, margin=self.plan.margin, alpha=level)
            open_tests = [test for test in tests if test.outcome is SuiteOutcome.AMBIGUOUS]
            if last or not open_tests:
                return self._ended(tests, bool(open_tests))
            look += 1
            wanted = min(ceil(wanted * GROWTH), self.plan.most_launches)

    def _take_pairs(self, wanted: int) -> Judged | None:
        """Up to so many, as time allows; or why a run failed as a whole."""
        while len(self.pairs) < wanted and self._in_time():
            failed = self._take_pair()
            if failed is not None:
                return failed
            self.announce(f"{len(self.pairs)} runs of each tree, {self._elapsed():.0f} s")
        return None

    def _take_pair(self) -> Judged | None:
        """Every other pair in an order drawn at random, the one after it mirrored, so that what
        drifts steadily favours nobody: A B B A, or B A A B.
        """
        if len(self.pairs) % 2 == 0:
            self.head_first = self.order.random() < 0.5
        else:
            self.head_first = not self.head_first
        trees = [self.suite.base, self.suite.head]
        runs: dict[str, SuiteRun] = {}
        for tree in reversed(trees) if self.head_first else trees:
            found = self.run(tree, self.suite.arguments, max(self.plan.seconds, LONGEST))
            if found.reason is not None:
                return self._ended((), undecided=True, failed=(tree.label, found.reason))
            runs[tree.label] = found
        self.pairs.append((runs[self.suite.base.label], runs[self.suite.head.label]))
        return None

    def _in_time(self) -> bool:
        """Whether another pair, as long as those before, ends within the plan's seconds."""
        done = len(self.pairs)
        if done < self.plan.launches:
            return True
        return self._elapsed() * (done + 1) / done <= self.plan.seconds

    def _elapsed(self) -> float:
        return self.clock() - self.start

    def _ended(
        self, tests: tuple[SuiteTest, ...], undecided: bool, failed: tuple[str, str] | None = None
    ) -> Judged:
        most = len(self.pairs) >= self.plan.most_launches
        stopped = StopReason.LAUNCHES if most else StopReason.BUDGET
        side, reason = failed or (None, None)
        return Judged(
            tests,
            len(self.pairs),
            Seconds(self._elapsed()),
            stopped if undecided else StopReason.PRECISION,
            reason,
            side,
        )
