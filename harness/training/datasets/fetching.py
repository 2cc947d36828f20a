"""Files downloaded one by one: what is there and right stays, and what is not right never gets its
name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.client import HTTPException
from math import prod
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from harness.training.datasets.idx import File, read
from harness.training.datasets.source import DataError, OnProgress

TIMEOUT = 30.0  # seconds without a byte
PIECE = 1 << 16  # bytes
SLACK = 1 << 10  # bytes by which gzip may make longer what does not get shorter


class SafeRedirects(HTTPRedirectHandler):
    """No redirection leads away from HTTPS."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        _check(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch_files(folder: Path, url: str, files: Sequence[File], on_progress: OnProgress) -> None:
    """Have each of ``files`` in ``folder``, as ``NAME.gz``, from ``url``/NAME.gz; those that are
    there and right are kept.

    A download is verified under a temporary name. Raises `DataError` for a file that cannot be had,
    or is not right.
    """
    for file in files:
        path = folder / f"{file.name}.gz"
        try:
            if _right(path, file):
                on_progress(file.name, path.stat().st_size, path.stat().st_size)
                continue
            _fetch(f"{url}/{path.name}", path, file, partial(on_progress, file.name))
        except (OSError, HTTPException, ValueError) as error:
            raise DataError(f"{path.name} could not be had from {url}: {error}") from error


def _right(path: Path, file: File) -> bool:
    try:
        read(path, file)
    except (OSError, ValueError):
        return False
    return True


def _fetch(
    url: str, path: Path, file: File, on_progress: Callable[[int, int | None], None]
) -> None:
    pieces = _pieces(url, prod(file.shape) + SLACK, on_progress)
    first = next(pieces, b"")  # before there is a folder: without a network none is made
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(suffix=".gz", prefix=".part-", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(first)
            stream.writelines(pieces)
        read(part, file)
        part.chmod(0o644)  # a temporary file is its owner's alone
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _pieces(url: str, most: int, on_progress: Callable[[int, int | None], None]) -> Iterator[bytes]:
    """The bytes at ``url``, at most ``most`` of them, piece by piece. Raises OSError, HTTPException
    or ValueError.
    """
    _check(url)
    here = 0
    with build_opener(SafeRedirects).open(url, timeout=TIMEOUT) as answer:
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        while piece := answer.read(PIECE):
            here += len(piece)
            if here > most:
                raise ValueError(f"it goes on after the {most:,} bytes that it can have at most")
            on_progress(here, total)
            yield piece


def _check(url: str) -> None:
    """Only HTTPS, but for a server on this machine itself."""
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "127.0.0.1"):
        raise ValueError(f"{url} is not https")
