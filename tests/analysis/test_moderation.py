"""What a session's cells tell about each other's noise is what its tables, verdicts and comparisons
go by; its records keep what they measured.
"""

from __future__ import annotations

from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pytest

from harness import statistics
from harness.analysis.changes import Change
from harness.analysis.moderation import LEAST_CELLS, compared_launches, moderate, moderated_figures
from harness.analysis.multiple_testing import correct_verdicts
from harness.analysis.selection import throughput_records
from harness.analysis.session_comparison import compare
from harness.records import (
    CANARY,
    AnyRecord,
    Flag,
    Status,
    ThroughputFigures,
    ThroughputRecord,
    Verdict,
)
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, SHAPES, case, cell, old, throughput
from tests.helpers.synthetic_throughput import with_figures

FEW = {BASELINE: 1.0, CANARY: 1.0, "torch_compile": 0.9}


def session(
    cells: int, speeds: dict[str, float] = FEW, *, seed: int = 0, name: str = "s1", **about: Any
) -> list[ThroughputRecord]:
    return [
        record
        for number, shape in enumerate(SHAPES[:cells])
        for record in throughput(cell(shape), speeds, seed=seed + number, session=name, **about)
    ]


def figures_of(record: AnyRecord) -> ThroughputFigures:
    assert isinstance(record, ThroughputRecord)
    assert record.figures is not None
    return record.figures


def width(record: AnyRecord) -> float:
    ratio = figures_of(record).ratio
    assert ratio is not None
    return log(ratio.high / ratio.low)


def compared(records: list[ThroughputRecord]) -> list[ThroughputRecord]:
    return [record for record in records if record.implementation == "torch_compile"]


@pytest.mark.parametrize("cells", range(1, LEAST_CELLS))
def test_in_too_few_cells_the_plain_intervals_stand_as_they_are(cells: int) -> None:
    records = session(cells)
    found = moderate(records)
    assert list(found.records) == records
    assert (found.freedom, found.cells, found.comparisons) == (None, cells, 2 * cells)
    assert moderated_figures(records) == {}


def test_in_more_cells_few_launches_that_are_alike_decide_more() -> None:
    records = session(10, launches=3)
    found = throughput_records(moderate(records).records)
    plain, moderated = compared(records), compared(found)
    assert sum(map(width, moderated)) < 0.7 * sum(map(width, plain))
    decided = [
        sum(correct_verdicts(given).outcome(record) is Verdict.FASTER for record in own)
        for given, own in ((records, plain), (found, moderated))
    ]
    assert decided[1] > decided[0] + 2


def test_all_that_a_verdict_goes_by_is_moderated_and_the_times_are_not() -> None:
    records = session(5, launches=4)
    record = compared(records)[0]
    launches, prior = (
        compared_launches(records)[record.key].log_ratios,
        compared_launches(records)[record.key].prior,
    )
    [moderated] = [one for one in moderate(records).records if one.key == record.key]
    figures, plain = figures_of(moderated), figures_of(record)
    interval = statistics.interval(launches, 0.05, 8, prior)
    assert figures.ratio == interval != plain.ratio
    assert figures.verdict is statistics.verdict(interval, 0.03)
    assert figures.p_value == statistics.decision_level(launches, 0.03, 8, prior) != plain.p_value
    assert figures.minimum_detectable_effect == statistics.minimum_detectable_effect(
        launches, 0.05, 0.03, pilot=8, prior=prior
    )
    assert (
        replace(
            figures,
            ratio=plain.ratio,
            verdict=plain.verdict,
            p_value=plain.p_value,
            minimum_detectable_effect=plain.minimum_detectable_effect,
            canary=plain.canary,
        )
        == plain
    )


def test_the_canarys_interval_is_moderated_in_all_records_of_its_cell() -> None:
    records = session(4, launches=3)
    found = throughput_records(moderate(records).records)
    for record in found:
        [canary] = [
            figures_of(one).ratio
            for one in found
            if one.implementation == CANARY and one.identity.cell_key == record.identity.cell_key
        ]
        assert figures_of(record).canary == canary
    assert figures_of(found[0]).canary != figures_of(records[0]).canary


def test_a_flag_forbids_the_verdict_and_not_the_interval_and_its_launches_count_as_noise() -> None:
    records = session(4, launches=4)
    flagged = [
        replace(with_figures(record, verdict=None), flags=(Flag.UNSTEADY,))
        if record.implementation == "torch_compile"
        else record
        for record in records
    ]
    found = throughput_records(moderate(flagged).records)
    assert {figures_of(record).verdict for record in compared(found)} == {None}
    assert [width(record) for record in compared(found)] == [
        width(record) for record in compared(throughput_records(moderate(records).records))
    ]


def test_what_failed_or_has_no_baseline_and_other_tasks_stay_as_they_are() -> None:
    broken = throughput(cell(SHAPES[5]), FEW, failed={BASELINE: Status.CRASHED})
    failed = throughput(cell(SHAPES[6]), FEW, failed={"torch_compile": Status.WRONG})
    records: list[AnyRecord] = [*session(4), *broken, *failed, case("numpy", "data/0")]
    found = moderate(records).records
    assert found[12:15] == tuple(broken)
    assert found[17] == failed[2]
    assert found[18] == records[-1]


def test_an_arm_measured_beside_a_baseline_of_its_own_is_compared_with_that() -> None:
    records = session(4)
    alone = [with_figures(record, baseline_samples=records[0].samples) for record in records[1:3]]
    assert compared_launches([*alone, *records[3:]])[alone[0].key].log_ratios == pytest.approx(
        compared_launches(records)[records[1].key].log_ratios
    )


def test_records_of_the_first_schema_are_moderated_too_and_get_a_p_value() -> None:
    first = old(session(4))
    assert figures_of(first[2]).p_value is None
    assert figures_of(moderate(first).records[2]).p_value is not None


def test_a_comparison_of_sessions_with_few_launches_goes_by_each_ones_cells(tmp_path: Path) -> None:
    slower = {**FEW, "torch_compile": 0.9 * 1.12}
    for name, speeds, seed in (("a", FEW, 0), ("b", slower, 50)):
        records = session(8, speeds, seed=seed, name=name, launches=3)
        contents = synthetic.journal(tmp_path, records, session=name)
    changes = [
        found.change for found in compare(contents, "a", contents, "b", margin=0.03, alpha=0.05)
    ]
    assert changes.count(Change.SLOWER) >= 6
