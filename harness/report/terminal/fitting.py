"""Tables that fit the terminal: what does not fit is left out whole, in an order that each table
states, and nothing is cropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from harness.report.terminal.wrapping import Breaks, display_width, pieces_of, wrapped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class Column:
    """A column whose entries are plain text, or rich's ``markup``.

    ``whole`` entries stay in one line until a step of the table breaks them; ``most`` is the width
    that is enough even where there is room.
    """

    title: str
    breaks: Breaks = Breaks.NEVER
    right: bool = False
    markup: bool = False
    whole: bool = False
    most: int | None = None

    @property
    def title_breaks(self) -> Breaks:
        return Breaks.NAMES if self.breaks is Breaks.NAMES else Breaks.WORDS


@dataclass(frozen=True)
class Row:
    """An entry a column. A ``heading`` stands for the rows beneath it; ``ends`` a section."""

    cells: tuple[str, ...]
    ends: bool = False
    heading: bool = False


@dataclass(frozen=True)
class Layout:
    """Columns and rows as they are to be shown."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def index(self, title: str) -> int:
        return [column.title for column in self.columns].index(title)

    def renamed(self, title: str, to: str) -> Layout:
        columns = (
            replace(column, title=to) if column.title == title else column
            for column in self.columns
        )
        return replace(self, columns=tuple(columns))


Step = Callable[[Layout], Layout]


def drop(title: str) -> Step:
    """Leave the column out, if it is there."""

    def step(layout: Layout) -> Layout:
        if title not in (column.title for column in layout.columns):
            return layout
        at = layout.index(title)
        rows = (replace(row, cells=_without(row.cells, at)) for row in layout.rows)
        return Layout(_without(layout.columns, at), tuple(rows))

    return step


def break_up(title: str) -> Step:
    """Let the column's entries take several lines."""

    def step(layout: Layout) -> Layout:
        columns = (
            replace(column, whole=False) if column.title == title else column
            for column in layout.columns
        )
        return Layout(tuple(columns), layout.rows)

    return step


def head_rows(layout: Layout) -> Layout:
    """Give each entry of the first column a row of its own, above those that it stands for."""
    rows: list[Row] = []
    for row in layout.rows:
        label, *cells = row.cells
        if label:
            rows.append(Row((label, *[""] * (len(cells) - 1)), heading=True))
        rows.append(replace(row, cells=tuple(cells)))
    return Layout(layout.columns[1:], tuple(rows))


@dataclass(frozen=True)
class FittingTable:
    """A table for a terminal of any width. ``steps`` are taken in turn until it fits."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...] = ()
    caption: str = ""

    def without(self, title: str) -> FittingTable:
        """The same table without a column."""
        layout = drop(title)(Layout(self.columns, self.rows))
        return replace(self, columns=layout.columns, rows=layout.rows)

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        from rich.text import Text

        layout = Layout(self.columns, self.rows)
        for step in self.steps:
            if sum(_least(layout)) + _gaps(layout, 2) <= options.max_width:
                break
            layout = step(layout)
        yield Text(self.title, style="bold")
        yield _drawn(layout, options.max_width)
        if self.caption:
            yield Text(self.caption, style="italic")
        yield Text()


def _drawn(layout: Layout, width: int) -> Table:
    from rich import box
    from rich.table import Table

    roomy = sum(_natural(layout)) + _gaps(layout, 3) <= width
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1) if roomy else (0, 1, 0, 0),
    )
    widths = _natural(layout) if roomy else _widths(layout, width - _gaps(layout, 2))
    for column, own in zip(layout.columns, widths, strict=True):
        title = "\n".join(wrapped(column.title, own, column.title_breaks))
        table.add_column(
            title, justify="right" if column.right else "left", width=own, overflow="fold"
        )
    for row in filter(_says_something, layout.rows):
        entries = zip(layout.columns, row.cells, widths, strict=True)
        texts = [_text(column, row, entry, own) for column, entry, own in entries]
        table.add_row(*texts, end_section=row.ends)
    return table


def _says_something(row: Row) -> bool:
    """Whether more than a name is left of it."""
    return row.heading or any(row.cells[1:])


def _text(column: Column, row: Row, entry: str, width: int) -> Text:
    from rich.text import Text

    if column.markup and not row.heading:
        return Text.from_markup(entry)
    breaks = Breaks.WORDS if row.heading else column.breaks
    style = "bold" if row.heading else ""
    return Text("\n".join(wrapped(entry, width, breaks)), style=style)


def _plain(column: Column, row: Row, index: int) -> str:
    from rich.text import Text

    entry = row.cells[index]
    return Text.from_markup(entry).plain if column.markup and not row.heading else entry


def _least(layout: Layout) -> list[int]:
    """The width of each column's longest piece that must stay together."""
    return [_least_of(layout, index, column) for index, column in enumerate(layout.columns)]


def _least_of(layout: Layout, index: int, column: Column) -> int:
    breaks = Breaks.NEVER if column.whole else column.breaks
    pieces = pieces_of(column.title, column.title_breaks)
    for row in layout.rows:
        text = _plain(column, row, index)
        for line in text.split("\n"):
            pieces += pieces_of(line, Breaks.WORDS if row.heading else breaks)
    return max(map(display_width, pieces))


def _natural(layout: Layout) -> list[int]:
    """The width that each column takes where there is room."""
    return [
        max(least, _natural_of(layout, index, column))
        for index, (column, least) in enumerate(zip(layout.columns, _least(layout), strict=True))
    ]


def _natural_of(layout: Layout, index: int, column: Column) -> int:
    texts = [column.title, *(_plain(column, row, index) for row in layout.rows)]
    longest = max(display_width(line) for text in texts for line in text.split("\n"))
    return min(longest, column.most or longest)


def _widths(layout: Layout, width: int) -> list[int]:
    """Natural widths, the columns with the most to give narrowed until they fit; below the least
    only where nothing else is left.
    """
    least, widths = _least(layout), _natural(layout)
    while sum(widths) > width and max(widths) > 1:
        room = [own - bound for own, bound in zip(widths, least, strict=True)]
        most = room if any(extra > 0 for extra in room) else widths
        widths[most.index(max(most))] -= 1
    return widths


def _gaps(layout: Layout, gap: int) -> int:
    return gap * (len(layout.columns) - 1)


def _without(items: Sequence[ItemT], at: int) -> tuple[ItemT, ...]:
    return (*items[:at], *items[at + 1 :])
