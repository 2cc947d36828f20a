"""A store that the tests of one run share, each in an experiment of its own, and records to put
there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.config import Config, TrackingConfig
from harness.records import Identity, Record, Status

CELL = {
    "problem": {
        "shape": [32, 64, 56, 56],
        "dtype": "float32",
        "activation": None,
        "residual": True,
    },
    "phase": "backward",
    "threads": 2,
    "protocol": {"version": 1, "launches": 8},
}
FIGURES = {
    "median_seconds": 0.5,
    "ratio": {"estimate": 0.8, "low": 0.7, "high": 0.9},
    "verdict": "FASTER",
    "canary": None,
    "stopped": "budget",
}


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


@pytest.fixture
def make_record() -> Callable[..., Record]:
    def make(status: Status = Status.OK, **fields: Any) -> Record:
        identity = Identity(
            "throughput", "numpy", fields.pop("cell", CELL), source="s", environment="e"
        )
        outcome = {"figures": FIGURES} if status is Status.OK else {"reason": f"it was {status}"}
        return Record(
            identity, "session-1", "2026-11-23T01:02:03+00:00", status, **(outcome | fields)
        )

    return make


@pytest.fixture
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
