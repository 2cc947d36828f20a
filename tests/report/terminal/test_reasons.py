"""Beneath the closing table stands why what is not OK is not, each reason once, and how to see a
failure again.
"""

from __future__ import annotations

from dataclasses import replace

from harness.records import CaseRecord, Status
from harness.report.terminal.reasons import SHOWN, reasons
from tests.helpers.synthetic import FAILURES, SPEEDS, case, cell, throughput


def wrong(name: str, reason: str) -> CaseRecord:
    return replace(case("numpy", name, Status.WRONG), reason=reason)


def test_a_failure_has_its_reason_and_the_command_that_repeats_it_alone() -> None:
    assert reasons([case("numpy", "data/nan"), case("numpy", "data/large_mean", Status.WRONG)]) == [
        (
            f"numpy: WRONG in data/large_mean: {FAILURES[Status.WRONG]}",
            "bnbench check numpy task.cases=data/large_mean device.threads=2",
        )
    ]


def test_failures_for_one_reason_are_told_once_and_those_for_others_apart() -> None:
    crashed = [case("numpy", f"laws/{number}", Status.CRASHED) for number in range(5)]
    found = reasons(
        [*crashed, wrong("data/nan", "off by 3"), case("torch_native", "laws/0", Status.CRASHED)]
    )
    assert [sentence.partition(": ")[0] for sentence, _ in found] == [
        "numpy",
        "numpy",
        "torch_native",
    ]
    assert found[0].sentence.startswith(
        "numpy: CRASHED in 5 cases (laws/0, laws/1, laws/2, …): the worker died"
    )
    assert [command and command.split()[3] for _, command in found] == [
        "task.cases=laws/0",
        "task.cases=data/nan",
        "task.cases=laws/0",
    ]


def test_what_is_documented_is_explained_once_and_needs_no_command() -> None:
    known = [
        case(name, f"data/{number}", Status.WRONG, explanation="PyTorch issue 1")
        for name in ("numpy", "torch_native")
        for number in range(2)
    ]
    other = case("numpy", "edges/0", Status.WRONG, explanation="another")
    assert reasons([*known, other]) == [
        ("numpy: WRONG as declared in data/0 and data/1: PyTorch issue 1", None),
        ("torch_native: WRONG as declared in data/0 and data/1: PyTorch issue 1", None),
        ("numpy: WRONG as declared in edges/0: another", None),
    ]


def test_failures_stand_before_all_that_is_none() -> None:
    records = [
        case("numpy", "dtypes/0", Status.UNSUPPORTED),
        case("numpy", "data/0", mistrusted=["output"]),
        case("numpy", "data/1", Status.WRONG, explanation="known"),
        case("numpy", "data/2", Status.WRONG),
    ]
    sentences = [sentence for sentence, _ in reasons(records)]
    assert [sentence.split(":")[1].strip() for sentence in sentences[:2]] == [
        "WRONG in data/2",
        "WRONG as declared in data/1",
    ]
    assert sentences[2].startswith("MISTRUSTED: ")
    assert sentences[2].endswith("the report names the 1 case")
    assert sentences[3] == f"numpy: UNSUPPORTED: {FAILURES[Status.UNSUPPORTED]}"


def test_many_reasons_of_one_kind_hide_none_of_another() -> None:
    found = reasons(
        [
            *(wrong(f"data/{number}", f"off by {number}") for number in range(SHOWN + 3)),
            case("numpy", "dtypes/0", Status.UNSUPPORTED),
        ]
    )
    assert found[SHOWN:] == [
        ("and 3 other reasons, in the report", None),
        (f"numpy: UNSUPPORTED: {FAILURES[Status.UNSUPPORTED]}", None),
    ]


def test_what_failed_elsewhere_has_its_reason_and_no_command() -> None:
    failed = throughput(cell(), SPEEDS, failed={"numpy": Status.TIMEOUT})
    assert reasons(
        [*failed, *throughput(cell(threads=1), SPEEDS, failed={"numpy": Status.TIMEOUT})]
    ) == [(f"numpy: TIMEOUT: {FAILURES[Status.TIMEOUT]}", None)]
    assert not reasons(throughput(cell(), SPEEDS, flagged=["numpy"]))


def test_a_deviation_that_does_not_show_is_out_of_date() -> None:
    record = case("numpy", "data/0")
    assert record.figures is not None
    outdated = replace(record, figures=replace(record.figures, outdated="it was odd"))
    assert reasons([outdated]) == [
        ("numpy: declares a deviation in data/0, which passed: out of date: it was odd", None)
    ]
