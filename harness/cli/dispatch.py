"""The command line's first word names a command, whose module is imported only then, so that
`bnbench list` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import cast

from harness.cli.help import HELP
from harness.config.usage import UsageError, suggestion
from harness.records import ExitStatus, NewerSchemaError

COMMANDS = ("run", "check", "list", "data", "compare", "replay", "ui", "doctor")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, of the process's own command line by default; its exit status."""
    _replace_characters_that_the_terminal_lacks()
    given = list(sys.argv[1:] if arguments is None else arguments)
    command, *rest = given or ["--help"]
    if command == "help" or {"-h", "--help"} & {command, *rest}:
        sys.stdout.write(HELP)
        return ExitStatus.OK
    try:
        return _command(command)(rest)
    except (UsageError, NewerSchemaError) as error:
        sys.stderr.write(f"bnbench {command}: {error}\n")
        return ExitStatus.USAGE
    except KeyboardInterrupt:
        resumes = command in {"run", "check"}
        again = "with resume=true goes on from here" if resumes else "begins anew"
        sys.stderr.write(f"interrupted; the same command {again}\n")
        return ExitStatus.INTERRUPTED


def _replace_characters_that_the_terminal_lacks() -> None:
    """A terminal without × must not cost a run its table."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _command(name: str) -> Callable[[Sequence[str]], int]:
    """The function ``main`` of the command's module, which takes the words after its name."""
    if name not in COMMANDS:
        raise UsageError(
            f"there is no such command{suggestion(name, COMMANDS)}; allowed: {', '.join(COMMANDS)}"
        )
    return cast("Callable[[Sequence[str]], int]", import_module(f"harness.cli.{name}").main)
