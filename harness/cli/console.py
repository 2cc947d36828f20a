"""Where a command writes its tables."""

from __future__ import annotations

import os
import sys

from rich.console import Console

from harness.report.terminal import WIDTH

LEAST, MOST = 20, 1000  # columns: with fewer a terminal could not even show a name


def console() -> Console:
    """Stdout: as wide as the environment variable COLUMNS says, else as the terminal is, else
    ``WIDTH``.
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isascii() and asked.isdecimal() and len(asked) < 10 and int(asked) >= LEAST:
        return Console(width=min(int(asked), MOST))
    return Console(width=None if sys.stdout.isatty() else WIDTH)
