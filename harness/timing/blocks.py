"""The blocks of one launch, watched: a disturbed one is made up for, and set aside where most are
not disturbed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.records import BlockConditions, TimedSample
from harness.timing import conditions, schedule
from harness.timing.conditions import MachineActivity
from harness.timing.launch import Launch
from harness.timing.schedule import ScheduledSample

ATTEMPTS = 2  # times the blocks asked for, where some are disturbed


@dataclass(frozen=True)
class Block:
    """All arms once, what the machine did meanwhile, and why the block is in doubt, if it is."""

    samples: tuple[ScheduledSample, ...]
    activity: MachineActivity
    doubts: tuple[str, ...]
    set_aside: bool = False

    def conditions(self, launch: int) -> BlockConditions:
        """What is recorded of the block as a whole."""
        return BlockConditions(launch, self.doubts, self.set_aside, **vars(self.activity))

    def timed_samples(self, launch: int) -> Iterator[tuple[str, TimedSample]]:
        """What is recorded of each sample, with its arm."""
        for sample in self.samples:
            doubts = dict.fromkeys([*self.doubts, *["waiting"] * sample.waited])
            yield (
                sample.arm,
                TimedSample(
                    launch=launch,
                    block=sample.block,
                    calls=sample.calls,
                    **vars(sample.result),
                    doubts=tuple(doubts),
                    set_aside=self.set_aside or sample.set_aside,
                    retaken=sample.set_aside,
                ),
            )


def take_blocks(
    launch: Launch, calls: Mapping[str, int], wanted: int, order: random.Random, most_calls: int
) -> list[Block]:
    """Blocks until ``wanted`` are undisturbed, or ``ATTEMPTS`` times as many are done.

    Where most are disturbed, that is how this launch was, and none is set aside: a launch keeps at
    least half of its blocks.
    """
    blocks: list[Block] = []
    while _undisturbed(blocks) < wanted and len(blocks) < ATTEMPTS * wanted:
        before = conditions.read(launch.processes)
        samples = tuple(schedule.block(launch, calls, len(blocks), order, most_calls))
        activity = conditions.between(before, conditions.read(launch.processes))
        blocks.append(Block(samples, activity, conditions.doubts(activity, samples)))
    enough = 2 * _undisturbed(blocks) >= len(blocks)
    return [replace(block, set_aside=bool(block.doubts) and enough) for block in blocks]


def _undisturbed(blocks: list[Block]) -> int:
    return sum(not block.doubts for block in blocks)
