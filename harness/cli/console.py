"""Where a command writes its tables."""

from __future__ import annotations

import sys

from rich.console import Console

from harness.report.terminal import WIDTH


def console() -> Console:
    """Stdout, as wide as the terminal, or ``WIDTH`` where it is none."""
    return Console(width=None if sys.stdout.isatty() else WIDTH)
