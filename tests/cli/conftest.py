"""Commands as a user runs them: a process of their own, in a folder of their own."""

from __future__ import annotations

import os
import subprocess

import pytest

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
