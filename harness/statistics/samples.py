"""From raw samples to one number a launch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import exp, log
from statistics import fmean, median

from harness.records import Seconds, TimedSample


def log_ratios(
    samples: Mapping[str, Sequence[TimedSample]], arm: str, baseline: str
) -> list[float]:
    """One log-ratio of times per call, ``arm`` over ``baseline``, for each launch in which both
    share a block.

    Launches come in the order in which ``arm`` met them.
    """
    return [median(blocks) for blocks in block_log_ratios(samples, arm, baseline)]


def block_log_ratios(
    samples: Mapping[str, Sequence[TimedSample]], arm: str, baseline: str
) -> list[list[float]]:
    """The same of each block that both share and that is not set aside, by launch."""
    ours, theirs = _per_call(samples[arm]), _per_call(samples[baseline])
    launches = defaultdict(list)
    for launch, block in ours:
        if (launch, block) in theirs:
            launches[launch].append(log(ours[launch, block] / theirs[launch, block]))
    return list(launches.values())


def launch_seconds(samples: Sequence[TimedSample]) -> list[float]:
    """Seconds per call of one arm, the median over blocks, for each launch that has a block not set
    aside.
    """
    return [median(blocks) for blocks in _by_launch(samples)]


def launch_ranges(samples: Sequence[TimedSample]) -> list[float]:
    """The slowest block over the quickest of one arm, not counting those set aside, for each launch
    that has any.
    """
    return [max(blocks) / min(blocks) for blocks in _by_launch(samples)]


def median_seconds(samples: Sequence[TimedSample]) -> Seconds:
    """Seconds per call of one arm: the median over launches of the median over blocks.

    Raises ValueError where there is no sample, or each is set aside.
    """
    launches = launch_seconds(samples)
    if not launches:
        raise ValueError(
            f"{len(samples)} samples, none of them undisturbed, have no median; at least one must "
            "not be set aside, so measure again on a quieter machine"
        )
    return Seconds(median(launches))


def geometric_mean(ratios: Iterable[float]) -> float:
    """The mean of ratios, which no choice of baseline turns around. Raises ValueError where there
    are none.
    """
    return exp(fmean(map(log, ratios)))


def _by_launch(samples: Iterable[TimedSample]) -> list[list[float]]:
    launches = defaultdict(list)
    for (launch, _), seconds in _per_call(samples).items():
        launches[launch].append(seconds)
    return list(launches.values())


def _per_call(samples: Iterable[TimedSample]) -> dict[tuple[int, int], float]:
    blocks = defaultdict(list)
    for sample in samples:
        if not sample.set_aside:
            blocks[sample.launch, sample.block].append(sample.seconds / sample.calls)
    return {place: median(seconds) for place, seconds in blocks.items()}
