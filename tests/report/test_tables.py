"""The table that ends a command fits 100 columns and tells every outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from harness.comparison import Comparison, Outcome
from harness.records import Interval, Status
from harness.tables import closing_table, comparison_table
from tests.report import synthetic
from tests.report.synthetic import BASELINE, SPEEDS, cell

if TYPE_CHECKING:
    from rich.console import RenderableType


def shown(table: RenderableType) -> str:
    console = Console(width=100, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_everything_fits_a_hundred_columns() -> None:
    said = shown(closing_table(synthetic.everything()))
    assert max(map(len, said.splitlines())) <= 100
    for expected in ("WRONG 1, UNSUPPORTED 5, CRASHED 1", "no ratio 1", "> 200", "2 of 3", "diverged 1"):
        assert expected in said


def test_a_cell_shows_medians_ratios_and_verdicts_of_all_its_arms() -> None:
    flagged = synthetic.throughput(cell(), SPEEDS, failed={"numpy": Status.TIMEOUT}, flagged=["torch_unfused"])
    lines = shown(closing_table(flagged)).splitlines()
    by_name = {name: next(line for line in lines if f" {name} " in line) for name in SPEEDS if name != "canary"}
    assert by_name[BASELINE].startswith(" 32×64×112×112")
    assert "[0.99, 1.01]" in by_name[BASELINE]
    assert "FASTER" in by_name["torch_compile"]
    assert "no verdict DISTURBED" in by_name["torch_unfused"]
    assert by_name["numpy"].split() == ["numpy", "TIMEOUT"]


def test_where_cells_are_too_many_their_overview_stands_for_them() -> None:
    records = [record for size in range(1, 20) for record in synthetic.throughput(cell((8, 8, size, size)), SPEEDS)]
    said = shown(closing_table(records))
    assert "19 cells, each in the report." in said
    assert "8×8×5×5" not in said
    assert "19 of 19" in said


def test_an_empty_session_says_so() -> None:
    assert shown(closing_table([])).strip() == "no records"


@pytest.mark.parametrize("note", ["[/red] is no markup", "OK → WRONG: off by\n3 ulp in [0, 1]"])
def test_a_comparison_shows_its_note_as_it_is(note: str) -> None:
    compared = [Comparison("throughput", "numpy", "32×64×56×56 float32 relu, training step, layer, fresh outputs, "
                           "warm cache, cpu, 2 threads", Outcome.SLOWER, Interval(1.2, 1.1, 1.3), note)]
    said = shown(comparison_table(compared))
    assert max(map(len, said.splitlines())) <= 100
    assert "1.20 [1.10, 1.30]" in said
    assert "SLOWER" in said
    assert note.rsplit(maxsplit=1)[-1] in said


def test_what_did_not_change_is_counted_and_not_listed() -> None:
    compared = [Comparison("conformance", name, f"forward/{case}, cpu, 2 threads", outcome)
                for name in ("numpy", "torch_native")
                for case, outcome in enumerate((Outcome.UNCHANGED, Outcome.BROKEN, Outcome.MENDED))]
    said = shown(comparison_table(compared))
    assert "UNCHANGED 2, BROKEN 2, MENDED 2." in said
    assert said.count("forward/") == 2
    assert "nothing to compare" in shown(comparison_table([]))
