"""A data set small enough to train on in milliseconds, a cell that asks for little, and plug-ins
that misbehave.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.training.datasets import Dataset, divide

PLUGIN = """
import os, signal
from troublesome_bn import Native

class Refusing(Native):
    def unsupported(self, problem, phase, device):
        return "it takes no such problem"

class Dying(Native):
    def layer(self, problem):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Keep a busy machine from slowing small networks a hundredfold: two threads wait for each
    other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def blobs() -> Dataset:
    """Three classes of 1×4×4 images, 40 to train on and 7 to hold out of each, told apart by their
    brightness.
    """
    drawn = np.random.Generator(np.random.PCG64(0))
    labels = np.repeat(np.arange(3), 54)
    images = labels[:, None, None, None] + drawn.normal(scale=0.1, size=(len(labels), 1, 4, 4))
    return divide(images, labels, held_out=7)


@pytest.fixture
def cell() -> dict[str, Any]:
    return {
        "dataset": "digits",
        "model": "mlp",
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "batch": 64,
        "steps": 40,
        "evaluate_every": 10,
        "target": 0.5,
        "stop_at_target": False,
        "seed": 0,
        "device": "cpu",
        "timed": True,
        "redundant_bias": False,
        "initial_scale": 1.0,
        "ghost_batch": None,
    }


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a third party's module, which this process and its children can import, and return its
    name.
    """
    (tmp_path / "misbehaving_bn.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(sys.path)}")
    return "misbehaving_bn"
