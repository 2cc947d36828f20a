"""One cell, measured: launches in turn, and in each of them all arms prepared, checked, warmed up
and sampled in blocks.

An arm that fails costs its own result only. Where its process died with it, or it failed in
mid-sample, the cell begins again without it, since blocks that lack an arm's neighbours are no
longer blocks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import prod

from harness import statistics
from harness.records import Cost, Seconds, StopReason
from harness.statistics import Prior
from harness.timing import schedule
from harness.timing.blocks import take_blocks
from harness.timing.cell_spec import FLOORS, CellMeasurement, CellSpec
from harness.timing.launch import ArmFailed, Launch
from harness.timing.launch_pool import LaunchPool
from harness.timing.launch_variances import launches_wanted
from harness.timing.messages import CellSetup
from harness.timing.time_account import TimeAccount
from harness.timing.time_budget import TimeBudget
from harness.timing.warm_up import WarmedUp, warm_up

LARGEST_ITEM = 8  # bytes of a float64
# What a saved graph keeps beyond the shared input: the output, and a mask or a normalized copy.
GRAPH_ARRAYS = 2


def measure_cell(
    launches: LaunchPool,
    spec: CellSpec,
    announce: Callable[[str], None],
    prior: Prior | None = None,
) -> CellMeasurement:
    """Measure all arms side by side, in as many of the ``launches`` as it takes, given what cells
    measured before let expect of its noise.
    """
    failures: dict[str, ArmFailed] = {}
    account = TimeAccount()
    while True:
        attempt = _Attempt(spec, account, failures, prior)
        try:
            attempt.run(launches, announce)
        except ArmFailed as failure:
            failures[failure.arm] = failure
        else:
            attempt.result.spent = account.total()
            return attempt.result


class _Attempt:
    """One attempt at a cell, with the arms that have not failed."""

    def __init__(
        self,
        spec: CellSpec,
        account: TimeAccount,
        failures: dict[str, ArmFailed],
        prior: Prior | None,
    ) -> None:
        self.spec, self.account, self.prior = spec, account, prior
        self.result = CellMeasurement(failures=failures, stopped=StopReason.LAUNCHES)
        self.most_calls = _most_calls(spec.setup)
        self.budget, self.cut_short = TimeBudget(spec.protocol.cell_seconds), False
        self.wanted: dict[str, int] = {}  # launches by arm, once the pilot is done

    def run(self, launches: LaunchPool, announce: Callable[[str], None]) -> None:
        """Raises ``ArmFailed`` where the cell has to begin again."""
        protocol = self.spec.protocol
        index, wanted = 0, protocol.launches
        while index < wanted:
            if index >= statistics.LEAST_LAUNCHES and not self._in_time(1.0):
                break
            announce(f"launch {index + 1} of {wanted}")
            self._measure(launches[index], index, share=(index + 1) / wanted)
            index += 1
            if index == protocol.launches:
                wanted = self._launches_in_all()
        if self.cut_short:
            self.result.stopped = StopReason.BUDGET

    def _in_time(self, share: float) -> bool:
        """Whether less than this share of the budget is spent, where more is wanted."""
        in_time = self.budget.allows(share)
        self.cut_short |= not in_time
        return in_time

    def _launches_in_all(self) -> int:
        """How many launches the pilot's noise asks for, within what is allowed."""
        protocol = self.spec.protocol
        most = max(protocol.most_launches or protocol.launches, protocol.launches)
        self.wanted = launches_wanted(self.spec, self.result, self.prior)
        asked = max([protocol.launches, *self.wanted.values()])
        if asked < most:
            self.result.stopped = StopReason.PRECISION
        return min(asked, most)

    def _arms(self, index: int) -> list[str]:
        """Those that a launch measures: after the pilot the undecided ones and what they are
        compared with, so that no time goes to what is decided.
        """
        always = {self.spec.baseline, self.spec.canary}
        pilot = index < self.spec.protocol.launches
        return [
            arm
            for arm in self.spec.arms
            if arm not in self.result.failures
            and (pilot or arm in always or self.wanted.get(arm, 0) > index)
        ]

    def _measure(self, launch: Launch, index: int, share: float) -> None:
        starting = launch.starting
        launch.open(self.spec.setup)
        ready = [*self._prepare_arms(launch, index), *self._prepare_floors(launch)]
        self.account.add("starting", launch.starting - starting)
        self.result.cpus = launch.cpus
        in_time = partial(self._in_time, share)
        with self.budget.running():
            warmed = {arm: self._warm_up(launch, arm, in_time) for arm in ready}
            if warmed:
                self._sample(launch, index, warmed, in_time)
        # Of a large problem an audit takes as long as the blocks do: first and last will do.
        if index in {0, self.spec.protocol.launches - 1}:
            self._audit(launch, warmed)
        launch.clear()

    def _prepare_arms(self, launch: Launch, index: int) -> list[str]:
        """The arms that are ready: prepared, checked and, in the first launch, their memory
        measured.
        """
        ready = []
        for arm in self._arms(index):
            try:
                cost = self._prepare(launch, arm, index)
            except ArmFailed as failure:
                self._out(failure)
                continue
            self.result.costs.setdefault(arm, []).append(cost)
            ready.append(arm)
        return ready

    def _prepare(self, launch: Launch, arm: str, index: int) -> Cost:
        cost = launch.prepare(arm, self.spec.arms[arm])
        seconds = (cost.prepare_seconds or 0.0) + (cost.first_call_seconds or 0.0)
        self.account.add("preparing", seconds)
        with self.account.on("checking"):
            check = launch.verify(arm, whole=index == 0)
            if index == 0 and check.accuracy is not None:
                self.result.accuracy[arm] = check.accuracy
            if index == 0:
                self.result.memory[arm] = launch.measure_memory(arm)
                self.result.instruction_sets[arm] = launch.instruction_sets(arm)
        return replace(cost, check_seconds=check.seconds)

    def _prepare_floors(self, launch: Launch) -> list[str]:
        ready = []
        for arm, stores in FLOORS.items():
            if arm in self.result.failures:
                continue
            try:
                self.result.floor_bytes = launch.prepare_floor(arm, stores)
            except ArmFailed as failure:
                self._out(failure)
                continue
            ready.append(arm)
        return ready

    def _out(self, failure: ArmFailed) -> None:
        """Note that an arm is out. Raises it again where its process died with it."""
        if failure.died:
            raise failure
        self.result.failures[failure.arm] = failure

    def _warm_up(self, launch: Launch, arm: str, in_time: Callable[[], bool]) -> WarmedUp:
        with self.account.on("untimed"):
            seconds = self.spec.protocol.sample_seconds
            warmed = warm_up(launch, arm, seconds, self.most_calls, in_time)
        self.result.steady.setdefault(arm, []).append(warmed.steady)
        if arm in self.result.costs:
            *earlier, cost = self.result.costs[arm]
            took = Seconds(sum(warmed.groups) * warmed.calls)
            self.result.costs[arm] = [*earlier, replace(cost, warm_up_seconds=took)]
        return warmed

    def _sample(
        self,
        launch: Launch,
        index: int,
        warmed: Mapping[str, WarmedUp],
        in_time: Callable[[], bool],
    ) -> None:
        order = random.Random(f"{self.spec.setup.seed}/{index}")
        calls = {arm: state.calls for arm, state in warmed.items()}
        wanted = self.spec.protocol.blocks
        for block in take_blocks(launch, calls, wanted, order, self.most_calls, in_time):
            self.account.add_samples(sample.result for sample in block.samples)
            self.result.blocks.append(block.conditions(index))
            for arm, sample in block.timed_samples(index):
                self.result.samples.setdefault(arm, []).append(sample)

    def _audit(self, launch: Launch, warmed: Mapping[str, WarmedUp]) -> None:
        """See whether the arms still work. One that does not is out, with its samples; those beside
        it were not disturbed.
        """
        with self.account.on("checking"):
            for arm in sorted(warmed.keys() - FLOORS.keys()):
                try:
                    launch.audit(arm, warmed[arm].calls)
                except ArmFailed as failure:
                    self._out(failure)
                    del self.result.samples[arm]


def _most_calls(setup: CellSetup) -> int:
    """How many calls one sample may have: a backward of a layer spends a graph for each."""
    keeps_graphs = setup.face == "layer" and not setup.phase.has_forward
    graph_bytes = prod(setup.problem.shape) * LARGEST_ITEM * GRAPH_ARRAYS
    return schedule.most_calls(graph_bytes if keeps_graphs else 0)
