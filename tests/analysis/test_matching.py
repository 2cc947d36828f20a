"""Cells of two sessions are the same where the same was measured, however surely."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.matching import key_without, matching_key
from harness.records import AnyRecord, Protocol
from tests.helpers.synthetic import SPEEDS, case, cell, old, throughput
from tests.helpers.trainings import trained, with_cell

TIMED = throughput(cell(), SPEEDS)[0]


def timed(**changed: Any) -> AnyRecord:
    cell = replace(TIMED.cell, **changed)
    return replace(TIMED, identity=replace(TIMED.identity, cell=cell))


def test_how_surely_it_was_measured_does_not_matter() -> None:
    other = timed(margin=0.1, alpha=0.01, accuracy=1e-5, seed=7, protocol=Protocol(1, 9, 5))
    assert matching_key(other) == matching_key(TIMED)
    [training, *_] = trained()
    assert matching_key(with_cell(training, alpha=0.1)) == matching_key(training)


def test_what_was_measured_matters() -> None:
    assert matching_key(timed(threads=1)) != matching_key(TIMED)
    first, second, *_ = trained()
    assert matching_key(first) != matching_key(second)
    assert matching_key(case("numpy", "data/0")) != matching_key(case("numpy", "data/1"))


def test_a_record_of_the_first_protocol_is_of_the_same_cell() -> None:
    assert matching_key(old([TIMED])[0]) == matching_key(TIMED)


def test_a_key_can_only_leave_out_what_a_cell_has() -> None:
    with pytest.raises(KeyError, match="problme"):
        key_without(TIMED.cell, "problme")
