"""Tables fit terminals of any width: columns are left out whole, and nothing is cropped."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from rich.console import Console, RenderableType

from harness.analysis.changes import Change
from harness.analysis.session_comparison import AlarmWithdrawn, Comparison
from harness.cli.console import console
from harness.doctor.noise import TIMES
from harness.records import Interval
from harness.report.terminal import closing_table, comparison_table
from harness.report.terminal.doctor import print_measurement
from harness.report.terminal.fitting import Column, FittingTable, Row, drop
from harness.report.terminal.throughput import NARROWER
from harness.report.terminal.wrapping import Breaks, wrapped
from tests.helpers import doctor, synthetic
from tests.helpers.synthetic import SPEEDS, cell
from tests.helpers.synthetic_throughput import with_figures

NAMES = [name for name in SPEEDS if name != "canary"]
LONG_NAME = "package.of.mine.Implementation(number=3)"


def at(width: int, page: RenderableType) -> str:
    shown = Console(width=width, force_terminal=False)
    with shown.capture() as capture:
        shown.print(page)
    return capture.get()


def timed() -> RenderableType:
    flagged = synthetic.throughput(cell((8, 8, 5, 5)), SPEEDS, flagged=["numpy"])
    wide = [
        with_figures(record, ratio=Interval(12.7, 0.001, 987654.0))
        for record in synthetic.throughput(cell(), SPEEDS)
    ]
    return closing_table([*flagged, *wide])


def compared() -> RenderableType:
    record = synthetic.throughput(cell(), SPEEDS)[-1]
    withdrawn = AlarmWithdrawn(Change.SLOWER)
    found = Comparison(record, Change.AMBIGUOUS, Interval(1.2, 1.1, 1.3), withdrawn)
    return comparison_table([found])


PAGES: dict[str, Callable[[], RenderableType]] = {
    "everything": lambda: closing_table(synthetic.everything()),
    "timed": timed,
    "compared": compared,
    "long names": lambda: closing_table(synthetic.throughput(cell(), {**SPEEDS, LONG_NAME: 2.0})),
}


@pytest.mark.parametrize("name", PAGES)
def test_at_every_width_all_fits_and_no_name_and_no_interval_is_broken(name: str) -> None:
    page = PAGES[name]()
    present = [arm for arm in NAMES if arm in at(120, page)]
    for width in (200, 120, 100, 80, 60, 40):
        text = at(width, page)
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        words = set(re.split(r"[\s,:]+", text))
        assert set(present) <= words
        opened = [line for line in text.splitlines() for _ in range(line.count("["))]
        assert all(re.search(r"\[[\d.,]+, [\d.,]+\]", line) for line in opened)


def test_columns_go_in_the_order_that_is_documented() -> None:
    headers = {width: at(width, timed()) for width in (120, 80, 60, 40)}
    gone = ["MDE", "problem", " error ", "×floor ", "median"]
    left = {width: [word in text for word in gone] for width, text in headers.items()}
    assert left[120] == [True] * 5
    for fewer, more in ((80, 120), (60, 80), (40, 60)):
        assert left[fewer] == sorted(left[fewer])
        assert sum(left[fewer]) <= sum(left[more])
    assert not headers[40].count("MDE")
    assert all(f"{name} " in headers[40] for name in NAMES)
    assert len(NARROWER) == 7


def test_a_row_of_which_only_the_name_is_left_goes_too() -> None:
    columns = (Column("name"), Column("a value that is long"), Column("more"))
    rows = (Row(("one", "12345678901234567890", "")), Row(("two", "2", "3")))
    table = FittingTable("a title", columns, rows, (drop("a value that is long"),))
    assert "12345678901234567890" in at(80, table)
    assert at(12, table).replace("─", "").split() == ["a", "title", "name", "more", "two", "3"]


def test_long_names_are_broken_after_their_punctuation() -> None:
    assert wrapped(LONG_NAME, 16, Breaks.NAMES) == [
        "package.of.mine.",
        "Implementation(",
        "number=3)",
    ]
    assert wrapped("torch_compile", 13, Breaks.NAMES) == ["torch_compile"]
    assert wrapped("0.98 [0.96, 1.00]", 12, Breaks.RATIOS) == ["0.98", "[0.96, 1.00]"]
    assert wrapped("abcdefgh", 3, Breaks.WORDS) == ["abc", "def", "gh"]


def test_a_measurement_of_the_doctor_fits_too() -> None:
    noises = [doctor.calm_noise(findable=dict.fromkeys(TIMES))]
    bandwidths = [doctor.steady_bandwidth([10e9] * 100)]
    for width in (120, 80, 60):
        shown = Console(width=width, force_terminal=False)
        with shown.capture() as capture:
            print_measurement(shown, doctor.measured(noises=noises, bandwidths=bandwidths))
        assert max(map(len, capture.get().splitlines())) <= width
        assert "…" not in capture.get()
        assert "3.1% (292 × 5)" in capture.get()


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("60", 60), (None, 120), ("0", 120), ("wide", 120)]
)
def test_a_pipe_honours_columns(
    columns: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert console().width == width
