"""A store that the tests of one run share, each in an experiment of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config import Config, TrackingConfig


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder of the shared store, whose tables take seconds to make."""
    return tmp_path_factory.mktemp("shared results")


@pytest.fixture
def config(results: Path, request: pytest.FixtureRequest) -> Config:
    return Config(
        results=str(results),
        tracking=TrackingConfig(experiment=re.sub(r"\W", "_", request.node.name)),
    )


@pytest.fixture(scope="session")
def start_python() -> Callable[..., subprocess.Popen[str]]:
    """Start a program in a process of its own, with its arguments, its standard input and output in
    our hands.
    """

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start
