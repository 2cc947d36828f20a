"""Do the intervals of two-stage sessions cover the truth as often as they promise? By simulation.

    python tests/experiments/interval_coverage.py [--sessions 2000] [--seed 0]

A session makes a pilot of launches, lets the pilot's variance say how many it takes in all, and
forms the interval of all: the product's log_ratios, launches_wanted and interval do it, on samples
as a journal holds them. A launch is off the true ratio by its own amount, each of its blocks by
another. Two models of that noise:

    normal    both are normal on the log scale: what the intervals assume
    outliers  besides, one launch in twenty is off by five times as much, and one sample in twenty
              is slowed by some 30 %

A verdict is false where the truth lies on the other side of the margin. A session may make so many
launches and no more, as where its budget ends. Exits with 1 where the normal model's coverage, of
all its rows together, is more than 0.01 from what was promised, or where one row's is beyond doubt:
the 99.9 % interval of what was counted lies wholly outside those bounds.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from harness import statistics
from harness.records import Interval, Seconds, TimedSample, Verdict

ALPHA, MARGIN = 0.05, 0.03
BLOCKS = 5
RATIOS = (1.0, 1.015, 1.03, 1.045, 1.1, 1.5)  # of times, in truth
# standard deviation of launches, and of blocks within one
NOISES = (0.0025, 0.005, 0.01, 0.02, 0.04)
ALLOWED = 0.01  # from what was promised
DOUBT = 0.001  # that one row out of thirty is judged by
OUTLYING, FARTHER, SLOWED = 0.05, 5.0, 0.3
ROUNDING = 1e-9  # of a true ratio that is meant to lie on the margin


@dataclass(frozen=True)
class Scenario:
    """The truth of a session: its ratio and the noise of launches and blocks, with outliers or
    without.
    """

    ratio: float
    noise: float
    outliers: bool = False


@dataclass(frozen=True)
class Size:
    """Launches that are always made, and that a session may make at most."""

    pilot: int = 8
    most: int = 40


class Session(NamedTuple):
    """What one session came to."""

    launches: int
    interval: Interval
    verdict: Verdict


@dataclass(frozen=True)
class Tally:
    """What all sessions of a scenario came to."""

    scenario: Scenario
    sessions: int
    covered: int
    false: int
    undecided: int
    launches: Counter[int]


def launch_samples(
    random: np.random.Generator, scenario: Scenario, launches: range
) -> dict[str, list[TimedSample]]:
    """Samples of two arms as a journal holds them; the ``baseline`` takes a second a call, on
    average of logarithms.
    """
    offsets = random.normal(0, scenario.noise, len(launches))
    blocks = random.normal(0, scenario.noise / math.sqrt(2), (2, len(launches), BLOCKS))
    if scenario.outliers:
        offsets *= np.where(random.random(len(launches)) < OUTLYING, FARTHER, 1)
        blocks += np.where(
            random.random(blocks.shape) < OUTLYING, random.exponential(SLOWED, blocks.shape), 0
        )
    blocks[0] += math.log(scenario.ratio) + offsets[:, None]
    return {
        name: [
            TimedSample(launch, block, calls=1, seconds=Seconds(value))
            for launch, row in zip(launches, rows, strict=True)
            for block, value in enumerate(row)
        ]
        for name, rows in zip(("arm", "baseline"), np.exp(blocks).tolist(), strict=True)
    }


def session(random: np.random.Generator, scenario: Scenario, size: Size) -> Session:
    """One session, from its first sample to its verdict."""
    samples = launch_samples(random, scenario, range(size.pilot))
    pilot = statistics.log_ratios(samples, "arm", "baseline")
    launches = min(statistics.launches_wanted(pilot, ALPHA, MARGIN), size.most)
    for name, more in launch_samples(random, scenario, range(size.pilot, launches)).items():
        samples[name] += more
    interval = statistics.interval(
        statistics.log_ratios(samples, "arm", "baseline"), ALPHA, size.pilot
    )
    return Session(launches, interval, statistics.verdict(interval, MARGIN))


def is_false(verdict: Verdict, ratio: float) -> bool:
    """Whether a verdict contradicts the true ratio."""
    beyond = abs(math.log(ratio)) - math.log1p(MARGIN)
    if verdict is Verdict.SAME:
        return beyond > ROUNDING
    side = {Verdict.FASTER: -1, Verdict.SLOWER: 1}.get(verdict)
    return side is not None and not (beyond > ROUNDING and side * math.log(ratio) > 0)


def simulate(scenario: Scenario, sessions: int, seed: int, size: Size = Size()) -> Tally:
    """Count what ``sessions`` sessions come to."""
    random = np.random.default_rng(seed)
    made = [session(random, scenario, size) for _ in range(sessions)]
    return Tally(
        scenario,
        sessions,
        covered=sum(one.interval.low <= scenario.ratio <= one.interval.high for one in made),
        false=sum(is_false(one.verdict, scenario.ratio) for one in made),
        undecided=sum(one.verdict is Verdict.AMBIGUOUS for one in made),
        launches=Counter(one.launches for one in made),
    )


def broken(tallies: Sequence[Tally]) -> str | None:
    """Why the promise is not kept, by the rows of the normal model; None where it is."""
    normal = [tally for tally in tallies if not tally.scenario.outliers]
    together = sum(tally.covered for tally in normal) / sum(tally.sessions for tally in normal)
    if abs(together - (1 - ALPHA)) > ALLOWED:
        return f"coverage is {together:.4f} of the promised {1 - ALPHA}"
    for tally in normal:
        low, high = statistics.binomial_interval(tally.covered, tally.sessions, DOUBT)
        if low > 1 - ALPHA + ALLOWED or high < 1 - ALPHA - ALLOWED:
            return (
                f"{tally.scenario} is covered with a probability of {low:.4f} to {high:.4f}, "
                f"promised {1 - ALPHA}"
            )
    return None


def table(tallies: Sequence[Tally], size: Size) -> Table:
    """One row a scenario."""
    ranges = (
        range(size.pilot + 1),
        range(size.pilot + 1, 2 * size.pilot + 1),
        range(2 * size.pilot + 1, size.most),
        range(max(size.most, size.pilot + 1), size.most + 1),
    )
    shown = Table(
        "noise of",
        "ratio",
        "noise",
        "covered",
        "95 % interval",
        "false",
        "no verdict",
        f"{size.pilot}",
        f"–{ranges[1][-1]}",
        f"–{size.most - 1}",
        f"{size.most} launches",
        box=box.SIMPLE,
    )
    for tally in tallies:
        low, high = statistics.binomial_interval(tally.covered, tally.sessions, 0.05)
        shares = [
            sum(count for made, count in tally.launches.items() if made in these)
            for these in ranges
        ]
        shown.add_row(
            "outliers" if tally.scenario.outliers else "normal",
            f"{tally.scenario.ratio}",
            f"{tally.scenario.noise:.2%}",
            f"{tally.covered / tally.sessions:.4f}",
            f"{low:.4f}–{high:.4f}",
            *(f"{count / tally.sessions:.1%}" for count in (tally.false, tally.undecided, *shares)),
        )
    return shown


def main() -> int:
    """Print the table, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=2000, help="simulated, for each row")
    parser.add_argument("--seed", type=int, default=0)
    given, console, size = parser.parse_args(), Console(width=128), Size()
    if given.sessions < 1:
        parser.error(f"--sessions is {given.sessions}, and must be at least 1")
    scenarios = [
        Scenario(ratio, noise, outliers)
        for outliers, ratio, noise in product((False, True), RATIOS, NOISES)
    ]
    with console.status("simulating") as status:
        tallies = []
        for index, scenario in enumerate(scenarios):
            status.update(f"row {index + 1} of {len(scenarios)}")
            tallies.append(simulate(scenario, given.sessions, given.seed + index, size))
    console.print(table(tallies, size))
    reason = broken(tallies)
    console.print(reason or f"Intervals of {1 - ALPHA:.0%} keep their promise.")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
