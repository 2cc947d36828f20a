"""The command line: one pipeline a command, in the module of its name.

dispatch   from the first word to the command, and from its errors to an exit status
arguments  the flags of each command
help       the text of `bnbench --help`
listing    what `bnbench list` shows
console    where tables go
"""

from harness.cli.dispatch import main

__all__ = ["main"]
