"""Small image sets, whole in memory: normalized, split once and for all, and hashed.

The split does not depend on the run's seed: seeds vary the training, never what it is judged by.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from harness.training.reproducible import Stream, generator, sha256
from harness.training.tables import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import torch

SPLIT_SEED = 0


@dataclass(frozen=True)
class Split:
    """``images`` is float32 of shape (N, channels, height, width); ``labels`` is int64 of shape (N,)."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: str) -> Split:
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Dataset:
    """Train on the first split, choose by the second, touch the third once."""

    train: Split
    validation: Split
    test: Split
    classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def sha256(self) -> str:
        return sha256(tensor for split in (self.train, self.validation, self.test) for tensor in astuple(split))

    def to(self, device: str) -> Dataset:
        return Dataset(self.train.to(device), self.validation.to(device), self.test.to(device), self.classes)


def digits() -> Dataset:
    """The handwritten digits that scikit-learn bundles: 1,797 images of 8×8, 30 a class held out in either split.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
    """
    from sklearn.datasets import load_digits

    bundled = load_digits()
    return divide(bundled.images[:, None], bundled.target, held_out=30)


DATASETS: Mapping[str, Callable[[], Dataset]] = {"digits": digits}


def load(name: str) -> Dataset:
    """The data set of that name, on the CPU. Raises ValueError for an unknown name."""
    return choose("dataset", name, DATASETS)()


def divide(images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], held_out: int) -> Dataset:
    """Hold out ``held_out`` images of each class for validation and as many for the test.

    All images are shifted and scaled by one mean and one standard deviation, those of the training split: nothing of
    the held-out images leaks into it.
    """
    import numpy as np
    import torch

    drawn = generator(Stream.SPLIT, SPLIT_SEED)
    classes = [drawn.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    train, validation, test = (
        np.sort(np.concatenate([members[part] for members in classes]))
        for part in (slice(2 * held_out, None), slice(held_out), slice(held_out, 2 * held_out))
    )
    scaled = (images - images[train].mean()) / images[train].std()

    def split(rows: np.ndarray[Any, Any]) -> Split:
        return Split(torch.tensor(scaled[rows], dtype=torch.float32), torch.tensor(labels[rows], dtype=torch.int64))

    return Dataset(split(train), split(validation), split(test), len(classes))
