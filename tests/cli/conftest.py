"""Commands as a user runs them, in a folder of their own: in this process, which has imported all
that they need, or in processes of their own where that is what a test is about.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.helpers.commands import command, run_here


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
def bnbench_here(tmp_path, monkeypatch):
    """The same in this process, where its imports cost nothing."""
    monkeypatch.chdir(tmp_path)
    return run_here
