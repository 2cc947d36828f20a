"""Convergence in a report: steps, pace and sameness in the summary, times left out where arms ran
side by side.
"""

from __future__ import annotations

import pytest

from harness.records import TrainingRecord
from harness.report.terminal import closing_table
from tests.helpers.pages import rows, shown, written
from tests.helpers.trainings import trained, untimed, with_cell, with_figures, with_pace

ARMS = ("torch_native", "numpy", "none")


def numpy_at_half_the_pace() -> list[TrainingRecord]:
    return [
        with_pace(record, 2e-3) if record.implementation == "numpy" else record
        for record in trained(ARMS)
    ]


def test_a_pair_of_arms_has_a_row_of_factors(tmp_path):
    row = "| `numpy` | `torch_native` | 1.00 [1.00, 1.00] | 2.00 [2.00, 2.00] | 2.00 [2.00, 2.00] |"
    assert row in written(tmp_path, numpy_at_half_the_pace())


def test_the_summary_has_path_pace_and_sameness_of_each_implementation(tmp_path):
    report = written(tmp_path, numpy_at_half_the_pace())
    assert (
        "- `numpy` against `torch_native`: 1.00 [1.00, 1.00] times the steps at 2.00 [2.00, 2.00] "
        "times the time a step, 2.00 [2.00, 2.00] times the time to target; test accuracies "
        "**EQUIVALENT** within ±1 point (+0.00 [+0.00, +0.00] points, 90 % interval); losses never "
        "differ in 200 steps."
    ) in report[: report.index("## Convergence")]
    assert (
        rows(report, "`numpy`")[-2]
        == "| `numpy` | 8 | +0.00 [+0.00, +0.00] | **EQUIVALENT** | never in 200 steps | – |"
    )


@pytest.mark.parametrize(
    ("seeds", "accuracy"),
    [
        ([1], "97.0 % (1 of 3 seeds diverged)"),
        ([0, 2], "97.0 % (2 of 3 seeds diverged)"),
        ([0, 1, 2], "– (3 of 3 seeds diverged)"),
    ],
)
def test_a_test_accuracy_stands_with_how_many_seeds_diverged_and_are_not_in_it(
    tmp_path, seeds, accuracy
):
    records = trained(ARMS, range(3), diverged=[("numpy", seed) for seed in seeds])
    report = written(
        tmp_path,
        [
            record if record.figures.diverged_at else with_figures(record, final_accuracy=0.97)
            for record in records
        ],
    )
    summary, _, section = report.partition("## Convergence")
    assert f"; test accuracy {accuracy}." in summary
    assert summary.count("seeds diverged") == 1
    assert f" {accuracy} |" in next(
        row for row in rows(section, "`numpy`") if "%" in row or "–" in row
    )


def test_arms_that_ran_side_by_side_have_no_times_and_the_report_says_why(tmp_path):
    report = written(tmp_path, untimed(trained(ARMS)))
    reason = "Times are left out: arms ran side by side"
    assert reason in report[: report.index("## Convergence")]
    section = report[report.index("## Convergence") : report.index("## Completeness")]
    assert reason in section
    assert not any(
        word in section for word in ("time a step", "time to target", " ms", "∞", "another pace")
    )
    assert "**EQUIVALENT**" in section
    assert (
        rows(section, "arm")[-1]
        == "| arm | seed 0 | seed 1 | seed 2 | seed 3 | seed 4 | seed 5 | seed 6 | seed 7 |"
    )
    assert "∞" not in shown(closing_table(untimed(trained(ARMS))))
    assert reason not in written(tmp_path / "timed", trained(ARMS))


def test_intervals_are_as_sure_as_the_cell_asks(tmp_path):
    records = [with_cell(record, alpha=0.1) for record in trained(ARMS)]
    assert "with its exact 90 % interval" in written(tmp_path, records)
    assert "alpha 0.1" not in written(tmp_path / "again", records)
