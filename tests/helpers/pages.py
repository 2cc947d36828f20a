"""Pages as tests read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from harness.records import AnyRecord
from harness.report import write
from harness.store import Contents
from tests.helpers import synthetic

if TYPE_CHECKING:
    from rich.console import RenderableType


def written(folder: Path, records: Sequence[AnyRecord], session: str = "s1") -> str:
    """The Markdown report of a session with these records, written to ``folder / "out"``."""
    return report_of(synthetic.journal(folder / "journal", records, session=session), folder)


def report_of(contents: Contents, folder: Path) -> str:
    """The Markdown report of the journal's last session, written to ``folder / "out"``."""
    session = contents.latest_session()
    assert session is not None
    return write(contents, session, folder / "out").read_text(encoding="utf-8")


def rows(report: str, start: str) -> list[str]:
    """The rows of tables that begin with this cell, or with these words of it."""
    return [line for line in report.splitlines() if line.startswith(f"| {start} ")]


def shown(page: RenderableType) -> str:
    """What a terminal of 120 columns shows, without colours."""
    console = Console(width=120, force_terminal=False)
    with console.capture() as capture:
        console.print(page)
    return capture.get()
