"""Convergence in a report: time split into steps and pace, times left out where arms ran side by
side, old records too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness import statistics
from harness.records import Record
from harness.report import factors, figures, write
from harness.report.figures import curves, style
from harness.tables import closing_table
from tests.helpers import synthetic
from tests.helpers.trainings import changed, race, trained, untimed
from tests.report.test_report import rows
from tests.report.test_tables import shown

ARMS = ("torch_native", "numpy", "none")


def written(tmp_path: Path, records: Sequence[Record]) -> str:
    contents = synthetic.journal(tmp_path / "journal", records)
    return write(contents, "s1", tmp_path / "out").read_text(encoding="utf-8")


def paced(record: Record, seconds: float) -> Record:
    """The record at so many seconds a step."""
    reached = record.figures["steps_to_target"]
    return changed(
        record,
        seconds_per_step=seconds,
        seconds_to_target=None if reached is None else reached * seconds,
    )


def pair(records: Sequence[Record], arm: str, against: str) -> factors.Factors:
    found = {(one.implementation, one.against): one for one in factors.factors(race(records))}
    return found[arm, against]


def test_a_slower_kernel_on_the_same_path_differs_in_time_a_step_alone():
    slow = [
        paced(
            record,
            (2e-3 if record.implementation == "numpy" else 1e-3) * (1 + 0.01 * record.cell["seed"]),
        )
        for record in trained(ARMS)
    ]
    found = pair(slow, "numpy", "torch_native")
    assert (found.steps.estimate, found.steps.low, found.steps.high) == (1, 1, 1)
    assert [ratio.estimate for ratio in (found.pace, found.time)] == pytest.approx([2, 2])


def test_another_path_at_the_same_pace_differs_in_steps_alone():
    longer = [
        changed(record, steps_to_target=3 * steps, seconds_to_target=3 * steps * 1e-3)
        if record.implementation == "numpy" and (steps := record.figures["steps_to_target"])
        else record
        for record in trained()
    ]
    found = pair(longer, "numpy", "torch_native")
    assert [ratio.estimate for ratio in (found.steps, found.pace, found.time)] == pytest.approx(
        [3, 1, 3]
    )


def test_each_factor_has_the_interval_of_its_own_statistic():
    records = [
        paced(record, 1e-3 * (1 + 0.1 * record.cell["seed"] * (record.implementation == "numpy")))
        for record in trained()
    ]
    found = pair(records, "numpy", "torch_native")
    ours, theirs = race(records).arms["numpy"].values(), race(records).arms["torch_native"].values()
    assert found.pace == statistics.pace_ratio(
        *([record.figures["seconds_per_step"] for record in arm] for arm in (ours, theirs)), 0.05
    )
    assert found.time == statistics.step_ratio(
        *([record.figures["seconds_to_target"] for record in arm] for arm in (ours, theirs)), 0.05
    )


@pytest.mark.parametrize(
    ("about", "network"),
    [
        ({"model": "mlp", "depth": 3, "width": 100}, "mlp on"),
        ({"model": "mlp", "depth": 8, "initial_scale": 0.5}, "mlp (depth 8, initial scale 0.5) on"),
        (
            {"model": "resnet20", "memory_format": "channels_last"},
            "resnet20 (memory format channels_last) on",
        ),
    ],
)
def test_a_title_tells_what_is_not_the_networks_own(about, network):
    assert race([changed(record, about=about) for record in trained()]).title.startswith(network)


def test_a_miss_is_longer_in_steps_and_in_seconds_and_leaves_the_pace():
    found = pair(trained(missing=[("numpy", seed) for seed in range(8)]), "numpy", "torch_native")
    assert found.steps.estimate == found.time.estimate == float("inf")
    assert found.pace.estimate == pytest.approx(1)
    nobody = [(name, seed) for name in ("numpy", "torch_native") for seed in range(8)]
    assert pair(trained(missing=nobody), "numpy", "torch_native").steps is None


def test_arms_are_split_against_the_network_without_bn_and_against_the_baseline(tmp_path):
    assert [
        (one.implementation, one.against)
        for one in factors.factors(race(trained((*ARMS, "group_norm"))))
    ] == [
        ("torch_native", "none"),
        ("numpy", "none"),
        ("group_norm", "none"),
        ("numpy", "torch_native"),
        ("group_norm", "torch_native"),
    ]
    assert factors.factors(race(trained(["numpy"]))) == []
    report = written(
        tmp_path,
        [
            paced(record, 2e-3) if record.implementation == "numpy" else record
            for record in trained(ARMS)
        ],
    )
    assert (
        "| `numpy` | `torch_native` | 1.00 [1.00, 1.00] | 2.00 [2.00, 2.00] | 2.00 [2.00, 2.00] |"
        in report
    )


def test_the_summary_tells_path_pace_and_sameness_of_each_implementation(tmp_path):
    report = written(
        tmp_path,
        [
            paced(record, 2e-3) if record.implementation == "numpy" else record
            for record in trained(ARMS)
        ],
    )
    assert (
        "- `numpy` against `torch_native`: 1.00 [1.00, 1.00] times the steps at 2.00 [2.00, 2.00] "
        "times the time a step, "
        "2.00 [2.00, 2.00] times the time to target; test accuracies **EQUIVALENT** within ±1 "
        "point (+0.00 [+0.00, +0.00] "
        "points, 90 % interval); losses differ never in 200 steps."
    ) in report[: report.index("## Convergence")]
    assert (
        rows(report, "`numpy`")[-2]
        == "| `numpy` | 8 | +0.00 [+0.00, +0.00] | **EQUIVALENT** | never in 200 steps | – |"
    )


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ([1], "97.0 % (1 of 3 seeds diverged)"),
        ([0, 2], "97.0 % (2 of 3 seeds diverged)"),
        ([0, 1, 2], "– (3 of 3 seeds diverged)"),
    ],
)
def test_a_test_accuracy_is_told_with_how_many_seeds_diverged_and_are_not_in_it(
    tmp_path, seeds, said
):
    records = trained(ARMS, range(3), diverged=[("numpy", seed) for seed in seeds])
    report = written(
        tmp_path,
        [
            record if record.figures["diverged_at"] else changed(record, final_accuracy=0.97)
            for record in records
        ],
    )
    summary, _, section = report.partition("## Convergence")
    assert f"; test accuracy {said}." in summary
    assert summary.count("seeds diverged") == 1
    assert f" {said} |" in next(row for row in rows(section, "`numpy`") if "%" in row or "–" in row)


def test_arms_that_ran_side_by_side_have_no_times_and_it_is_told_why(tmp_path):
    report = written(tmp_path, untimed(trained(ARMS)))
    told = "Times are left out: arms ran side by side"
    assert told in report[: report.index("## Convergence")]
    section = report[report.index("## Convergence") : report.index("## Completeness")]
    assert told in section
    assert not any(
        word in section for word in ("time a step", "time to target", " ms", "∞", "another pace")
    )
    assert "**EQUIVALENT**" in section
    assert (
        rows(section, "arm")[-1]
        == "| arm | seed 0 | seed 1 | seed 2 | seed 3 | seed 4 | seed 5 | seed 6 | seed 7 |"
    )
    assert "∞" not in shown(closing_table(untimed(trained(ARMS))))
    assert told not in written(tmp_path / "timed", trained(ARMS))


def test_intervals_are_as_sure_as_the_cell_asks(tmp_path):
    records = [changed(record, about={"alpha": 0.1}) for record in trained(ARMS)]
    assert "with its exact 90 % interval" in written(tmp_path, records)
    assert "alpha 0.1" not in written(tmp_path / "again", records)


def test_a_panel_is_drawn_for_each_quantity_that_was_recorded(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(
        curves, "_finish", lambda _axes, panel, _target: drawn.append(panel.quantity)
    )
    old = race(trained(ARMS))
    figures.draw_curves(old, style.styles(ARMS), tmp_path / "old.png")
    assert drawn == ["loss", "accuracy"]
    drawn.clear()
    rich = race(
        [
            changed(
                record,
                more=lambda step, name=record.implementation: {
                    "gradient_norm": 1 / step,
                    "weight_norm": 10.0,
                    "running_lag": 1 / step if name != "none" and step % 10 == 0 else None,
                },
            )
            for record in trained(ARMS)
        ]
    )
    figures.draw_curves(rich, style.styles(ARMS), tmp_path / "rich.png")
    assert drawn == ["loss", "accuracy", "gradient_norm", "weight_norm", "running_lag"]


def test_a_quantity_that_an_arm_lacks_is_no_curve_of_it(monkeypatch, tmp_path):
    counts = []
    monkeypatch.setattr(curves, "_draw", lambda _axes, own, _style: counts.append(len(own)))
    lagging = race(
        [
            changed(
                record,
                more=lambda step, name=record.implementation: {
                    "running_lag": None if name == "none" else 0.5
                },
            )
            for record in trained(ARMS, range(3))
        ]
    )
    figures.draw_curves(lagging, style.styles(ARMS), tmp_path / "figure.png")
    assert counts == [3, 3, 3, 3, 3, 3, 3, 3, 0]
