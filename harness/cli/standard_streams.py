"""Standard input, output and errors, made fit for whatever a shell connected them to."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO, cast


def prepare_standard_streams(*, own_process: bool) -> None:
    """A terminal without ×, a pipe that nobody reads or a closed output must not cost a run its
    results. In the ``own_process`` of a command only the streams themselves are exchanged.
    """
    if own_process:
        _open_closed_descriptors()
        sys.stdout, sys.stderr = _outliving(sys.stdout, 1), _outliving(sys.stderr, 2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def drop_unwritten_output() -> None:
    """Let what cannot be written go, so that the interpreter's last flush raises nothing."""
    with suppress(OSError, ValueError):  # one that is no file has nothing to let go
        descriptor = sys.stdout.fileno()
        try:
            sys.stdout.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


class PipeWithoutReader(io.RawIOBase):
    """A file descriptor; what is written after its reader has gone is dropped, and no error."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: object) -> int:
        content = memoryview(cast(bytes, data))
        with suppress(BrokenPipeError):
            return os.write(self._descriptor, content)
        return content.nbytes


def _open_closed_descriptors() -> None:
    """Lest the next file that is opened, the journal perhaps, takes the place of one of them."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)


def _outliving(stream: TextIO | None, descriptor: int) -> TextIO:
    """The stream, which outlives its reader; Python has None for one that was closed."""
    if isinstance(stream, TextIOWrapper) or stream is None:
        encoding = "utf-8" if stream is None else stream.encoding
        lines = descriptor == 2 or os.isatty(descriptor)
        raw = io.BufferedWriter(cast(io.RawIOBase, PipeWithoutReader(descriptor)))
        return TextIOWrapper(raw, encoding=encoding, line_buffering=lines)
    return stream
