"""`bnbench ui`: MLflow's pages over this folder's results."""

from __future__ import annotations

from collections.abc import Sequence

from harness.cli.arguments import ui_flags
from harness.config import composition
from harness.records import ExitStatus
from harness.tracking.server import serve


def main(arguments: Sequence[str]) -> int:
    flags = ui_flags(arguments)
    composition.register()
    serve(composition.composed(flags.overrides, multirun=False).first, flags.port, _print)
    return ExitStatus.OK


def _print(line: str) -> None:
    print(line, flush=True)  # noqa: T201 -- what the user asked for, seen while the server runs
