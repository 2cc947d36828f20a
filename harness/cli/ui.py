"""`bnbench ui`: MLflow's pages over this folder's results."""

from __future__ import annotations

from collections.abc import Sequence

from harness.cli.arguments import ui_flags
from harness.config import UsageError, composition
from harness.config.effects import key_of, refuse_without_effect
from harness.records import ExitStatus
from harness.tracking.server import serve

READ = ("results", "tracking")  # keys of the configuration


def main(arguments: Sequence[str]) -> int:
    flags = ui_flags(arguments)
    for word in flags.overrides:
        if key_of(word).partition(".")[0] not in READ:
            raise UsageError(f"{word} has no effect on ui, which reads {' and '.join(READ)} alone")
    composition.register()
    config = composition.composed(flags.overrides, multirun=False).first
    refuse_without_effect(flags.overrides, [config])
    serve(config, flags.port, _print)
    return ExitStatus.OK


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- what the user asked for, seen while the server runs
