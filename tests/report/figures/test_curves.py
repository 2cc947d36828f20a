"""Curves of training: a panel a quantity that was recorded, each arm as far as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.records import TrainingRecord, TrainingStep
from harness.report import figures
from harness.report.figures import curves
from tests.helpers import synthetic
from tests.helpers.trainings import group_of, trained, with_steps

ARMS = ("torch_native", "numpy", "none")


def draw(records: Sequence[TrainingRecord], folder: Path) -> Path:
    group = group_of(records)
    figures.draw_curves(group, figures.styles(list(group.arms)), folder / "figure.png")
    return folder / "figure.png"


def test_curves_that_break_off_are_drawn_as_far_as_they_go(tmp_path: Path) -> None:
    diverged = synthetic.convergence(diverged=[("numpy", 0), ("none", 2)])
    assert draw(diverged, tmp_path).stat().st_size > 0


def test_an_arm_that_was_evaluated_once_shows_as_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.axes import Axes

    drawn = []
    plot = Axes.plot
    monkeypatch.setattr(
        Axes,
        "plot",
        lambda axes, *given, **how: drawn.append((given, how)) or plot(axes, *given, **how),
    )
    draw(synthetic.convergence(steps=10), tmp_path)
    points = {bool(how["marker"]) for (steps, _), how in drawn if len(steps) == 1}
    seeds = {bool(how["marker"]) for (steps, _), how in drawn if len(steps) > 1 and "alpha" in how}
    assert (points, seeds) == ({True}, {False})


@pytest.mark.parametrize("points", [20, 200])
@pytest.mark.parametrize("arms", [1, 2, 5, 9])
def test_curves_that_lie_upon_each_other_are_marked_at_different_steps(
    points: int, arms: int
) -> None:
    marked = []
    for number in range(arms):
        first, distance = curves.marked(points, number, arms)
        marked.append(set(range(first, points, distance)))
    assert all(marked)
    assert sum(map(len, marked)) == len(set.union(*marked))


def rich(step: TrainingStep) -> TrainingStep:
    """A step of which everything was recorded."""
    lag = 1 / step.step if step.step % 10 == 0 else None
    return replace(step, gradient_norm=1 / step.step, weight_norm=10.0, running_lag=lag)


def test_a_panel_is_drawn_for_each_quantity_that_was_recorded(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(curves, "_finish", lambda _axes, panel, _target: drawn.append(panel))
    draw(trained(ARMS), tmp_path)
    assert [panel.title for panel in drawn] == ["training loss of the batch", "validation accuracy"]
    drawn.clear()
    draw([with_steps(record, rich) for record in trained(ARMS)], tmp_path)
    assert drawn == list(curves.PANELS)


def test_a_quantity_that_an_arm_lacks_is_no_curve_of_it(monkeypatch, tmp_path):
    counts = []
    monkeypatch.setattr(curves, "_draw", lambda _axes, own, *_: counts.append(len(own)))
    lagging = [
        with_steps(record, lambda step: replace(step, running_lag=0.5))
        if record.implementation != "none"
        else record
        for record in trained(ARMS, range(3))
    ]
    draw(lagging, tmp_path)
    assert counts == [3, 3, 3, 3, 3, 3, 3, 3, 0]
