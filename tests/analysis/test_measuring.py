"""Disturbances and time budgets count each measurement once, and old records have neither."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.disturbances import disturbances
from harness.analysis.sections import sections
from harness.analysis.time_budget import time_budget
from tests.helpers.synthetic import SPEEDS, cell, old, throughput


def test_an_arm_added_later_was_measured_in_blocks_and_in_time_of_its_own() -> None:
    records = throughput(cell(), SPEEDS)
    timed = sections([*records[:-1], replace(records[-1], session="s2")])
    disturbed, budget = disturbances(timed[0]), time_budget(timed)
    assert disturbed is not None
    assert budget is not None
    assert (disturbed.blocks, budget.spent.wall, budget.cells) == (96, 40.0, 2)


def test_what_the_harness_took_is_for_checking_for_starting_and_a_rest() -> None:
    budget = time_budget(sections(throughput(cell(), SPEEDS)))
    assert budget is not None
    assert (budget.spent.own, budget.rest, budget.share(budget.spent.own)) == (5.0, 2.0, 0.25)


def test_records_of_the_first_protocol_have_neither() -> None:
    timed = sections(old(throughput(cell(), SPEEDS)))
    assert (disturbances(timed[0]), time_budget(timed)) == (None, None)
