"""Convergence in a report: steps, pace and sameness in the summary, times left out where arms ran
side by side.
"""

from __future__ import annotations

import re

import pytest

from harness.analysis.training_tallies import training_tallies
from harness.records import TrainingRecord
from harness.report.terminal import closing_table
from harness.statistics import Duration
from tests.helpers.pages import rows, shown, written
from tests.helpers.trainings import group_of, trained, untimed, with_cell, with_figures, with_pace

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
        "- `numpy` against `torch_native`: ratios of steps 1.00 [1.00, 1.00], time a step "
        "2.00 [2.00, 2.00], time to target 2.00 [2.00, 2.00]; test accuracies "
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


def test_where_the_reference_missed_the_target_the_bound_stands_with_who_missed(tmp_path):
    records = trained(ARMS, range(2), missing=[("none", 0), ("none", 1)])
    report = written(tmp_path, records)
    summary, _, section = report.partition("## Convergence")
    bound = r"< 0\.\d+ \(`none` missed 2 of 2 seeds\)"
    reached = "reached 90 % validation accuracy .* relative to `none`"
    assert re.search(f"{reached}: {bound}", summary)
    assert re.search(rf"\| {bound} \|", rows(section, "`torch_native`")[0])
    table = " ".join(shown(closing_table(records)).split())
    assert re.search(bound.replace("`", "'"), table)
    assert " 0 [0" not in report + table
    assert "∞" not in report + table


def test_a_single_pair_has_a_ratio_and_no_interval(tmp_path):
    records = trained(ARMS, range(1))
    summary, _, _ = written(tmp_path, records).partition("## Convergence")
    assert "ratios of steps 1.00 (one seed), time to target 1.00 (one seed);" in summary
    assert "1.00 [1.00, 1.00]" not in summary


def test_a_median_between_a_hit_and_a_miss_is_known_from_below(tmp_path):
    records = trained(("torch_native", "numpy"), range(2), missing=[("numpy", 1)])
    steps = group_of(records).figures_of("numpy")[0].steps_to_target
    tally = training_tallies(group_of(records))[1]
    assert tally.steps == Duration((steps + 200) / 2, reached=False)
    assert f"| > {tally.steps.value:,.0f} |" in written(tmp_path, records)


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
