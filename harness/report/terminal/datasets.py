"""What `bnbench data` prints: the data sets and where they are, or how one of them is brought
here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from harness.config.usage import UsageError
from harness.training.datasets import DATASETS
from harness.training.datasets.source import OnProgress
from harness.training.lookup import choose


def show_datasets(name: str | None) -> None:
    """Write to stdout: of all, where they are; of the one named, where it is now. Raises UsageError
    if it cannot be had.
    """
    if name is None:
        _list_datasets()
    else:
        sys.stdout.write(f"{name}: {_fetch(name)}\n")


def _list_datasets() -> None:
    width = max(map(len, DATASETS))
    for name, source in DATASETS.items():
        found = source.whereabouts()
        where = found if isinstance(found, str) else f"MISSING: {found}"
        sys.stdout.write(f"  {name:{width}}  {source.description}; {where}\n")


def _fetch(name: str) -> str:
    """Where the data set is, downloaded if that can be."""
    try:
        source = choose("data set", name, DATASETS)
        if source.fetch is None:
            return source.find(None)
        with progress_bars() as show:
            return source.fetch(show)
    except ValueError as error:
        raise UsageError(str(error)) from error


@contextmanager
def progress_bars() -> Iterator[OnProgress]:
    """A bar for each file on a terminal, a line for each elsewhere; on stderr, so that stdout stays
    for results.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    shown: dict[str, int] = {}  # TaskID, by the file's name
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def show(file: str, here: int, total: int | None) -> None:
            if file not in shown:
                shown[file] = progress.add_task(file, total=total)
                if not console.is_terminal:
                    console.print(file, markup=False)
            # TaskID is an int
            progress.update(shown[file], completed=here, total=total)  # type: ignore[arg-type]

        yield show
