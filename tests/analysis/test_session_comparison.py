"""A comparison of sessions finds what became slower or broke, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.changes import Change
from harness.analysis.outcomes import Qualified, RecordOutcome
from harness.analysis.session_comparison import (
    AlarmWithdrawn,
    Comparison,
    ForbiddenByFlags,
    OutcomeChange,
    compare,
    correct,
    environment_differences,
    exit_status,
)
from harness.environment import Environment
from harness.records import AnyRecord, CaseRecord, Flag, Protocol, Status
from harness.store import Contents, Journal, SessionStart
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, SPEEDS, case, cell, conformance, throughput


def compared(
    tmp_path: Path, before: Sequence[AnyRecord], after: Sequence[AnyRecord]
) -> list[Comparison]:
    contents = [
        synthetic.journal(tmp_path / session, records, session=session)
        for session, records in (("a", before), ("b", after))
    ]
    return compare(contents[0], "a", contents[1], "b", margin=0.03, alpha=0.05)


def changes(comparisons: Sequence[Comparison]) -> dict[str, Change]:
    return {comparison.implementation: comparison.change for comparison in comparisons}


def test_an_arm_that_became_slower_is_found_whatever_the_machine_and_the_pace(
    tmp_path: Path,
) -> None:
    before = throughput(cell(), SPEEDS, session="a")
    after = throughput(
        cell(seed=7, protocol=Protocol(version=1, launches=9, blocks=5), margin=0.1),
        {**SPEEDS, "numpy": SPEEDS["numpy"] * 1.2},
        session="b",
        seed=5,
        launches=9,
        environment="other",
    )
    found = compared(tmp_path, before, after)
    assert changes(found) == {
        "torch_compile": Change.SAME,
        "torch_unfused": Change.SAME,
        "numpy": Change.SLOWER,
    }
    slower = next(comparison for comparison in found if comparison.implementation == "numpy")
    assert slower.ratio is not None
    assert slower.ratio.low < 1.2 < slower.ratio.high
    assert exit_status(found) == 1


def test_an_arm_that_became_faster_is_no_regression(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(), SPEEDS, session="a"),
        throughput(cell(), {**SPEEDS, "numpy": 5.0}, session="b", seed=5),
    )
    assert changes(found)["numpy"] is Change.FASTER
    assert exit_status(found) == 0


def test_two_sessions_of_one_journal_are_each_their_own_measurements(tmp_path: Path) -> None:
    synthetic.journal(tmp_path, throughput(cell(), SPEEDS, session="a"), session="a")
    contents = synthetic.journal(
        tmp_path, throughput(cell(), {**SPEEDS, "numpy": 20.0}, session="b"), session="b"
    )
    forth = compare(contents, "a", contents, "b", margin=0.03, alpha=0.05)
    back = compare(contents, "b", contents, "a", margin=0.03, alpha=0.05)
    assert (changes(forth)["numpy"], changes(back)["numpy"]) == (Change.SLOWER, Change.FASTER)


def test_too_noisy_sessions_are_ambiguous(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(), SPEEDS, session="a", noise=0.1),
        throughput(cell(), SPEEDS, session="b", noise=0.1, seed=1),
    )
    assert set(changes(found).values()) == {Change.AMBIGUOUS}
    assert exit_status(found) == 3


def test_an_alarm_has_to_stand_among_all_that_is_compared() -> None:
    alarm, same = (
        Comparison(OK, Change.SLOWER, p_value=0.01),
        Comparison(OK, Change.SAME, p_value=1.0),
    )
    unchanged = Comparison(OK, Change.UNCHANGED)
    assert correct([alarm, unchanged], 0.05) == [alarm, unchanged]
    among = correct([same, alarm, unchanged, *[same] * 60], 0.05)
    withdrawn = AlarmWithdrawn(Change.SLOWER)
    assert among[1] == replace(alarm, change=Change.AMBIGUOUS, explanation=withdrawn)
    assert among[2:] == [unchanged, *[same] * 60]


@pytest.mark.parametrize(
    ("before", "after", "expected", "status"),
    [
        (Status.OK, Status.WRONG, Change.BROKEN, 1),
        (Status.OK, Status.UNSUPPORTED, Change.BROKEN, 1),
        (Status.UNSUPPORTED, Status.CRASHED, Change.BROKEN, 1),
        (Status.OK, Status.UNAVAILABLE, Change.AMBIGUOUS, 3),
        (Status.WRONG, Status.CRASHED, Change.UNCHANGED, 0),
        (Status.WRONG, Status.OK, Change.MENDED, 0),
        (Status.UNSUPPORTED, Status.UNSUPPORTED, Change.UNCHANGED, 0),
        (Status.OK, Status.OK, Change.UNCHANGED, 0),
    ],
)
def test_changes_of_status(
    tmp_path: Path, before: Status, after: Status, expected: Change, status: int
) -> None:
    found = compared(
        tmp_path,
        conformance({"numpy": {"forward/0": before}}, "a"),
        conformance({"numpy": {"forward/0": after}}, "b"),
    )
    assert [comparison.change for comparison in found] == [expected]
    assert exit_status(found) == status
    if expected is Change.BROKEN:
        reason = synthetic.FAILURES[after]
        assert found[0].explanation == OutcomeChange(before, after, reason)


MISTRUSTED = case("numpy", "data/0", session="a", mistrusted=["output"])
DECLARED = case("numpy", "data/0", Status.WRONG, session="a", explanation="known")
WRONG, OK = (case("numpy", "data/0", status, session="a") for status in (Status.WRONG, Status.OK))
REFUSED = case("numpy", "data/0", Status.UNSUPPORTED, session="a")


@pytest.mark.parametrize(
    ("before", "after", "expected", "outcomes"),
    [
        (OK, DECLARED, Change.BROKEN, (Status.OK, Qualified.DECLARED)),
        (DECLARED, WRONG, Change.BROKEN, (Qualified.DECLARED, Status.WRONG)),
        (WRONG, DECLARED, Change.UNCHANGED, (Status.WRONG, Qualified.DECLARED)),
        (DECLARED, OK, Change.MENDED, (Qualified.DECLARED, Status.OK)),
        (DECLARED, DECLARED, Change.UNCHANGED, (Qualified.DECLARED, Qualified.DECLARED)),
        (REFUSED, DECLARED, Change.UNCHANGED, (Status.UNSUPPORTED, Qualified.DECLARED)),
        (OK, MISTRUSTED, Change.AMBIGUOUS, (Status.OK, Qualified.MISTRUSTED)),
        (WRONG, MISTRUSTED, Change.AMBIGUOUS, (Status.WRONG, Qualified.MISTRUSTED)),
        (MISTRUSTED, MISTRUSTED, Change.UNCHANGED, (Qualified.MISTRUSTED, Qualified.MISTRUSTED)),
        (MISTRUSTED, OK, Change.MENDED, (Qualified.MISTRUSTED, Status.OK)),
        (MISTRUSTED, WRONG, Change.BROKEN, (Qualified.MISTRUSTED, Status.WRONG)),
    ],
)
def test_what_is_documented_is_no_failure_and_what_is_mistrusted_no_success(
    tmp_path: Path,
    before: CaseRecord,
    after: CaseRecord,
    expected: Change,
    outcomes: tuple[RecordOutcome, RecordOutcome],
) -> None:
    [found] = compared(tmp_path, [before], [replace(after, session="b")])
    assert found.change is expected
    assert found.explanation == OutcomeChange(*outcomes, after.reason)


def test_the_baseline_is_not_compared_with_itself_but_its_failure_is_told(tmp_path: Path) -> None:
    before = throughput(cell(), SPEEDS, session="a")
    after = throughput(cell(), SPEEDS, session="b", failed={BASELINE: Status.CRASHED})
    found = compared(tmp_path, before, after)
    assert changes(found)[BASELINE] is Change.BROKEN
    assert changes(found)["numpy"] is Change.AMBIGUOUS
    assert "canary" not in changes(found)


def test_a_flag_forbids_a_verdict_and_not_the_ratio(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(), SPEEDS, session="a"),
        throughput(cell(), {**SPEEDS, "numpy": 30.0}, session="b", flagged=["numpy"]),
    )
    flagged = next(comparison for comparison in found if comparison.implementation == "numpy")
    assert flagged.change is Change.AMBIGUOUS
    assert flagged.explanation == ForbiddenByFlags((Flag.DISTURBED,))
    assert flagged.ratio is not None


def test_cells_of_one_session_only_are_listed_and_decide_nothing(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(threads=1), SPEEDS, session="a"),
        throughput(cell(threads=2), SPEEDS, session="b"),
    )
    assert {comparison.change for comparison in found} == {Change.ADDED, Change.REMOVED}
    assert {comparison.record.cell.threads for comparison in found} == {1, 2}
    assert exit_status(found) == 3
    assert exit_status([]) == 3


def test_an_arm_is_never_held_against_a_baseline_measured_at_another_time(tmp_path: Path) -> None:
    synthetic.journal(tmp_path, throughput(cell(), SPEEDS, session="a"), session="a")
    later = throughput(cell(), {BASELINE: 9.0}, session="b")
    contents = synthetic.journal(
        tmp_path, [*throughput(cell(), SPEEDS, session="a"), *later], session="b"
    )
    found = compare(contents, "b", contents, "b", margin=0.03, alpha=0.05)
    assert changes(found)["numpy"] is Change.SAME
    alone = Contents(
        contents.sessions,
        contents.plans,
        contents.records,
        [record for record in contents.history if record.implementation != BASELINE],
    )
    assert (
        changes(compare(alone, "a", contents, "a", margin=0.03, alpha=0.05))["numpy"]
        is Change.AMBIGUOUS
    )


def test_differences_of_the_environments_are_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for session, model in (("a", "EPYC"), ("b", "Xeon")):
        machine = Environment(stable={"cpu": {"model": model, "cores": 2}})
        journal.begin(SessionStart(session, environment=machine))
    contents = journal.read()
    assert environment_differences(contents, "a", contents, "b") == {"cpu.model": ("EPYC", "Xeon")}


def test_an_unknown_session_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    contents = synthetic.journal(tmp_path, [], session="a")
    with pytest.raises(ValueError, match="no session 'b'; it holds a"):
        compare(contents, "a", contents, "b", margin=0.03, alpha=0.05)
