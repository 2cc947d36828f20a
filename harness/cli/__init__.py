"""The command line: one pipeline a command."""

from harness.cli.main import main

__all__ = ["main"]
