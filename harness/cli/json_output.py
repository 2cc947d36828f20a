"""With ``--json``, standard output has one document; what is for people goes to standard error."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

from harness.records import Plain
from harness.report.machine_readable import to_text


@contextmanager
def output_for(*, json: bool) -> Generator[TextIO]:
    """Standard output, for a document; in the block, all else that is printed goes to standard
    error where that is asked for.
    """
    output = sys.stdout
    if not json:
        yield output
        return
    with redirect_stdout(sys.stderr):
        yield output


def write_document(made: Mapping[str, Plain], output: TextIO) -> None:
    output.write(to_text(made))
