"""From what was measured in a cell to one arm's figures and flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from statistics import fmean, median
from typing import Any

from harness import statistics
from harness.records import Flag, Interval, Verdict
from harness.timing.cell import FLOORS, Measured, Work
from harness.timing.clock_agreement import log_device_times, log_slopes

DISTURBED_SHARE = 0.25  # of the blocks that count: past it they are the rule, not the exception
# slowest over quickest block of the floor in a launch, of most launches: not all arms had the same
# memory
WANDERED = 1.5
# of the floor; the rest of the way is left to what the model of the least traffic does not know
IMPLAUSIBLE = 0.75
# between two ways of timing: several times what their noise leaves over eight launches
DISAGREE = 0.10


def judged(work: Work, measured: Measured, arm: str) -> tuple[dict[str, Any], tuple[Flag, ...]]:
    """``figures`` and ``flags`` of a record of an arm that stood to the end."""
    samples, cost = measured.samples[arm], measured.costs[arm]
    floor, clocks = _floor(work, measured, arm), _clocks(work, measured, arm)
    canary = _canary(work, measured)
    flags = _flags(work, measured, arm, floor, clocks, canary)
    figures = {
        "median_seconds": statistics.median_seconds(samples),
        **_comparison(work, measured, arm, flags),
        "canary": _plain(canary),
        **floor,
        "clocks": list(map(_plain, clocks)),
        "memory": measured.memory.get(arm),
        "launches": len(cost),
        "blocks": work.protocol.blocks,
        "calls": round(median(sample["calls"] for sample in samples)),
        "stopped": measured.stopped,
        "unsteady_launches": measured.steady[arm].count(False),
        "conditions": _conditions(measured),
        "spent": dict(measured.spent),
    }
    if arm == work.baseline:
        figures["around_blocks"] = measured.blocks
        figures["floors"] = {
            name: measured.samples[name] for name in FLOORS if name in measured.samples
        }
    return figures, flags


def _flags(
    work: Work,
    measured: Measured,
    arm: str,
    floor: Mapping[str, Any],
    clocks: list[Interval],
    canary: Interval | None,
) -> tuple[Flag, ...]:
    counted = [block for block in measured.blocks if not block["set_aside"]]
    disturbed = sum(bool(block["doubts"]) for block in counted) > DISTURBED_SHARE * len(counted)
    strays = canary is not None and statistics.verdict(canary, work.protocol.margin) in {
        Verdict.FASTER,
        Verdict.SLOWER,
    }
    unsteady = any(
        measured.steady[name].count(False) > len(measured.steady[name]) / 2
        for name in (arm, work.baseline)
        if name in measured.steady
    )
    over_floor = floor["floor"] and _over_floor(
        floor["floor"], statistics.median_seconds(measured.samples[arm])
    )
    holds = {
        Flag.DISTURBED: disturbed
        or strays
        or bool(floor["floor"] and floor["floor"]["wander"] > WANDERED),
        Flag.UNSTEADY: unsteady,
        Flag.IMPLAUSIBLE: over_floor is not None and over_floor < IMPLAUSIBLE,
        Flag.CLOCKS_DISAGREE: any(
            clock.low > 1 + DISAGREE or clock.high < 1 / (1 + DISAGREE) for clock in clocks
        ),
    }
    return tuple(flag for flag, true in holds.items() if true)


def _comparison(
    work: Work, measured: Measured, arm: str, flags: tuple[Flag, ...]
) -> dict[str, Any]:
    """Ratio to the baseline, verdict, its level, minimum detectable effect; None where they cannot
    be had, with the reason.
    """
    protocol, baseline = work.protocol, work.baseline
    absent: dict[str, Any] = dict.fromkeys(
        ("ratio", "ratio_absent", "verdict", "p_value", "minimum_detectable_effect")
    )
    if arm == baseline:
        return {**absent, "ratio_absent": "it is the baseline"}
    if baseline in measured.fallen:
        return {
            **absent,
            "ratio_absent": f"the baseline {baseline} is {measured.fallen[baseline].status} here",
        }
    ratios = statistics.log_ratios(measured.samples, arm, baseline)
    if len(ratios) < statistics.LEAST_LAUNCHES:
        return {
            **absent,
            "ratio_absent": f"{len(ratios)} launch gives no interval; raise task.launches",
        }
    interval = statistics.interval(ratios, protocol.alpha, protocol.launches)
    return {
        "ratio": asdict(interval),
        "ratio_absent": None,
        "verdict": None if flags else statistics.verdict(interval, protocol.margin),
        "p_value": statistics.decision_level(ratios, protocol.margin, protocol.launches),
        "minimum_detectable_effect": statistics.minimum_detectable_effect(
            ratios, protocol.alpha, protocol.margin, pilot=protocol.launches
        ),
    }


def _canary(work: Work, measured: Measured) -> Interval | None:
    """The A/A ratio of the cell."""
    if {work.baseline, work.canary} & measured.fallen.keys():
        return None
    return _interval(work, statistics.log_ratios(measured.samples, work.canary, work.baseline))


def _floor(work: Work, measured: Measured, arm: str) -> dict[str, Any]:
    """The arm's time over that of the least traffic, by whichever stores were the quicker here; or
    why there is none.
    """
    standing = [name for name in FLOORS if name in measured.samples]
    if not standing:
        reasons = [measured.fallen[name].reason for name in FLOORS if name in measured.fallen]
        return {"floor": None, "floor_absent": reasons[0] if reasons else "nothing was sampled"}
    seconds = {name: statistics.median_seconds(measured.samples[name]) for name in standing}
    quickest = min(seconds, key=lambda name: seconds[name])
    ratio = _interval(work, statistics.log_ratios(measured.samples, arm, quickest))
    by_launch = statistics.launch_seconds(measured.samples[quickest])
    return {
        "floor_absent": None,
        "floor": {
            "ratio": _plain(ratio),
            "seconds": seconds[quickest],
            "bytes": measured.floor_bytes,
            "stores": FLOORS[quickest],
            "drift": max(by_launch) / min(by_launch),
            "wander": median(statistics.launch_ranges(measured.samples[quickest])),
        },
    }


def _over_floor(floor: Mapping[str, Any], seconds: float) -> float:
    """The paired ratio; that of the medians where one launch gives no interval."""
    return float(floor["ratio"]["estimate"] if floor["ratio"] else seconds / floor["seconds"])


def _clocks(work: Work, measured: Measured, arm: str) -> list[Interval]:
    """Other ways of timing relative to the block timer, 1 where they agree: the slope over calls;
    on a GPU its own events.
    """
    samples = measured.samples[arm]
    found = [_interval(work, ratios) for ratios in (log_slopes(samples), log_device_times(samples))]
    return [interval for interval in found if interval is not None]


def _conditions(measured: Measured) -> dict[str, Any]:
    """What the machine did around the blocks, and how many were set aside for it."""
    blocks = measured.blocks
    again = sum(sample["retaken"] for samples in measured.samples.values() for sample in samples)
    waits = [
        sample["waited"]
        for samples in measured.samples.values()
        for sample in samples
        if sample["waited"] is not None
    ]
    return {
        "blocks": len(blocks),
        "set_aside": sum(block["set_aside"] for block in blocks),
        "samples": sum(map(len, measured.samples.values())),
        "retaken": again,
        "preempted": sum(
            sample["preempted"] for samples in measured.samples.values() for sample in samples
        ),
        "doubts": dict(Counter(doubt for block in blocks for doubt in block["doubts"])),
        "stolen": fmean(block["stolen"] for block in blocks),
        "elsewhere": fmean(block["elsewhere"] for block in blocks),
        "load": max(block["load"] for block in blocks),
        "waited": max(waits, default=None),
    }


def _interval(work: Work, log_ratios: list[float]) -> Interval | None:
    enough = len(log_ratios) >= statistics.LEAST_LAUNCHES
    return (
        statistics.interval(log_ratios, work.protocol.alpha, work.protocol.launches)
        if enough
        else None
    )


def _plain(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else asdict(interval)
