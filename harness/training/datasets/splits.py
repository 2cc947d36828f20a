"""Small image sets, whole in memory: normalized, split once and for all, and hashed.

The split does not depend on the run's seed: seeds vary the training, never what it is judged by.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from harness.training.hashes import sha256
from harness.training.seeding import RandomStream, generator

if TYPE_CHECKING:
    import numpy as np
    import torch

    Array = np.ndarray[Any, Any]

SPLIT_SEED = 0


@dataclass(frozen=True)
class Split:
    """``images`` is float32 of shape (N, channels, height, width); ``labels`` is int64 of shape
    (N,).
    """

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
        return sha256(
            tensor
            for split in (self.train, self.validation, self.test)
            for tensor in astuple(split)
        )

    def to(self, device: str) -> Dataset:
        return Dataset(
            self.train.to(device), self.validation.to(device), self.test.to(device), self.classes
        )


def divide(
    images: Array, labels: Array, held_out: int, test: tuple[Array, Array] | None = None
) -> Dataset:
    """Hold out ``held_out`` images of each class for validation, and as many for the test unless
    there is a ``test`` set.

    ``images`` are of shape (N, channels, height, width), of any real dtype; ``labels`` are integers
    of shape (N,); so are the two of ``test``. All are shifted and scaled by one mean and one
    standard deviation, those of the training split: nothing of the held-out images leaks into it.
    Raises ValueError as `hold_out` does.
    """
    import torch

    train, (validation, *rest) = hold_out(labels, held_out, 1 if test else 2)
    mean, deviation = images[train].mean(), images[train].std()

    def split(images: Array, labels: Array) -> Split:
        scaled = (images - mean) / deviation
        return Split(
            torch.tensor(scaled, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64)
        )

    last = test or (images[rest[0]], labels[rest[0]])
    classes = len(set(labels.tolist()))
    return Dataset(
        split(images[train], labels[train]),
        split(images[validation], labels[validation]),
        split(*last),
        classes,
    )


def hold_out(labels: Array, count: int, parts: int) -> tuple[Array, list[Array]]:
    """Rows to train on, and ``parts`` times rows of ``count`` images a class that are held out;
    int64, in ascending order.

    Drawn with a fixed seed from a generator of their own. Raises ValueError where a class would
    have none left.
    """
    import numpy as np

    drawn = generator(RandomStream.SPLIT, SPLIT_SEED)
    classes = [drawn.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    least = min(map(len, classes))
    if least <= parts * count:
        raise ValueError(
            f"{parts} × {count} images of each class cannot be held out where one has {least}; "
            "hold out fewer"
        )

    def rows(part: slice) -> Array:
        return np.sort(np.concatenate([members[part] for members in classes]))

    held = [rows(slice(count * part, count * (part + 1))) for part in range(parts)]
    return rows(slice(count * parts, None)), held
