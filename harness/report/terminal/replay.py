"""What a replay came to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.environment import capture
from harness.records import differing
from harness.replay.outcomes import Outcome
from harness.report.labels import describe

if TYPE_CHECKING:
    from rich.console import Console

    from harness.replay.judging import Replay


def print_replays(console: Console, replays: Sequence[Replay]) -> None:
    """A line for each replay, then what has changed, which may explain a difference."""
    for replay in replays:
        style = "green" if replay.outcome is Outcome.SAME else "bold"
        console.print(
            f"[{style}]{replay.outcome}[/]  {replay.original.record.implementation}, "
            f"{describe(replay.original.record)}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(f"      {replay.note}", markup=False, highlight=False, soft_wrap=True)
    differences = list(dict.fromkeys(_differences(replays)))
    if differences:
        console.print("what has changed:")
        for line in differences:
            console.print(f"      {line}", markup=False, highlight=False, soft_wrap=True)
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
