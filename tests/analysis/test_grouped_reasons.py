"""Each reason comes once, with all that it holds for."""

from __future__ import annotations

from harness.analysis.grouped_reasons import (
    MissingRatio,
    group_reasons,
    implementations_without_ratio,
    missing_ratios,
)
from harness.analysis.outcomes import FAILED, Qualified, WithoutVerdict
from harness.analysis.sections import sections
from harness.records import Status
from tests.helpers.synthetic import BASELINE, FAILURES, SHAPES, SPEEDS, case, cell, throughput

NO_RATIO = f"{BASELINE} is CRASHED here"


def test_records_are_grouped_by_implementation_outcome_and_reason() -> None:
    crashed = [case(name, f"laws/{number}", Status.CRASHED) for name in "ab" for number in (0, 1)]
    groups = group_reasons([*crashed, case("a", "laws/2", Status.WRONG), case("a", "x/0")], FAILED)
    counts = [(group.implementation, group.outcome, len(group.cases)) for group in groups]
    assert counts == [("a", "CRASHED", 2), ("b", "CRASHED", 2), ("a", "WRONG", 1)]
    assert groups[0].reason == FAILURES[Status.CRASHED]


def test_what_is_documented_is_grouped_by_its_explanation_and_is_no_failure() -> None:
    records = [
        case("a", f"data/{number}", Status.WRONG, explanation=explanation)
        for number, explanation in enumerate(["one", "other", "one"])
    ]
    groups = group_reasons(records, [Qualified.DECLARED])
    assert [(group.reason, len(group.cases)) for group in groups] == [("one", 2), ("other", 1)]
    assert group_reasons(records, FAILED) == []


def test_what_is_mistrusted_is_grouped_by_its_quantities() -> None:
    records = [case("a", "data/0", mistrusted=["output"]), case("a", "data/1", mistrusted=["x"])]
    groups = group_reasons(records, [Qualified.MISTRUSTED])
    assert [group.quantities for group in groups] == [("output",), ("x",)]


def test_implementations_without_a_ratio_for_one_reason_in_the_same_cells_come_together() -> None:
    records = [
        *throughput(cell(SHAPES[0]), SPEEDS, failed={BASELINE: Status.CRASHED}),
        *throughput(cell(SHAPES[1]), SPEEDS, failed={"numpy": Status.WRONG}),
    ]
    [section] = sections(records)
    first, second = (cell.label for cell in section.cells)
    others = ("torch_compile", "torch_unfused", "numpy")
    assert missing_ratios(section) == [
        MissingRatio((BASELINE,), Status.CRASHED, FAILURES[Status.CRASHED], (first,)),
        MissingRatio(others, WithoutVerdict.NO_RATIO, NO_RATIO, (first,)),
        MissingRatio(("numpy",), Status.WRONG, FAILURES[Status.WRONG], (second,)),
    ]
    assert implementations_without_ratio(records) == {NO_RATIO: ["canary", *others]}
