"""The command line: one pipeline a command, in the module of its name.

dispatch          from the first word to the command, and from its end to an exit status
error_messages    the message for an error that reaches `main`
parsers           the options of each command, and the text of `bnbench COMMAND --help`
arguments         the flags of each command, checked
help              the text of `bnbench --help`
planning          every job of a command planned before the first runs
listing           what `bnbench list` shows
console           where tables go
json_output       what a command found as JSON, and all else on stderr
standard_streams  outputs that are closed, or that nobody reads
"""

from harness.cli.dispatch import main

__all__ = ["main"]
