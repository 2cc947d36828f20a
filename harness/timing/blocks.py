"""The blocks of one launch. A disturbed block is replaced by another and set aside, unless most
blocks were disturbed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from harness.records import BlockConditions, Doubt, TimedSample
from harness.timing import conditions, schedule
from harness.timing.conditions import MachineActivity
from harness.timing.launch import Launch
from harness.timing.schedule import ScheduledSample

MOST_BLOCKS = 2  # times the blocks asked for, before disturbed ones are accepted
LEAST_BLOCKS = 2  # however little time there is: time has a slope over two numbers of calls


@dataclass(frozen=True)
class Block:
    """All arms once, what the machine did meanwhile, and why the block is in doubt, if it is."""

    samples: tuple[ScheduledSample, ...]
    activity: MachineActivity
    doubts: tuple[Doubt, ...]
    set_aside: bool = False

    def conditions(self, launch: int) -> BlockConditions:
        """What is recorded of the block as a whole."""
        activity = self.activity
        return BlockConditions(
            launch=launch,
            doubts=self.doubts,
            set_aside=self.set_aside,
            stolen=activity.stolen,
            stolen_ticks=activity.stolen_ticks,
            throttled=activity.throttled,
            elsewhere=activity.elsewhere,
            load=activity.load,
            frequency=activity.frequency,
        )

    def timed_samples(self, launch: int) -> Iterator[tuple[str, TimedSample]]:
        """What is recorded of each sample, with its arm."""
        for sample in self.samples:
            yield sample.arm, self._timed_sample(launch, sample)

    def _timed_sample(self, launch: int, sample: ScheduledSample) -> TimedSample:
        result = sample.result
        waiting = [Doubt.WAITING] if sample.waited_too_long else []
        return TimedSample(
            launch=launch,
            block=sample.block,
            calls=sample.calls,
            seconds=result.seconds,
            untimed=result.untimed,
            waited=result.waited,
            preempted=result.preempted,
            device_seconds=result.device_seconds,
            doubts=tuple(dict.fromkeys([*self.doubts, *waiting])),
            set_aside=self.set_aside or sample.retaken,
            retaken=sample.retaken,
        )


def take_blocks(
    launch: Launch,
    calls: Mapping[str, int],
    wanted: int,
    order: random.Random,
    most_calls: int,
    in_time: Callable[[], bool],
) -> list[Block]:
    """Blocks until ``wanted`` are undisturbed, or ``MOST_BLOCKS`` times as many are done, or beyond
    the least the time is up.

    Where most are disturbed, that is how this launch was, and none is set aside: a launch keeps at
    least half of its blocks.
    """
    blocks: list[Block] = []
    before = conditions.read(launch.processes)
    least = min(LEAST_BLOCKS, wanted)
    while (
        _undisturbed(blocks) < wanted
        and len(blocks) < MOST_BLOCKS * wanted
        and (len(blocks) < least or in_time())
    ):
        samples = tuple(schedule.block(launch, calls, len(blocks), order, most_calls, in_time))
        after = conditions.read(launch.processes)
        activity, before = conditions.between(before, after), after
        blocks.append(Block(samples, activity, conditions.doubts(activity, samples)))
    enough = 2 * _undisturbed(blocks) >= len(blocks)
    return [replace(block, set_aside=bool(block.doubts) and enough) for block in blocks]


def _undisturbed(blocks: list[Block]) -> int:
    return sum(not block.doubts for block in blocks)
