"""A data set small enough to train on in milliseconds, a cell that asks for little, and plug-ins
that misbehave.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from harness.records import TrainingCell
from harness.training.datasets import Dataset, divide


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
def cell() -> TrainingCell:
    return TrainingCell(
        dataset="digits",
        model="mlp",
        optimizer="sgd",
        learning_rate=0.5,
        batch=64,
        steps=40,
        evaluate_every=10,
        target=0.5,
        seed=0,
        device="cpu",
        threads=1,
        baseline="torch_native",
    )
