"""What is known of a data set before it is loaded: what it is, where it is, and which command
brings it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.training.datasets.splits import Dataset

# called with a file's name, the bytes of it that are here, and all of them, if that is known
OnProgress = Callable[[str, int, int | None], None]


class DataError(ValueError):
    """A data set is not there, or is not what was published. The message says how to mend that."""


@dataclass(frozen=True)
class Source:
    """A data set.

    ``training_images`` is how many there are to train on, and ``target`` the validation accuracy
    that is trained to unless another one is asked for; a comment beside each says why that one.
    ``find`` says where it is without reading it, ``load`` reads it; both take the folder that the
    user named, or None, and raise `DataError`. ``fetch``, of what can be downloaded, returns where
    it put it.
    """

    description: str
    find: Callable[[str | None], str]
    load: Callable[[str | None], Dataset]
    training_images: int
    target: float
    fetch: Callable[[OnProgress], str] | None = None

    def whereabouts(self) -> str | DataError:
        """Where it is if it needs no folder named, or the error that says which command
        brings it.
        """
        try:
            return self.find(None)
        except DataError as missing:
            return missing


def packaged(dataset: str, package: str, folder: str | None) -> str:
    """Where a data set is that comes with a Python package: the package and its version. Raises
    `DataError`.
    """
    if folder is not None:
        raise DataError(
            f"data_folder={folder}, but {dataset} comes with the package {package} and is read "
            "from no folder; leave it out"
        )
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError as error:
        raise DataError(
            f"{dataset} comes with {package}, which is not installed: pip install {package}"
        ) from error
