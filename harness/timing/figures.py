"""From what was measured in a cell to one arm's figures and flags."""

from __future__ import annotations

from collections import Counter
from statistics import fmean, median

from harness import statistics
from harness.records import (
    Conditions,
    Flag,
    Floor,
    Interval,
    ThroughputFigures,
    TimedSample,
    Verdict,
)
from harness.timing.cell_spec import FLOORS, CellMeasurement, CellSpec
from harness.timing.clock_agreement import log_device_times, log_slopes

DISTURBED_SHARE = 0.25  # of the blocks that count: past it they are the rule, not the exception
# The slowest block of the floor over the quickest in a launch, of most launches: beyond it not all
# arms had the same memory.
WANDER = 1.5
# Of the floor; the rest of the way is left to what the model of the least traffic does not know.
IMPLAUSIBLE = 0.75
# Between two ways of timing: several times what their noise leaves over eight launches.
CLOCKS_APART = 0.10


def figures_of(
    spec: CellSpec, measured: CellMeasurement, arm: str
) -> tuple[ThroughputFigures, tuple[Flag, ...]]:
    """Figures and flags of an arm that has not failed."""
    return _CellFigures(spec, measured).of(arm)


class _CellFigures:
    """The figures of one cell's arms."""

    def __init__(self, spec: CellSpec, measured: CellMeasurement) -> None:
        self.spec, self.measured = spec, measured
        self.samples = measured.samples

    def of(self, arm: str) -> tuple[ThroughputFigures, tuple[Flag, ...]]:
        spec, measured, samples = self.spec, self.measured, self.samples[arm]
        floor, clocks = self._floor(arm), self._clocks(arm)
        flags = self._flags(arm, floor, clocks)
        log_ratios, absent = self._log_ratios(arm)
        ratio = self._interval(log_ratios)
        is_baseline = arm == spec.baseline
        figures = ThroughputFigures(
            median_seconds=statistics.median_seconds(samples),
            ratio=ratio,
            ratio_absent=absent,
            verdict=None if ratio is None or flags else statistics.verdict(ratio, spec.margin),
            p_value=self._p_value(log_ratios) if ratio else None,
            minimum_detectable_effect=self._detectable(log_ratios) if ratio else None,
            canary=self._canary(),
            floor=floor,
            floor_absent=None if floor else self._why_no_floor(),
            clocks=clocks,
            memory=measured.memory.get(arm),
            instruction_sets=measured.instruction_sets.get(arm),
            launches=len(measured.costs[arm]),
            blocks=spec.protocol.blocks,
            calls=round(median(sample.calls for sample in samples)),
            stopped=measured.stopped,
            unsteady_launches=measured.steady[arm].count(False),
            conditions=self._conditions(),
            spent=measured.spent,
            accuracy=measured.accuracy.get(arm),
            around_blocks=tuple(measured.blocks) if is_baseline else None,
            floors=self._floor_samples() if is_baseline else None,
        )
        return figures, flags

    def _flags(
        self, arm: str, floor: Floor | None, clocks: tuple[Interval, ...]
    ) -> tuple[Flag, ...]:
        doubts = {
            Flag.DISTURBED: self._is_disturbed(floor),
            Flag.UNSTEADY: self._is_unsteady(arm),
            Flag.IMPLAUSIBLE: floor is not None and _is_implausible(floor),
            Flag.CLOCKS_DISAGREE: any(map(_is_apart, clocks)),
            Flag.INACCURATE: self._is_inaccurate(arm),
        }
        return tuple(flag for flag, raised in doubts.items() if raised)

    def _is_disturbed(self, floor: Floor | None) -> bool:
        counted = [block for block in self.measured.blocks if not block.set_aside]
        in_doubt = sum(bool(block.doubts) for block in counted)
        canary = self._canary()
        decided = {Verdict.FASTER, Verdict.SLOWER}
        return (
            in_doubt > DISTURBED_SHARE * len(counted)
            or (canary is not None and statistics.verdict(canary, self.spec.margin) in decided)
            or (floor is not None and floor.wander > WANDER)
        )

    def _is_unsteady(self, arm: str) -> bool:
        warmed_up = [self.measured.steady.get(name, []) for name in (arm, self.spec.baseline)]
        return any(steady.count(False) > len(steady) / 2 for steady in warmed_up)

    def _is_inaccurate(self, arm: str) -> bool:
        """Whether its worst quantity is beyond the bound that was asked for."""
        bound, accuracy = self.spec.accuracy, self.measured.accuracy.get(arm)
        worst = None if accuracy is None else accuracy.worst
        return bound is not None and worst is not None and worst > bound

    def _log_ratios(self, arm: str) -> tuple[list[float], str | None]:
        """The arm's log-ratios to the baseline, or none and the reason why there is no ratio."""
        baseline = self.spec.baseline
        if arm == baseline:
            return [], "it is the baseline"
        failure = self.measured.failures.get(baseline)
        if failure is not None:
            return [], f"the baseline {baseline} is {failure.status} here"
        ratios = statistics.log_ratios(self.samples, arm, baseline)
        if len(ratios) < statistics.LEAST_LAUNCHES:
            return [], f"{len(ratios)} launch gives no interval; raise task.launches"
        return ratios, None

    def _p_value(self, log_ratios: list[float]) -> float:
        pilot = self.spec.protocol.launches
        return statistics.decision_level(log_ratios, self.spec.margin, pilot)

    def _detectable(self, log_ratios: list[float]) -> float:
        alpha, margin = self.spec.alpha, self.spec.margin
        pilot = self.spec.protocol.launches
        return statistics.minimum_detectable_effect(log_ratios, alpha, margin, pilot=pilot)

    def _canary(self) -> Interval | None:
        """The A/A ratio of the cell."""
        baseline, canary = self.spec.baseline, self.spec.canary
        if {baseline, canary} & self.measured.failures.keys():
            return None
        return self._interval(statistics.log_ratios(self.samples, canary, baseline))

    def _floor(self, arm: str) -> Floor | None:
        """Against the least traffic, by whichever stores were the quicker here."""
        seconds = {
            name: statistics.median_seconds(self.samples[name])
            for name in FLOORS
            if name in self.samples
        }
        if not seconds or self.measured.floor_bytes is None:
            return None
        quickest = min(seconds, key=seconds.__getitem__)
        samples = self.samples[quickest]
        by_launch = statistics.launch_seconds(samples)
        return Floor(
            ratio=self._interval(statistics.log_ratios(self.samples, arm, quickest)),
            seconds=seconds[quickest],
            bytes=self.measured.floor_bytes,
            stores=FLOORS[quickest],
            drift=max(by_launch) / min(by_launch),
            wander=median(statistics.launch_ranges(samples)),
        )

    def _why_no_floor(self) -> str:
        failures = self.measured.failures
        reasons = [failures[name].reason for name in FLOORS if name in failures]
        return reasons[0] if reasons else "nothing was sampled"

    def _clocks(self, arm: str) -> tuple[Interval, ...]:
        """Other ways of timing relative to the block timer, 1 where they agree: the slope over
        calls and, on a GPU, its own events.
        """
        samples = self.samples[arm]
        found = map(self._interval, (log_slopes(samples), log_device_times(samples)))
        return tuple(interval for interval in found if interval is not None)

    def _conditions(self) -> Conditions:
        blocks = self.measured.blocks
        samples = [sample for own in self.samples.values() for sample in own]
        waits = [sample.waited for sample in samples if sample.waited is not None]
        return Conditions(
            blocks=len(blocks),
            set_aside=sum(block.set_aside for block in blocks),
            samples=len(samples),
            retaken=sum(sample.retaken for sample in samples),
            preempted=sum(sample.preempted for sample in samples),
            doubts=dict(Counter(doubt for block in blocks for doubt in block.doubts)),
            stolen=fmean(block.stolen for block in blocks),
            elsewhere=fmean(block.elsewhere for block in blocks),
            load=max(block.load for block in blocks),
            waited=max(waits, default=None),
            cpus=self.measured.cpus,
        )

    def _floor_samples(self) -> dict[str, tuple[TimedSample, ...]]:
        return {name: tuple(self.samples[name]) for name in FLOORS if name in self.samples}

    def _interval(self, log_ratios: list[float]) -> Interval | None:
        if len(log_ratios) < statistics.LEAST_LAUNCHES:
            return None
        return statistics.interval(log_ratios, self.spec.alpha, self.spec.protocol.launches)


def _is_implausible(floor: Floor) -> bool:
    """Whether the whole interval lies below; one launch, which gives none, accuses nobody."""
    return floor.ratio is not None and floor.ratio.high < IMPLAUSIBLE


def _is_apart(clock: Interval) -> bool:
    return clock.low > 1 + CLOCKS_APART or clock.high < 1 / (1 + CLOCKS_APART)
