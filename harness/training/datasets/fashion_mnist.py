"""Fashion-MNIST: photographs of clothes, in the format of MNIST.

Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
Learning Algorithms", 2017, https://github.com/zalandoresearch/fashion-mnist
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.training.datasets.fetching import fetch_files
from harness.training.datasets.idx import File, read
from harness.training.datasets.source import DataError, OnProgress
from harness.training.datasets.splits import Dataset, Split, hold_out

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

DESCRIPTION = "70,000 photographs of clothes, 28×28"
HELD_OUT = 500  # images a class for validation; the test set is the published one
TRAINING_IMAGES = 55_000
# Measured with the default recipe, 300 steps, seeds 0 to 2: the mlp passes this with batch norm
# (within 40 steps) and without (within 255, and never 80 %); without it the cnn does not learn.
TARGET = 0.75
URL = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # of the package dataset-fashion-mnist
INSTALL = "apt-get install dataset-fashion-mnist"

# SHA-256 of what Debian's dataset-fashion-mnist 0.0~git20200523.55506a9-1 unpacks to. Debian took
# name and time out of the gzip headers; with the name and August 31, 2017, 10:50 UTC put back, the
# files have the MD5 sums that the source publishes.
FILES = (
    File(
        "train-images-idx3-ubyte",
        (60_000, 28, 28),
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    File(
        "train-labels-idx1-ubyte",
        (60_000,),
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    File(
        "t10k-images-idx3-ubyte",
        (10_000, 28, 28),
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    File(
        "t10k-labels-idx1-ubyte",
        (10_000,),
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
AT_ONCE = 500  # images that are scaled together: they and their float32 stay in a core's cache


def find(folder: str | None) -> str:
    """The first of the folders that holds all files: the user's ``folder`` alone if there is one.
    Raises `DataError`.
    """
    places = [downloaded(), DEBIAN] if folder is None else [Path(folder).expanduser()]
    for place in places:
        if all(_path(place, file) for file in FILES):
            return str(place)
    if folder is None:
        raise DataError(
            f"fashion_mnist is neither in {' nor in '.join(map(str, places))}. Any of these brings "
            f"it: {INSTALL}; bnbench data fashion_mnist, which downloads it; "
            "task.data_folder=FOLDER, if you have its files"
        )
    missing = ", ".join(f"{file.name}.gz" for file in FILES if not _path(places[0], file))
    raise DataError(
        f"task.data_folder={folder} lacks {missing}. Name one that has all {len(FILES)}, "
        f"task.data_folder=FOLDER, or leave it out and run {INSTALL}, or bnbench data "
        "fashion_mnist, which downloads them"
    )


def load(folder: str | None) -> Dataset:
    """Images of shape (1, 28, 28) in 10 classes: 55,000 to train on, 5,000 for validation, 10,000
    as the test.

    All are shifted and scaled by the mean and standard deviation of the training split. The files
    are verified by SHA-256. Raises `DataError`.
    """
    place = Path(find(folder))
    with ThreadPoolExecutor(len(FILES)) as pool:  # zlib and hashlib let go of Python's lock
        images, labels, test_images, test_labels = pool.map(partial(_verified, place), FILES)
    train, [validation] = hold_out(labels, HELD_OUT, 1)
    mean, deviation = moments(images, train)
    scaled = partial(_split, mean=mean, deviation=deviation)
    test = scaled(test_images, test_labels, _all(test_labels))
    classes = len(set(labels.tolist()))
    return Dataset(scaled(images, labels, train), scaled(images, labels, validation), test, classes)


def fetch(on_progress: OnProgress) -> str:
    """Download the files that are not yet where downloads go, and say where that is. Raises
    `DataError`.
    """
    try:
        fetch_files(downloaded(), URL, FILES, on_progress)
    except DataError as error:
        raise DataError(
            f"{error}. Without a network: {INSTALL}, or task.data_folder=FOLDER with the files"
        ) from error
    return str(downloaded())


def downloaded() -> Path:
    """Where downloads go: $XDG_DATA_HOME, which is void unless it is absolute (XDG Base Directory
    Specification 0.8).
    """
    given = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (
        given if given.is_absolute() else Path.home() / ".local/share"
    ) / "bnbench/fashion_mnist"


def moments(images: Array, rows: Array) -> tuple[float, float]:
    """Mean and standard deviation of the uint8 in those rows: from whole numbers, so that no order
    of adding changes them.
    """
    import numpy as np

    # some rows there are
    counts = sum(np.bincount(images[part].ravel(), minlength=256) for part in _parts(rows)).tolist()  # type: ignore[union-attr]
    number = sum(counts)
    first = sum(value * count for value, count in enumerate(counts))
    second = sum(value * value * count for value, count in enumerate(counts))
    return first / number, sqrt((number * second - first * first) / number**2)


def _split(images: Array, labels: Array, rows: Array, mean: float, deviation: float) -> Split:
    """Each of the 256 values is scaled in float64 and rounded once; the images are looked up in
    that table.
    """
    import numpy as np
    import torch

    table = ((np.arange(256) - mean) / deviation).astype(np.float32)
    scaled = np.empty((len(rows), 1, *images.shape[1:]), np.float32)
    for part, out in zip(
        _parts(rows), np.split(scaled, range(AT_ONCE, len(rows), AT_ONCE)), strict=True
    ):
        # nothing is clipped; by "raise", out would be copied
        np.take(table, images[part, None], out=out, mode="clip")
    return Split(torch.from_numpy(scaled), torch.from_numpy(labels[rows].astype(np.int64)))


def _parts(rows: Array) -> Iterator[Array]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _all(labels: Array) -> Array:
    import numpy as np

    return np.arange(len(labels))


def _path(place: Path, file: File) -> Path | None:
    return next(
        (
            path
            for path in (place / f"{file.name}.gz", place / file.name)
            if os.access(path, os.R_OK)
        ),
        None,
    )


def _verified(place: Path, file: File) -> Array:
    path = _path(place, file) or place / file.name
    try:
        return read(path, file)
    except (OSError, ValueError) as error:
        mend = {
            DEBIAN: "apt-get install --reinstall dataset-fashion-mnist, or "
            "bnbench data fashion_mnist",
            downloaded(): "bnbench data fashion_mnist downloads it again",
        }
        raise DataError(
            f"{path}: {error}. To mend it: {mend.get(place, f'put the file of {URL} in its place')}"
        ) from error
