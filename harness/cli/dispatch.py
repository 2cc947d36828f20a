"""The command line's first word names a command, whose module is imported only then, so that
`bnbench list` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

from harness.cli.error_messages import message_of
from harness.cli.help import HELP
from harness.cli.parsers import PARSERS
from harness.cli.standard_streams import drop_unwritten_output, prepare_standard_streams
from harness.config.usage import UsageError, suggestion
from harness.records import ExitStatus

COMMANDS = tuple(PARSERS)
FOR_HELP = {"-h", "--help"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, of the process's own command line by default; its exit status."""
    prepare_standard_streams(own_process=arguments is None)
    given = list(sys.argv[1:] if arguments is None else arguments)
    command, *rest = given or ["--help"]
    try:
        status = _answered(command, rest)
        sys.stdout.flush()  # here, where a full disk can still be reported
    except KeyboardInterrupt:
        resumes = command in {"run", "check"}
        again = "with resume=true goes on from here" if resumes else "begins anew"
        sys.stderr.write(f"interrupted; the same command {again}\n")
        return ExitStatus.INTERRUPTED
    except Exception as error:  # whatever it is, nobody should have to read a traceback
        message, worded = message_of(error)
        sys.stderr.write(f"bnbench {command}: {message}\n")
        drop_unwritten_output()
        return worded
    return status


def _answered(command: str, rest: list[str]) -> int:
    for word in (command, *rest):
        if not word.isascii():
            _refuse_broken_text(word)
    if command in {"help", *FOR_HELP} or (FOR_HELP & set(rest)):
        return _help(command, rest)
    return _command(command)(rest)


def _help(command: str, rest: Sequence[str]) -> int:
    """The screen of the command that is named, or else the general one."""
    named = next(filter(PARSERS.get, (command, *rest)), None)
    sys.stdout.write(HELP if named is None else PARSERS[named]().format_help())
    return ExitStatus.OK


def _refuse_broken_text(word: str) -> None:
    try:
        word.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{word!a} is not valid UTF-8, and could not be written down; give it in UTF-8"
        ) from None


def _command(name: str) -> Callable[[Sequence[str]], int]:
    """The function ``main`` of the command's module, which takes the words after its name."""
    if name not in COMMANDS:
        raise UsageError(
            f"there is no such command{suggestion(name, COMMANDS)}; allowed: {', '.join(COMMANDS)}"
        )
    return cast("Callable[[Sequence[str]], int]", import_module(f"harness.cli.{name}").main)
