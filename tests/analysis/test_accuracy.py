"""Errors beside times: what stands for an arm, and which arms none beats in both."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.accuracy import (
    accuracy_of,
    front,
    front_counts,
    has_accuracy,
    has_sampled_errors,
    points,
    worst_error,
    worst_errors,
)
from harness.analysis.sections import sections
from harness.records import Flag, Status, ThroughputRecord
from tests.helpers import synthetic
from tests.helpers.old_records import old
from tests.helpers.synthetic import BASELINE, SPEEDS, cell
from tests.helpers.synthetic_throughput import ERRORS, accuracy, with_figures

ARMS = {**SPEEDS, "fast": 0.5}  # "fast" is as accurate as numpy
NAMES = [name for name in ARMS if name != "canary"]


def flagged(records: list[ThroughputRecord], name: str, flag: Flag) -> list[ThroughputRecord]:
    return [
        replace(record, flags=(flag,)) if record.implementation == name else record
        for record in records
    ]


def test_the_worst_quantity_stands_for_an_arm() -> None:
    record = synthetic.throughput(cell(), SPEEDS)[0]
    found = accuracy_of(record)
    assert found is not None
    assert worst_error(record) == found.worst == ERRORS[BASELINE]
    assert found.worst_quantity == "grad_weight"


def test_the_baseline_s_time_is_1_and_what_failed_has_none() -> None:
    failed = {"numpy": Status.WRONG}
    [section] = sections(synthetic.throughput(cell(), SPEEDS, failed=failed))
    found = points(section.cells[0])
    assert found[BASELINE] == (ERRORS[BASELINE], 1.0)
    assert set(found) == {BASELINE, "torch_compile", "torch_unfused"}


def test_the_front_holds_what_none_beats_in_both() -> None:
    [section] = sections(synthetic.throughput(cell(), ARMS))
    assert front(section.cells[0]) == ("fast",)
    assert front_counts(section) == {"fast": 1}
    [section] = sections(synthetic.throughput(cell(), SPEEDS))
    assert front(section.cells[0]) == ("numpy", BASELINE, "torch_compile")


def test_what_did_not_do_the_work_or_is_inaccurate_is_no_choice() -> None:
    for flag in (Flag.IMPLAUSIBLE, Flag.INACCURATE):
        [section] = sections(flagged(synthetic.throughput(cell(), ARMS), "fast", flag))
        assert "fast" not in front(section.cells[0])
        assert "fast" in points(section.cells[0])
    [section] = sections(flagged(synthetic.throughput(cell(), ARMS), "fast", Flag.DISTURBED))
    assert front(section.cells[0]) == ("fast",)


def test_of_each_quantity_the_worst_cell_is_told() -> None:
    small, large = cell((8, 8, 5, 5)), cell()
    records = synthetic.throughput(small, SPEEDS)
    worse = [
        with_figures(record, accuracy=accuracy(large, 1e-3))
        for record in synthetic.throughput(large, SPEEDS)
    ]
    [section] = sections([*records, *worse])
    found = worst_errors(section, "numpy")
    assert found["grad_weight"].rms == 1e-3
    assert found["output"].rms == 1e-4


def test_errors_over_a_sample_of_the_channels_are_told_apart() -> None:
    records = synthetic.throughput(cell(), SPEEDS)
    [section] = sections(records)
    assert not has_sampled_errors(section)
    few = replace(accuracy(cell(), 1e-7), channels=8)
    [section] = sections([with_figures(record, accuracy=few) for record in records])
    assert has_sampled_errors(section)


def test_records_of_before_have_none() -> None:
    [section] = sections(old(synthetic.throughput(cell(), SPEEDS)))
    assert not has_accuracy(section.cells)
    assert points(section.cells[0]) == {}
    assert worst_errors(section, BASELINE) == {}
