"""The convergence part of a report: how soon each arm reached the target, and how well it ended."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf

from harness.report import tallies, text
from harness.report.sameness import LEAST_SEEDS
from harness.report.tallies import RaceTally
from harness.report.views import Race

SIDE_BY_SIDE = "Times are left out: arms ran side by side and slowed each other down"
ELSEWHERE = ("timed", "alpha")  # of a race's cell, told beside what they bear on


def table(race: Race) -> str:
    """A row an arm: medians over seeds, misses counted as infinitely long, and steps relative to
    the reference.
    """
    against = tallies.reference(race)
    times = ["time to target", "time a step"] if race.timed else []
    header = ["arm", "seeds", "steps to target", "missed", *times, "test accuracy"]
    if against:
        header += [
            f"steps, relative to {text.code(against)}",
            f"P(sooner than {text.code(against)})",
        ]
    rows = [_row(race, tally, against) for tally in tallies.convergence(race)]
    return text.columns(header, rows, right=range(1, 5 + len(times)))


def by_seed(race: Race) -> str:
    """A row an arm, a column a seed: steps to the target and, where it says something, the time
    they took.
    """
    header = ["arm", *(f"seed {seed}" for seed in race.seeds)]
    rows = [
        [text.code(name), *(_run(race, name, seed) for seed in race.seeds)] for name in race.arms
    ]
    return text.columns(header, rows, right=range(1, len(header)))


def remarks(race: Race) -> list[str]:
    """Runs that diverged or have no result, with the reason."""
    said = []
    for name, runs in race.arms.items():
        for seed, record in runs.items():
            if record.figures is None:
                said.append(
                    f"{text.code(name)} **{record.status}** at seed {seed}: "
                    f"{text.plain(record.reason or '')}"
                )
            elif record.figures["diverged_at"] is not None:
                said.append(
                    f"{text.code(name)} diverged at step {record.figures['diverged_at']} of seed "
                    f"{seed}"
                )
    return said


def conditions(race: Race) -> str:
    """How the arms were trained, in one line."""
    return "; ".join(
        f"{key.replace('_', ' ')} {value}"
        for key, value in race.about.items()
        if key not in ELSEWHERE
    )


def few_seeds(race: Race) -> bool:
    """Whether no interval over so few seeds can be trusted to 95 %."""
    return len(race.seeds) < LEAST_SEEDS


def steps(value: float | None, budget: int) -> str:
    """A median number of steps, or that it lies beyond the ``budget``."""
    if value is None:
        return text.ABSENT
    return f"> {budget:,}" if isinf(value) else f"{value:,.0f}"


def accuracy(value: float | None) -> str:
    """An accuracy to the tenth of a percent."""
    return text.ABSENT if value is None else f"{100 * value:.1f} %"


def ended(tally: RaceTally) -> str:
    """An arm's test accuracy, and how many of its seeds diverged and are not in it."""
    said = accuracy(tally.accuracy)
    return (
        f"{said} ({tally.diverged} of {text.counted(tally.seeds, 'seed')} diverged)"
        if tally.diverged
        else said
    )


def _row(race: Race, tally: RaceTally, against: str | None) -> Sequence[str]:
    row = [
        text.code(tally.implementation),
        str(tally.seeds),
        steps(tally.steps, race.about["steps"]),
        f"{tally.misses} of {tally.seeds}",
        *((text.seconds(tally.seconds), text.seconds(tally.step_seconds)) if race.timed else ()),
        ended(tally),
    ]
    if against:
        row += [
            text.bounded(ratio) if ratio else text.ABSENT
            for ratio in (tally.steps_ratio, tally.outperforms)
        ]
    return row


def _run(race: Race, name: str, seed: int) -> str:
    record = race.arms[name].get(seed)
    if record is None:
        return "not measured"
    if record.figures is None:
        return f"**{record.status}**"
    reached = record.figures["steps_to_target"]
    if reached is None:
        return "missed" if record.figures["diverged_at"] is None else "diverged"
    return (
        f"{reached:,} ({text.seconds(record.figures['seconds_to_target'])})"
        if race.timed
        else f"{reached:,}"
    )
