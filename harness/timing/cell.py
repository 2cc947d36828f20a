"""One launch of a cell: its arms prepared, checked, warmed up, sampled in blocks and audited.

An arm that fails costs its own result only. Where its process died with it, or it failed in
mid-sample, the launch is of no use, since blocks that lack an arm's neighbours are no longer
blocks.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod

from harness.records import Cost, Seconds
from harness.timing import schedule
from harness.timing.arm_failure import ArmFailed
from harness.timing.blocks import take_blocks
from harness.timing.cell_spec import FLOORS, CellMeasurement, CellSpec
from harness.timing.launch import Launch
from harness.timing.messages import CellSetup
from harness.timing.time_account import TimeAccount
from harness.timing.time_budget import TimeBudget
from harness.timing.warm_up import WarmedUp, warm_up

LARGEST_ITEM = 8  # bytes of a float64
# What a saved graph keeps beyond the shared input: the output, and a mask or a normalized copy.
GRAPH_ARRAYS = 2


class CellLaunch:
    """Measures the launch of a cell that has this ``index``, from 0, with some of its arms and
    floors, keeping account of the time.
    """

    def __init__(
        self,
        launch: Launch,
        spec: CellSpec,
        index: int,
        arms: Sequence[str],
        account: TimeAccount,
        budget: TimeBudget,
    ) -> None:
        self.launch, self.spec, self.index, self.arms = launch, spec, index, arms
        self.account, self.budget = account, budget
        self.most_calls = _most_calls(spec.setup)
        self.result = CellMeasurement()

    def measure(self, seconds: float) -> CellMeasurement:
        """What came of it. After so many ``seconds`` of warming up and sampling, no more is done
        than the least.

        Raises ``ArmFailed`` where the launch has to be made again without that arm.
        """
        launch, starting = self.launch, self.launch.starting
        launch.open(self.spec.setup)
        ready = [arm for arm in self.arms if self._is_ready(arm)]
        self.account.add("starting", launch.starting - starting)
        self.result.cpus = launch.cpus
        in_time = self._in_time(seconds)
        with self.budget.running():
            warmed = {arm: self._warm_up(arm, in_time) for arm in ready}
            if warmed:
                self._sample(warmed, in_time)
        # Of a large problem an audit takes as long as the blocks do: first and last will do.
        if self.index in {0, self.spec.protocol.launches - 1}:
            self._audit(warmed)
        launch.clear()
        return self.result

    def _in_time(self, seconds: float) -> Callable[[], bool]:
        """Whether less than that is spent from now on, where more is wanted."""
        allowed = self.budget.allowance(seconds)

        def in_time() -> bool:
            self.result.cut_short |= not allowed()
            return not self.result.cut_short

        return in_time

    def _is_ready(self, arm: str) -> bool:
        """Whether it could be prepared, and is right."""
        try:
            if arm in FLOORS:
                self.result.floor_bytes = self.launch.prepare_floor(arm, FLOORS[arm])
            else:
                self.result.costs[arm] = [self._prepare(arm)]
        except ArmFailed as failure:
            self._put_out(failure)
            return False
        return True

    def _prepare(self, arm: str) -> Cost:
        """Prepare and check it and, in the first launch, measure its memory."""
        launch, result = self.launch, self.result
        cost = launch.prepare(arm, self.spec.arms[arm])
        seconds = (cost.prepare_seconds or 0.0) + (cost.first_call_seconds or 0.0)
        self.account.add("preparing", seconds)
        with self.account.on("checking"):
            known = self._is_known(arm)
            check = launch.verify(arm, whole=self.index == 0 and not known)
            if self.index == 0:
                accuracy = result.accuracy[self.spec.baseline] if known else check.accuracy
                result.accuracy |= {} if accuracy is None else {arm: accuracy}
                result.memory[arm] = (
                    result.memory[self.spec.baseline] if known else launch.measure_memory(arm)
                )
                result.instruction_sets[arm] = launch.instruction_sets(arm)
        return replace(cost, check_seconds=check.seconds)

    def _is_known(self, arm: str) -> bool:
        """Whether it is the baseline's second name, of which all was found out under the first."""
        return arm == self.spec.canary and self.spec.baseline in self.result.accuracy

    def _put_out(self, failure: ArmFailed) -> None:
        """Note that an arm is out. Raises it again where its process died with it."""
        if failure.died:
            raise failure
        self.result.put_out(failure)

    def _warm_up(self, arm: str, in_time: Callable[[], bool]) -> WarmedUp:
        began = self.budget.spent
        with self.account.on("untimed"):
            seconds = self.spec.protocol.sample_seconds
            warmed = warm_up(self.launch, arm, seconds, self.most_calls, in_time)
        self.result.seconds[arm] = self.budget.spent - began
        self.result.steady[arm] = [warmed.steady]
        if arm in self.result.costs:
            [cost] = self.result.costs[arm]
            took = Seconds(sum(warmed.groups) * warmed.calls)
            self.result.costs[arm] = [replace(cost, warm_up_seconds=took)]
        return warmed

    def _sample(self, warmed: Mapping[str, WarmedUp], in_time: Callable[[], bool]) -> None:
        order = random.Random(f"{self.spec.setup.seed}/{self.index}")
        calls = {arm: state.calls for arm, state in warmed.items()}
        wanted = self.spec.protocol.blocks
        for block in take_blocks(self.launch, calls, wanted, order, self.most_calls, in_time):
            self.account.add_samples(sample.result for sample in block.samples)
            self.result.blocks.append(block.conditions(self.index))
            for arm, sample in block.timed_samples(self.index):
                self.result.samples.setdefault(arm, []).append(sample)
                self.result.seconds[arm] += sample.untimed + sample.seconds

    def _audit(self, warmed: Mapping[str, WarmedUp]) -> None:
        """See whether the arms still work. One that does not is out, with its samples, and the
        canary with the baseline; those beside it were not disturbed.
        """
        baseline, canary = self.spec.baseline, self.spec.canary
        twin = {canary} if {baseline, canary} <= warmed.keys() else set[str]()
        with self.account.on("checking"):
            for arm in sorted(warmed.keys() - FLOORS.keys() - twin):
                try:
                    self.launch.audit(arm, warmed[arm].calls)
                except ArmFailed as failure:
                    self._put_out(failure)
                    for other in twin if arm == baseline else ():
                        self._put_out(ArmFailed(other, failure.status, failure.reason))


def _most_calls(setup: CellSetup) -> int:
    """How many calls one sample may have: a backward of a layer spends a graph for each."""
    keeps_graphs = setup.face == "layer" and not setup.phase.has_forward
    graph_bytes = prod(setup.problem.shape) * LARGEST_ITEM * GRAPH_ARRAYS
    return schedule.most_calls(graph_bytes if keeps_graphs else 0)
