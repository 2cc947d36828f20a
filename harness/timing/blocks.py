"""The blocks of one launch, watched: a disturbed one is made up for, and set aside where most are
not disturbed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from harness.timing import conditions, schedule
from harness.timing.conditions import Conditions
from harness.timing.launch import Launch
from harness.timing.schedule import Sample

ATTEMPTS = 2  # times the blocks asked for, where some are disturbed


@dataclass(frozen=True)
class Block:
    """All arms once, what happened around them, and why they are not to be believed, if so."""

    samples: tuple[Sample, ...]
    around: Conditions
    doubts: tuple[str, ...]
    set_aside: bool = False

    def about(self, launch: int) -> dict[str, Any]:
        """Plain data of the block as a whole."""
        return {
            "launch": launch,
            "doubts": list(self.doubts),
            "set_aside": self.set_aside,
            **asdict(self.around),
        }

    def plain(self, launch: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Plain data of each sample, with its arm."""
        for sample in self.samples:
            doubts = dict.fromkeys([*self.doubts, *["waiting"] * sample.waited])
            yield (
                sample.arm,
                {
                    "launch": launch,
                    "block": sample.block,
                    "calls": sample.calls,
                    **asdict(sample.taken),
                    "doubts": list(doubts),
                    "set_aside": self.set_aside or sample.set_aside,
                    "retaken": sample.set_aside,
                },
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
        around = conditions.between(before, conditions.read(launch.processes))
        blocks.append(Block(samples, around, conditions.doubts(around, samples)))
    enough = 2 * _undisturbed(blocks) >= len(blocks)
    return [replace(block, set_aside=bool(block.doubts) and enough) for block in blocks]


def _undisturbed(blocks: list[Block]) -> int:
    return sum(not block.doubts for block in blocks)
