"""What a report says of how speed was measured: the floor, what was set aside, memory, costs, and
where the time went.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.records import Status
from tests.helpers import synthetic
from tests.helpers.old_records import journal_of_lines, old_lines
from tests.helpers.pages import report_of, written
from tests.helpers.synthetic import BASELINE, SPEEDS, cell, throughput
from tests.helpers.synthetic_throughput import accuracy, with_figures

NOISY = {**SPEEDS, "torch_compile": 0.93}
NEW = (
    "×floor",
    "set aside",
    "Memory",
    "warm-up",
    "Where the time went",
    "Stein",
    "hardware's limit",
    "How accurate",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    cells = [
        throughput(
            cell(shape),
            NOISY,
            seed=number,
            noise=0.03,
            floor=number != 3,
            flagged=["numpy"] * (number == 1),
        )
        for number, shape in enumerate(synthetic.SHAPES)
    ]
    return written(
        tmp_path_factory.mktemp("speed"), [record for records in cells for record in records]
    )


def test_headline_verdicts_are_corrected_and_the_cell_tells_what_it_would_have_said(
    report: str,
) -> None:
    assert "- `torch_compile`: **FASTER** in 6 of 10 cells, **AMBIGUOUS** in 4" in report
    assert report.count("AMBIGUOUS (FASTER before Holm)") == 1
    assert (
        "- Verdicts are corrected for 29 comparisons (Holm) and hold together with 95 % "
        "confidence; that made 1 AMBIGUOUS." in report
    )


def test_what_intervals_rest_on_is_told_with_the_number_of_cells(
    report: str, tmp_path: Path
) -> None:
    assert (
        "- Intervals rest on each comparison's own launches and on the noise of the session's "
        "other cells, which counts as 63.0 more launches (40 comparisons in 10 cells)." in report
    )
    assert (
        "- Intervals rest on each comparison's own launches alone: how noise differs from cell to "
        "cell takes 3 cells to tell, and there is 1."
        in written(tmp_path, throughput(cell(), SPEEDS))
    )


def test_a_floor_that_is_absent_has_its_reason_once(report: str) -> None:
    assert report.count(synthetic.ABSENT_FLOOR) == 1
    assert f"- ×floor absent in 32×128×28×28: {synthetic.ABSENT_FLOOR}" in report
    assert (
        "- Times over the hardware's limit (geometric means): `torch_native` 2.5 ×, "
        "`torch_compile` 2.3 ×" in report
    )


def test_one_launch_is_told_to_be_too_few_for_a_floor_too(tmp_path: Path) -> None:
    records = throughput(cell(), SPEEDS)
    lone = [
        with_figures(record, floor=replace(record.figures.floor, ratio=None)) for record in records
    ]
    report = written(tmp_path, lone)
    assert "- ×floor absent in the only cell: one launch gives no interval" in report
    assert "How far from the hardware's limit is not known in any cell." in report


def test_what_was_set_aside_and_why_is_counted_and_disturbed_cells_are_named(report: str) -> None:
    for sentence in (
        "- 80 of 480 blocks set aside as disturbed.",
        "- 480 blocks measured, **80 set aside**.",
        "- 70 blocks in doubt: threads waited for a CPU (`waiting`).",
        "- Threads were put off a CPU 900 times.",
        "- Others used 0.25 CPUs in the mean, 0.25 in the busiest cell.",
        "- **DISTURBED**, and so without a verdict: 32×64×56×56 (`numpy`).",
        "| 32×64×112×112 | 8 | 350 | 14 | 48 | 8 | steal 1, waiting 7 | 0.25 | 0.1 % | 31 % |",
    ):
        assert sentence in report


def test_memory_stands_apart_in_units_that_suit_and_what_is_unknown_is_no_zero(report: str) -> None:
    assert (
        "| 32×64×112×112 | 98.0 MiB / 196 MiB | 98.0 MiB / 196 MiB | 98.0 MiB / 196 MiB | 98.0 MiB "
        "/ – |"
    ) in report


def test_costs_stand_apart_and_compilation_only_where_there_was_any(report: str) -> None:
    assert (
        "| implementation | preparation | of it compiling | first call | warm-up | check |"
        in report
    )
    assert "| `torch_compile` | 10.0 ms | 4.00 s | 500 ms | 300 ms | 100 ms |" in report
    assert "| `numpy` | 10.0 ms | – | 500 ms | 300 ms | 100 ms |" in report


def test_where_the_time_went_counts_each_cell_once(report: str) -> None:
    assert "The harness itself took 25 % of 200 s; timed calls were 30 %. Over 10 cells:" in report
    assert "| timed calls | 60.0 s | 30 % |" in report
    assert "| **wall** | 200 s | 100 % |" in report


def test_inputs_other_than_normal_are_told_wherever_conditions_are(tmp_path: Path) -> None:
    report = written(tmp_path, throughput(cell(inputs="large_mean"), SPEEDS))
    assert (
        "### 1. Training step, layer, fresh outputs, warm cache, large mean inputs, cpu, 2 threads"
        in report
    )


def test_records_of_the_first_protocol_are_shown_as_before_and_nothing_new_is_said_of_them(
    tmp_path: Path,
) -> None:
    failed = throughput(cell(threads=1), SPEEDS, failed={BASELINE: Status.CRASHED})
    lines = old_lines([*throughput(cell(), SPEEDS), *failed])
    report = report_of(journal_of_lines(tmp_path / "journal", lines), tmp_path)
    assert "`torch_compile`: **FASTER** in 1 of 1 cell; 0.83 times" in report
    assert "3 verdicts of an earlier protocol have no p-value, and stand uncorrected." in report
    assert not [
        word
        for word in NEW
        if word in report.replace("below them ×floor and the error, where they were measured", "")
    ]
    assert not list((tmp_path / "out/figures").glob("floor-*"))


def test_errors_are_told_by_quantity_and_what_none_beats_is_counted(report: str) -> None:
    errors = report.split("#### How accurate")[1].split("####", maxsplit=1)[0]
    assert "| implementation | `output` | `grad_weight` |" in errors
    assert "| `numpy` | 6.0e-9 / 3.0e-8 / 0.25 | 6.0e-8 / 3.0e-7 / 2.5 |" in errors
    assert "over all channels" in errors
    front = "`torch_native` in 10 of 10 cells, `torch_compile` in 10 of 10 cells and `numpy` in 10"
    assert f"On the front: {front}" in errors
    assert "](figures/accuracy-1-1.png)" in errors


def test_where_no_arm_has_both_error_and_time_the_errors_stand_without_a_figure(
    tmp_path: Path,
) -> None:
    records = throughput(cell(), SPEEDS, failed={BASELINE: Status.CRASHED})
    report = written(tmp_path, records)
    assert "| `numpy` | 6.0e-9 / 3.0e-8 / 0.25 |" in report
    assert "On the front" not in report
    assert not list((tmp_path / "out/figures").glob("accuracy-*"))


def test_outputs_on_the_other_side_of_relu_are_told_beside_the_error(tmp_path: Path) -> None:
    records = throughput(cell(), SPEEDS)
    flipped = replace(accuracy(cell(), 2.6e-3), flipped=1088)
    report = written(tmp_path, [*records[:-1], with_figures(records[-1], accuracy=flipped)])
    assert report.count("error 2.6e-3 (`grad_weight`, 1,088 flipped)") == 1
    assert report.count(" flipped)") == 1
