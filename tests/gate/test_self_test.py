from __future__ import annotations

from io import StringIO
from math import expm1, log

import numpy as np
import pytest
from rich.console import Console

from harness.gate.measured_cells import MeasuredCell, read_cells, write_cells
from harness.gate.self_test import LEAST_PILOTS, TooFewLaunchesError, drawn, self_test
from harness.report.figures.gate_power import power_figure
from harness.report.markdown.gate_self_test import self_test_page
from harness.report.terminal.gate_self_test import print_self_test
from harness.statistics.stopping_rule import StoppingRule

LAUNCHES, GATES = 12, 5


@pytest.fixture(scope="module")
def cells():
    random = np.random.default_rng(0)
    return [
        MeasuredCell(
            f"cell {number}",
            tuple(random.normal(0, 0.01, LAUNCHES).tolist()),
            tuple(random.normal(0, 0.01, LAUNCHES).tolist()),
            (log(1.1),) * LAUNCHES,
            seconds=0.5,
        )
        for number in range(4)
    ]


@pytest.fixture
def found(cells):
    return self_test(cells, StoppingRule(), GATES, seed=0)


def test_a_gate_draws_launches_whole_and_each_once(cells):
    numbered = [
        MeasuredCell(one.name, tuple(map(float, range(1, 13))), one.canary, (), 0.5)
        for one in cells
    ]
    made = drawn(numbered, LAUNCHES)(np.random.default_rng(1), 5)
    launches = np.abs(made.head)
    assert (launches == launches[:, :1]).all()
    assert len(set(launches[:, 0])) == 5


def test_budgets_are_in_seconds_and_need_no_more_launches_than_were_measured(found):
    budgets = sorted({one.budget for one in found.rates})
    assert budgets == pytest.approx([1.5, 2.0, 3.0, 4.0, 6.0])
    assert all(one.launches * 0.5 <= one.budget + 1e-9 for one in found.rates)


def test_large_effects_are_found_and_the_real_one_is_told(found):
    largest = [one for one in found.rates if one.effect == 0.2]
    assert all(one.found == GATES for one in largest)
    assert found.planted == pytest.approx([expm1(log(1.1))] * 4)


def test_measured_launches_are_kept_as_they_are(cells, tmp_path):
    write_cells(cells, tmp_path / "launches.json")
    assert read_cells(tmp_path / "launches.json") == cells


def test_too_few_launches_are_told_with_what_to_give():
    few = [MeasuredCell("a", (0.0,) * 5, (0.0,) * 5, (), 1.0)]
    with pytest.raises(TooFewLaunchesError, match=r"5 launches.*task\.launches"):
        self_test(few, StoppingRule(), GATES, seed=0)
    assert LEAST_PILOTS * StoppingRule().pilot > 5


def test_table_page_and_picture_show_each_budget(found, tmp_path):
    page, output = self_test_page(found, "picture.png"), StringIO()
    print_self_test(Console(file=output, width=120), found)
    for text in (page, output.getvalue()):
        assert "+20 % found" in text
        assert "took 10 % longer" in " ".join(text.split())
        assert "100 %" in text
    assert "](picture.png)" in page
    figure = power_figure(found.rates, "seconds a cell")
    assert figure.axes[0].get_xlabel() == "budget: seconds a cell"
    figure.savefig(tmp_path / "picture.png")
