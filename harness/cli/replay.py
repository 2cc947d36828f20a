"""`bnbench replay`: a recorded run once more, to see whether it comes out the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console

from harness.analysis.completeness import Completeness
from harness.cli.arguments import replay_flags
from harness.cli.console import console
from harness.cli.json_output import output_for, write_document
from harness.isolation import interruption
from harness.replay import exit_status, running
from harness.report.completeness import completeness_sentences
from harness.report.machine_readable import replay_document
from harness.report.terminal.replay import print_replays


def main(arguments: Sequence[str]) -> int:
    flags = replay_flags(arguments)
    sessions: list[Completeness] = []
    doubts: list[str] = []

    def announce(found: Completeness) -> None:
        sessions.append(found)
        doubts.extend(completeness_sentences(found))
        for sentence in completeness_sentences(found):
            print_error(sentence)

    print_error = partial(Console(stderr=True).print, markup=False, highlight=False, soft_wrap=True)
    command = ["bnbench", "replay", *arguments]
    with output_for(json=flags.json) as output:
        with interruption.deferred():
            replays = running.replay(flags.run, flags.level, flags.overrides, command, announce)
        print_replays(console(), replays)
    status = exit_status(replays, complete=all(found.complete for found in sessions))
    if flags.json:
        write_document(replay_document(status, replays, doubts), output)
    return status
