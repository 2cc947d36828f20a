"""Data sets, each in a module of its own; their names, where they are found, and loading them.

Nothing heavy is imported before one is loaded: what plans a training, or lists what there is, needs
no PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.config.choices import DatasetName
from harness.training.datasets import digits, fashion_mnist, mnist1d
from harness.training.datasets.source import DataError, Source
from harness.training.datasets.splits import Dataset, Split, divide
from harness.training.lookup import choose

__all__ = ["DATASETS", "DataError", "Dataset", "Source", "Split", "divide", "find", "load"]

DATASETS: Mapping[DatasetName, Source] = {
    "digits": Source(
        digits.DESCRIPTION, digits.find, digits.load, digits.TRAINING_IMAGES, digits.TARGET
    ),
    "mnist1d": Source(
        mnist1d.DESCRIPTION, mnist1d.find, mnist1d.load, mnist1d.TRAINING_IMAGES, mnist1d.TARGET
    ),
    "fashion_mnist": Source(
        fashion_mnist.DESCRIPTION,
        fashion_mnist.find,
        fashion_mnist.load,
        fashion_mnist.TRAINING_IMAGES,
        fashion_mnist.TARGET,
        fashion_mnist.fetch,
    ),
}


def find(name: str, folder: str | None = None) -> str:
    """Where the data set of that name is, in the user's ``folder`` alone if one is named; nothing
    of it is read.

    Raises ValueError for an unknown name, and `DataError`, which is one, for data that are not
    there.
    """
    return choose("dataset", name, DATASETS).find(folder)


def load(name: str, folder: str | None = None) -> Dataset:
    """The data set of that name, on the CPU, of the user's ``folder`` if one is named. It neither
    draws nor seeds anything.

    Raises ValueError for an unknown name, and `DataError`, which is one, for data that are not
    there or not right.
    """
    return choose("dataset", name, DATASETS).load(folder)
