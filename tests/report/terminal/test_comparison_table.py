"""A comparison of sessions as tables: what changed, and why it came to that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.analysis.changes import Change
from harness.analysis.outcomes import Qualified
from harness.analysis.session_comparison import (
    AlarmWithdrawn,
    Comparison,
    ForbiddenByFlags,
    OutcomeChange,
    TooFewLaunches,
)
from harness.records import Flag, Interval, Status
from harness.report.terminal import comparison_table
from harness.report.terminal.comparison import explain
from tests.helpers.pages import shown
from tests.helpers.synthetic import SPEEDS, case, cell, throughput

NUMPY = throughput(cell(), SPEEDS)[-1]


@pytest.mark.parametrize("reason", ["[/red] is no markup", "off by\n3 ulp in [0, 1]"])
def test_a_comparison_shows_a_reason_as_it_is(reason: str) -> None:
    explanation = OutcomeChange(Status.OK, Status.WRONG, reason)
    compared = [Comparison(NUMPY, Change.SLOWER, Interval(1.2, 1.1, 1.3), explanation)]
    text = shown(comparison_table(compared))
    assert max(map(len, text.splitlines())) <= 120
    assert "32×64×112×112 float32 relu, training step" in text
    assert "1.20 [1.10, 1.30]" in text
    assert "SLOWER" in text
    assert reason.rsplit(maxsplit=1)[-1] in text


@pytest.mark.parametrize(
    ("explanation", "text"),
    [
        (None, ""),
        (OutcomeChange(Status.WRONG, Status.OK, None), "WRONG → OK"),
        (OutcomeChange(Status.OK, Status.WRONG, "off by 3"), "OK → WRONG: off by 3"),
        (
            OutcomeChange(Status.OK, Qualified.MISTRUSTED, None),
            "OK → MISTRUSTED: the comparison proves too little",
        ),
        (AlarmWithdrawn(Change.SLOWER), "SLOWER before Holm"),
        (ForbiddenByFlags((Flag.DISTURBED, Flag.UNSTEADY)), "no verdict: DISTURBED, UNSTEADY"),
        (TooFewLaunches(), "fewer than two launches beside the baseline"),
    ],
)
def test_each_explanation_has_its_words(explanation, text) -> None:
    assert explain(explanation) == text


def test_what_did_not_change_is_counted_and_not_listed() -> None:
    changes = (Change.UNCHANGED, Change.BROKEN, Change.MENDED)
    compared = [
        Comparison(case(name, f"forward/{number}"), change)
        for name in ("numpy", "torch_native")
        for number, change in enumerate(changes)
    ]
    text = shown(comparison_table(compared))
    assert "UNCHANGED 2, BROKEN 2, MENDED 2." in text
    assert text.count("forward/") == 2


def test_an_empty_comparison_says_so() -> None:
    assert "nothing to compare" in shown(comparison_table([]))
    only = replace(NUMPY, session="s2")
    assert "ADDED 1." in shown(comparison_table([Comparison(only, Change.ADDED)]))
