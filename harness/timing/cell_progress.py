"""A cell as far as it is measured: a pilot of launches, and then further ones, one at a time and
with other cells in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness import statistics
from harness.records import StopReason
from harness.statistics import Prior
from harness.timing.arm_failure import ArmFailed
from harness.timing.cell import CellLaunch
from harness.timing.cell_spec import FLOORS, CellMeasurement, CellSpec
from harness.timing.launch_pool import LaunchPool
from harness.timing.session_schedule import UndecidedCell
from harness.timing.time_account import TimeAccount
from harness.timing.time_budget import TimeBudget

# How many launches in all decide an arm, by arm, given what other cells let expect of noise.
LaunchRule = Callable[[CellSpec, CellMeasurement, Prior | None], Mapping[str, int]]


class CellProgress:
    """One cell, named by its ``key``, and what was measured of it in so many ``launches``.

    ``wanted`` are the launches that decide an arm, by arm, once the pilot is done. ``lock_wait``
    are the seconds that the machine was waited for.
    """

    def __init__(self, key: str, spec: CellSpec) -> None:
        self.key, self.spec = key, spec
        self.measured = CellMeasurement()
        self.launches = 0
        self.wanted: Mapping[str, int] = {}
        self.lock_wait = 0.0
        self._seconds = 0.0  # of warming up and sampling, in launches that count
        self._account = TimeAccount()

    @property
    def most(self) -> int:
        """How many launches there may be."""
        protocol = self.spec.protocol
        return max(protocol.most_launches or protocol.launches, protocol.launches)

    @property
    def is_settled(self) -> bool:
        """Whether every arm is decided, or no further launch is allowed."""
        return self.launches >= self.most or not self._undecided()

    def measure_pilot(
        self, pool: LaunchPool, budget: TimeBudget, seconds: float, announce: Callable[[str], None]
    ) -> None:
        """The launches that tell how many more it takes. Each has its share of the ``seconds``, and
        what one leaves over is the next one's; past them no launch begins but the least.
        """
        pilot = self.spec.protocol.launches
        with self._account.running(), self._account.on("starting"):
            pool.start(pilot, self.spec.arms.values())
        while self.launches < pilot:
            if self.launches >= statistics.LEAST_LAUNCHES and self._seconds >= seconds:
                self.measured.cut_short = True
                return
            announce(f"launch {self.launches + 1} of {pilot}")
            share = seconds * (self.launches + 1) / pilot
            self.measure_launch(pool, budget, share - self._seconds)

    def measure_launch(self, pool: LaunchPool, budget: TimeBudget, seconds: float) -> None:
        """One more launch. An arm whose process dies is out, and the launch begins again without
        it and with all of its ``seconds``: that is no fault of the others.
        """
        while True:
            began, arms = budget.spent, self._arms()
            with self._account.running(), self._account.on("starting"):
                started = [what for arm, what in self.spec.arms.items() if arm in arms]
                pool.start_one(self.launches, started)
            launch = CellLaunch(
                pool[self.launches], self.spec, self.launches, arms, self._account, budget
            )
            try:
                with self._account.running():
                    more = launch.measure(seconds)
            except ArmFailed as failure:
                self.measured.put_out(failure)
            else:
                self.measured.add(more)
                self.launches += 1
                self._seconds += budget.spent - began
                return

    def decide(self, rule: LaunchRule, prior: Prior | None) -> None:
        """See which arms are decided, given what other cells let expect of noise."""
        self.wanted = rule(self.spec, self.measured, prior)

    def undecided_cell(self) -> UndecidedCell:
        """What the next launches can bring, and are expected to take: as long as those before."""
        seconds, undecided = self._launch_seconds(), self._undecided()
        shared = {self.spec.baseline, self.spec.canary, *FLOORS}
        return UndecidedCell(
            launches=self.launches,
            most=self.most,
            wanted=undecided,
            arm_seconds={arm: seconds.get(arm, 0.0) for arm in undecided},
            shared_seconds=sum(seconds.get(arm, 0.0) for arm in shared),
        )

    def finish(self, reason: StopReason | None = None) -> CellMeasurement:
        """The measurement, with why it ended: for this ``reason``, or by what it came to."""
        self.measured.spent = self._account.total()
        self.measured.stopped = reason or self._stop_reason()
        return self.measured

    def _stop_reason(self) -> StopReason:
        if self.measured.cut_short:
            return StopReason.BUDGET
        if self.launches >= self.most:
            return StopReason.LAUNCHES
        return StopReason.BUDGET if self._undecided() else StopReason.PRECISION

    def _launch_seconds(self) -> dict[str, float]:
        """By arm, what a launch took for it, and its part of what a launch took beside its arms."""
        seconds, steady = self.measured.seconds, self.measured.steady
        whole = self._seconds / max(sum(seconds.values()), 1e-9)
        return {arm: whole * seconds[arm] / len(steady[arm]) for arm in seconds}

    def _undecided(self) -> dict[str, int]:
        """The launches wanted, of arms that want more than there were."""
        failures = self.measured.failures
        return {
            arm: wanted
            for arm, wanted in self.wanted.items()
            if wanted > self.launches and arm not in failures
        }

    def _arms(self) -> list[str]:
        """Those that the next launch measures, and the floors: after the pilot the undecided ones
        and what they are compared with, so that no time goes to what is decided.
        """
        always = {self.spec.baseline, self.spec.canary, *FLOORS}
        pilot = self.launches < self.spec.protocol.launches
        undecided = self._undecided()
        return [
            arm
            for arm in (*self.spec.arms, *FLOORS)
            if arm not in self.measured.failures and (pilot or arm in always or arm in undecided)
        ]
