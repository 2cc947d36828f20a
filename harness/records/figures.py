"""Figures: what an OK record says. Fields that earlier schemas lacked have defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from harness.records.accuracy import Accuracy
from harness.records.interval import Interval
from harness.records.plain_data import OMIT_NONE
from harness.records.samples import BlockConditions, TimedSample
from harness.records.statuses import Doubt, StopReason, Verdict
from harness.records.units import Bytes, Seconds


@dataclass(frozen=True)
class Floor:
    """An arm's time relative to that of the least memory traffic, moved in the same blocks.

    ``ratio`` is None where one launch gives no interval. ``seconds`` and ``bytes`` are the floor's
    own for a call; ``stores`` says which kind was the quicker. ``drift`` is the slowest launch over
    the quickest, ``wander`` the same of blocks within a launch, the median over launches.
    """

    ratio: Interval | None
    seconds: Seconds
    bytes: Bytes
    stores: str
    drift: float
    wander: float


@dataclass(frozen=True)
class MemoryUse:
    """Bytes that one forward saves for its backward, and the most that one call takes beyond what
    was there before it; None where that is not known.
    """

    saved_bytes: Bytes | None
    peak_extra_bytes: Bytes | None


@dataclass(frozen=True)
class Conditions:
    """What the machine did around a cell's blocks, all launches together.

    ``doubts`` counts blocks by the reason for which they are in doubt, whether set aside or not.
    ``retaken`` samples had waited for a CPU. ``stolen``, ``elsewhere`` as in `BlockConditions`, as
    means; ``waited`` is the longest wait of a sample, as a share of it. ``cpus`` are those that the
    workers were bound to, by the kernel's numbers.
    """

    blocks: int
    set_aside: int
    samples: int
    retaken: int
    preempted: int
    doubts: Mapping[Doubt, int]
    stolen: float
    elsewhere: float
    load: float
    waited: float | None
    cpus: tuple[int, ...] = ()


@dataclass(frozen=True)
class TimeSpent:
    """Where a cell's wall time went, in seconds.

    ``starting`` worker processes, ``preparing`` arms, ``checking`` them, ``timed`` and ``untimed``
    calls. ``own`` is the harness's share: all but preparation and calls.
    """

    wall: Seconds = Seconds(0.0)
    starting: Seconds = Seconds(0.0)
    preparing: Seconds = Seconds(0.0)
    checking: Seconds = Seconds(0.0)
    timed: Seconds = Seconds(0.0)
    untimed: Seconds = Seconds(0.0)
    own: Seconds = Seconds(0.0)


@final
@dataclass(frozen=True)
class ThroughputFigures:
    """One arm of a throughput cell, against the baseline and the floor.

    ``ratio`` is of times, arm over baseline, below 1 where the arm is faster; where it is None,
    ``ratio_absent`` has the reason, as ``floor_absent`` has for ``floor``. ``canary`` is the
    baseline relative to itself. ``clocks``: the slope over calls and the device's own time, each
    as a ratio to the wall-clock time per call. ``instruction_sets`` are those in use in the arm's
    process, of PyTorch and, where it was used there, fused_cpu; they and ``accuracy`` are None in
    records from before they were kept. ``around_blocks`` and ``floors``, the floor's own samples,
    are with the baseline's record only. ``baseline_samples`` are those that this arm was measured
    beside, where the baseline's own record is of an earlier session.
    """

    median_seconds: Seconds
    ratio: Interval | None = None
    ratio_absent: str | None = None
    verdict: Verdict | None = None
    p_value: float | None = None
    minimum_detectable_effect: float | None = None
    canary: Interval | None = None
    floor: Floor | None = None
    floor_absent: str | None = None
    clocks: tuple[Interval, ...] = ()
    memory: MemoryUse | None = None
    launches: int = 0
    blocks: int = 0
    calls: int = 0
    stopped: StopReason = StopReason.UNKNOWN
    unsteady_launches: int = 0
    conditions: Conditions | None = None
    spent: TimeSpent | None = None
    accuracy: Accuracy | None = field(default=None, metadata=OMIT_NONE)
    instruction_sets: Mapping[str, str] | None = field(default=None, metadata=OMIT_NONE)
    around_blocks: tuple[BlockConditions, ...] | None = field(default=None, metadata=OMIT_NONE)
    floors: Mapping[str, tuple[TimedSample, ...]] | None = field(default=None, metadata=OMIT_NONE)
    baseline_samples: tuple[TimedSample, ...] | None = field(default=None, metadata=OMIT_NONE)


@final
@dataclass(frozen=True)
class ModeratedFigures:
    """What a session's other cells make of an arm's ratio: the same as `ThroughputFigures` has, by
    the moderated variance. It is derived at a session's end, exported with it, and in no journal.

    ``launch_deviation`` is the standard deviation of the arm's log-ratios from launch to launch,
    ``prior_deviation`` what the other cells let expect of it, as surely as from ``prior_freedom``
    degrees of freedom.
    """

    ratio: Interval
    verdict: Verdict | None
    p_value: float
    minimum_detectable_effect: float
    launch_deviation: float
    prior_deviation: float
    prior_freedom: float


@final
@dataclass(frozen=True)
class TrainingFigures:
    """One training. Accuracies are from 0 to 1; what was not timed has None for its times.

    A training that diverged, at the step ``diverged_at``, has no final accuracy. ``resumed_after``
    are the steps after which it was interrupted and went on in another process.
    """

    steps_to_target: int | None
    seconds_to_target: Seconds | None
    seconds_per_step: Seconds | None
    first_step_seconds: Seconds | None
    final_loss: float | None
    final_accuracy: float | None
    best_validation_accuracy: float | None
    diverged_at: int | None
    samples_per_second: float | None = None
    steps: int | None = None
    resumed_after: tuple[int, ...] = ()
    data_sha256: str | None = None
    initial_sha256: str | None = None
    losses_sha256: str | None = None
    parameters_sha256: str | None = None
    instruction_set: str | None = None


@final
@dataclass(frozen=True)
class CaseFigures:
    """One conformance case that was passed.

    ``worst`` is the largest error over its tolerance, with the ``quantity``, ``index`` and size in
    units in the last place of that element. ``mistrusted`` are the quantities whose tolerance
    proves nothing. Where the implementation refused the case as it is written, with the reason
    ``refusal``, ``asked`` says what was asked instead of what. ``outdated`` is a deviation that is
    declared here and does not show.
    """

    worst: float
    quantity: str
    index: tuple[int, ...]
    ulp: float | None
    comparisons: int
    mistrusted: tuple[str, ...] = ()
    asked: str | None = field(default=None, metadata=OMIT_NONE)
    refusal: str | None = field(default=None, metadata=OMIT_NONE)
    outdated: str | None = field(default=None, metadata=OMIT_NONE)


Figures = ThroughputFigures | TrainingFigures | CaseFigures
