"""What a replay came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.environment import capture
from harness.formatting import line
from harness.records import differing
from harness.replay.outcomes import Outcome
from harness.report.labels import describe
from harness.report.terminal import style

if TYPE_CHECKING:
    from rich.console import Console

    from harness.replay.verdicts import Replay


LONGEST = 1000  # characters of a note; the journal holds all of it


def print_replays(console: Console, replays: Sequence[Replay]) -> None:
    """A line for each replay, then what has changed, which may explain a difference."""
    for replay in replays:
        record = replay.original.record
        colour = "green" if replay.outcome is Outcome.SAME else "bold"
        console.print(
            f"[{colour}]{replay.outcome}[/]  "
            + style.literal(f"{record.implementation}, {describe(record)}"),
            highlight=False,
            soft_wrap=True,
        )
        console.print(
            f"      {line(replay.note, LONGEST)}", markup=False, highlight=False, soft_wrap=True
        )
    differences = list(dict.fromkeys(_differences(replays)))
    if differences:
        console.print("what has changed:")
        for difference in differences:
            console.print(
                f"      {line(difference, LONGEST)}", markup=False, highlight=False, soft_wrap=True
            )
    elif any(replay.outcome is not Outcome.SAME for replay in replays):
        console.print(
            "nothing that may explain it has changed: code, versions, machine, instruction set and "
            "threads"
        )


def _differences(replays: Sequence[Replay]) -> Iterator[str]:
    now = capture()
    for replay in replays:
        before = replay.original.environment
        sources = ({"source": about.volatile.get("source")} for about in (before, now))
        for changes in (
            differing(before.stable, now.stable),
            differing(*sources),
            replay.differences,
        ):
            for name, (old, new) in changes.items():
                yield f"{name}: {old} → {new}"
