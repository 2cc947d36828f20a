"""What a person sees while records are made: a bar with a time estimate on a terminal, a line a
record elsewhere.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from harness.formatting import line
from harness.records import AnyRecord, CaseRecord

REASON_LENGTH = 1000  # characters; the journal holds all of it


class ProgressDisplay:
    """Shows how a job gets on. Use it as a context manager; it writes to stderr, so that stdout
    stays for results.
    """

    def __init__(self, title: str, total: int) -> None:
        self._console = Console(stderr=True)
        self._title, self._total, self._done = title, total, 0
        self._reasons: set[tuple[str, str | None]] = set()  # of failures, by implementation
        self._bar = Progress(
            TextColumn("[bold]{task.fields[title]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(elapsed_when_finished=True),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=total, title=title)

    def announce(self, text: str) -> None:
        """What is being done now."""
        self._bar.update(self._task, description=escape(line(text)))

    def record(self, record: AnyRecord) -> None:
        """One more is done. A failure is shown at once, and one of the same reason no second time;
        a declared deviation is none, and is listed at the end.
        """
        self._done += 1
        self._bar.advance(self._task)
        seen = (record.implementation, record.reason)
        if record.failed and seen not in self._reasons:
            self._reasons.add(seen)
            where = f" in {record.cell.case}" if isinstance(record, CaseRecord) else ""
            reason = line(record.reason or "", REASON_LENGTH)
            message = f"{record.implementation}: {record.status}{where}: {reason}"
            self._console.print(message, style="red", markup=False)
        elif not self._console.is_terminal and self._is_milestone():
            message = f"{self._title}: {self._done} of {self._total} records"
            self._console.print(message, markup=False)

    def _is_milestone(self) -> bool:
        """The first record, the last, and about five between them."""
        step = max(1, self._total // 5)
        return self._done == self._total or (self._done - 1) % step == 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
