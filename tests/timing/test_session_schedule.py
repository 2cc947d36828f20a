"""Who gets the next launch, on cells and noise that are made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness import statistics
from harness.timing.session_schedule import UndecidedCell, next_cell

ALPHA, MARGIN = 0.05, 0.03


def cell(wanted, launches=3, most=10, seconds=1.0):
    arms = {f"arm {number}": count for number, count in enumerate(wanted)}
    return UndecidedCell(launches, most, arms, dict.fromkeys(arms, seconds), 2 * seconds)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (cell([4]), cell([6])),  # the fewer launches are missing
        (cell([5], seconds=1.0), cell([5], seconds=2.0)),  # the less they cost
        (cell([5, 5]), cell([5])),  # the more arms share the baseline's time
        (cell([4, 9]), cell([6, 6])),  # by its nearest arm
        (cell([9]), cell([11])),  # what can be decided before what cannot within the most
        (cell([11]), cell([40])),  # and of that, what comes nearer
    ],
)
def test_the_next_launch_goes_where_it_decides_most_for_its_time(first, second):
    assert next_cell({"first": first, "second": second}, 1000.0) == "first"
    assert next_cell({"second": second, "first": first}, 1000.0) == "first"


def test_what_the_time_left_cannot_decide_comes_after_what_it_can():
    long, short = cell([5, 5, 5], seconds=1.0), cell([10], seconds=0.2)
    assert next_cell({"long": long, "short": short}, 10.5) == "long"  # which takes 10 seconds
    assert next_cell({"long": long, "short": short}, 9.5) == "short"  # and this one 4.2


@pytest.mark.parametrize("left", [2.9, 0.0, -1.0])
def test_no_launch_begins_that_the_time_left_does_not_take(left):
    assert next_cell({"cell": cell([4])}, 3.0) == "cell"
    assert next_cell({"cell": cell([4])}, left) is None


def test_no_cell_gets_more_than_its_most():
    assert next_cell({"cell": cell([40], launches=10, most=10)}, 1000.0) is None
    assert next_cell({}, 1000.0) is None


def test_a_launch_takes_what_its_undecided_arms_take():
    both = cell([4, 6])
    assert [both.seconds(index) for index in (3, 4, 5, 6)] == [4.0, 3.0, 3.0, 2.0]


def pilot_noise(generator, cells, launches):
    """By cell, the pilot's log-ratios: most are quiet, some noisy."""
    deviations = np.exp(generator.normal(np.log(0.01), 0.8, cells))
    return generator.normal(0, 1, (cells, launches)) * deviations[:, None]


def undecided(log_ratios, seconds):
    launches = len(log_ratios[0])
    wanted = [statistics.launches_wanted(list(own), ALPHA, MARGIN) for own in log_ratios]
    each = (cell([count], launches, 4 * launches, seconds) for count in wanted)
    return {str(number): one for number, one in enumerate(each) if max(one.wanted.values()) > 3}


def decided_together(cells, left):
    """How many cells are decided when each launch goes to the next cell by the schedule."""
    decided = 0
    while (chosen := next_cell(cells, left)) is not None:
        one = cells.pop(chosen)
        left -= one.seconds(one.launches)
        one = replace(one, launches=one.launches + 1)
        if max(one.wanted.values()) > one.launches:
            cells[chosen] = one
        else:
            decided += 1
    return decided


def decided_alone(cells, left):
    """How many are, where each cell has the same share of the time and no part in others'."""
    share = left / len(cells)
    return sum(
        max(one.wanted.values()) <= min(one.most, one.launches + share // one.seconds(3))
        for one in cells.values()
    )


def test_on_made_up_noise_more_cells_are_decided_in_the_same_time_than_with_equal_shares():
    generator = np.random.default_rng(0)
    together = alone = 0
    for _ in range(20):
        cells = undecided(pilot_noise(generator, 20, 3), seconds=1.0)
        left = 9.0 * len(cells)
        alone += decided_alone(cells, left)
        together += decided_together(dict(cells), left)
    assert alone > 40
    assert together > 1.5 * alone
