"""Commands as a user runs them, in a folder of their own: in processes, or in this one where only
what they write counts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.cli import main
from tests.helpers.commands import command


@pytest.fixture
def bnbench(tmp_path):
    """Run a command to its end in an empty folder; the completed process, output as text."""

    def run(*arguments, **environment):
        return subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture
def bnbench_here(tmp_path, monkeypatch, capsys):
    """The same in this process, which a usage error costs milliseconds and not seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bnbench"])
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments):
        status = main(arguments)
        written = capsys.readouterr()
        return SimpleNamespace(returncode=status, stdout=written.out, stderr=written.err)

    yield run
    signal.signal(signal.SIGTERM, handler)
