"""The middle of several curves of training."""

from __future__ import annotations

from harness.analysis.training_curves import middle_of


def test_the_middle_of_curves_is_the_median_of_the_seeds_where_all_are() -> None:
    curves = [{1: 1.0, 2: 5.0, 3: 0.0}, {1: 3.0, 2: 7.0}, {1: 8.0, 2: 6.0}]
    assert middle_of(curves) == ([1, 2], [3.0, 6.0])
    assert middle_of([]) == ([], [])


def test_the_middle_of_a_long_curve_takes_neighbours_in_so_that_one_odd_step_does_not_show() -> (
    None
):
    level = dict.fromkeys(range(1, 1001), 2.0)
    steps, middle = middle_of([level | {500: 9.0}])
    assert (len(steps), set(middle)) == (1000, {2.0})
    slope = middle_of([{step: float(step) for step in level}])[1]
    assert slope[10:-10] == [float(step) for step in steps[10:-10]]
