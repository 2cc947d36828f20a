"""What a replay came to, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from harness.environment import capture
from harness.records import differing
from harness.replay.outcomes import Outcome
from harness.replay.verdicts import Replay
from harness.report.views import describe

if TYPE_CHECKING:
    from rich.console import Console


def tell(console: Console, replays: Sequence[Replay]) -> None:
    """A line for each replay, then whatever is not as it was, which may explain what came out
    otherwise.
    """
    for replay in replays:
        style = "green" if replay.outcome is Outcome.SAME else "bold"
        console.print(
            f"[{style}]{replay.outcome}[/]  {replay.original.record.implementation}, "
            f"{describe(replay.original.record)}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(f"      {replay.note}", markup=False, highlight=False, soft_wrap=True)
    found = list(dict.fromkeys(_otherwise(replays)))
    if found:
        console.print("what is not as it was:")
        for line in found:
            console.print(f"      {line}", markup=False, highlight=False, soft_wrap=True)
    elif any(replay.outcome is not Outcome.SAME for replay in replays):
        console.print(
            "what may explain it is as it was: code, versions, machine, instruction set and threads"
        )


def _otherwise(replays: Sequence[Replay]) -> Iterator[str]:
    now = capture().to_data()
    for replay in replays:
        before = replay.original.environment
        for name, (old, new) in differing(before["stable"], now["stable"]).items():
            yield f"{name}: {old} → {new}"
        for name, (old, new) in differing(
            *({"source": about["volatile"].get("source")} for about in (before, now))
        ).items():
            yield f"{name}: {old} → {new}"
        for name, (old, new) in replay.differences.items():
            yield f"{name}: {old} → {new}"
