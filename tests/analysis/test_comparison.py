"""A comparison of sessions finds what became slower or broke, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparison import (
    Comparison,
    Judgement,
    Outcome,
    _corrected,
    compare,
    environment_differences,
    exit_status,
)
from harness.records import Record, Status
from harness.store import Contents, Journal
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, SPEEDS, case, cell, conformance, throughput


def compared(tmp_path: Path, before: Sequence[Record], after: Sequence[Record]) -> list[Comparison]:
    contents = [
        synthetic.journal(tmp_path / session, records, session=session)
        for session, records in (("a", before), ("b", after))
    ]
    return compare(contents[0], "a", contents[1], "b", margin=0.03, alpha=0.05)


def outcomes(comparisons: Sequence[Comparison]) -> dict[str, Outcome]:
    return {comparison.implementation: comparison.outcome for comparison in comparisons}


def test_an_arm_that_became_slower_is_found_whatever_the_machine_and_the_pace(
    tmp_path: Path,
) -> None:
    before = throughput(cell(), SPEEDS, session="a")
    after = throughput(
        cell(seed=7, protocol={"version": 1, "launches": 9}, margin=0.1),
        {**SPEEDS, "numpy": SPEEDS["numpy"] * 1.2},
        session="b",
        seed=5,
        launches=9,
        environment="other",
    )
    found = compared(tmp_path, before, after)
    assert outcomes(found) == {
        "torch_compile": Outcome.SAME,
        "torch_unfused": Outcome.SAME,
        "numpy": Outcome.SLOWER,
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
    assert outcomes(found)["numpy"] is Outcome.FASTER
    assert exit_status(found) == 0


def test_two_sessions_of_one_journal_are_each_their_own_measurements(tmp_path: Path) -> None:
    synthetic.journal(tmp_path, throughput(cell(), SPEEDS, session="a"), session="a")
    contents = synthetic.journal(
        tmp_path, throughput(cell(), {**SPEEDS, "numpy": 20.0}, session="b"), session="b"
    )
    forth = compare(contents, "a", contents, "b", margin=0.03, alpha=0.05)
    back = compare(contents, "b", contents, "a", margin=0.03, alpha=0.05)
    assert (outcomes(forth)["numpy"], outcomes(back)["numpy"]) == (Outcome.SLOWER, Outcome.FASTER)


def test_too_noisy_sessions_are_ambiguous(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(), SPEEDS, session="a", noise=0.1),
        throughput(cell(), SPEEDS, session="b", noise=0.1, seed=1),
    )
    assert set(outcomes(found).values()) == {Outcome.AMBIGUOUS}
    assert exit_status(found) == 3


def test_an_alarm_has_to_stand_among_all_that_is_compared() -> None:
    alarm, same = Judgement(Outcome.SLOWER, level=0.01), Judgement(Outcome.SAME, level=1.0)
    unchanged = Judgement(Outcome.UNCHANGED)
    assert corrected([alarm, unchanged]) == [alarm, unchanged]
    among = corrected([same, alarm, unchanged, *[same] * 60])
    assert among[1] == replace(alarm, outcome=Outcome.AMBIGUOUS, note="SLOWER before Holm")
    assert set(among[2:]) == {same, unchanged}


def corrected(judgements: Sequence[Judgement]) -> list[Judgement]:
    return [found for _, found in _corrected([(OK, judgement) for judgement in judgements], 0.05)]


@pytest.mark.parametrize(
    ("before", "after", "expected", "status"),
    [
        (Status.OK, Status.WRONG, Outcome.BROKEN, 1),
        (Status.OK, Status.UNSUPPORTED, Outcome.BROKEN, 1),
        (Status.UNSUPPORTED, Status.CRASHED, Outcome.BROKEN, 1),
        (Status.OK, Status.UNAVAILABLE, Outcome.AMBIGUOUS, 3),
        (Status.WRONG, Status.CRASHED, Outcome.UNCHANGED, 0),
        (Status.WRONG, Status.OK, Outcome.MENDED, 0),
        (Status.UNSUPPORTED, Status.UNSUPPORTED, Outcome.UNCHANGED, 0),
        (Status.OK, Status.OK, Outcome.UNCHANGED, 0),
    ],
)
def test_changes_of_status(
    tmp_path: Path, before: Status, after: Status, expected: Outcome, status: int
) -> None:
    found = compared(
        tmp_path,
        conformance({"numpy": {"forward/0": before}}, "a"),
        conformance({"numpy": {"forward/0": after}}, "b"),
    )
    assert [comparison.outcome for comparison in found] == [expected]
    assert exit_status(found) == status
    if expected is Outcome.BROKEN:
        assert found[0].note == f"{before} → {after}: {synthetic.FAILURES[after]}"


MISTRUSTED = case("numpy", "data/0", session="a", mistrusted=["output"])
DOCUMENTED = case("numpy", "data/0", Status.WRONG, session="a", explanation="known")
WRONG, OK = (case("numpy", "data/0", status, session="a") for status in (Status.WRONG, Status.OK))
REFUSED = case("numpy", "data/0", Status.UNSUPPORTED, session="a")


@pytest.mark.parametrize(
    ("before", "after", "expected", "note"),
    [
        (OK, DOCUMENTED, Outcome.BROKEN, "OK → documented: "),
        (DOCUMENTED, WRONG, Outcome.BROKEN, "documented → WRONG: "),
        (WRONG, DOCUMENTED, Outcome.UNCHANGED, "WRONG → documented: "),
        (DOCUMENTED, OK, Outcome.MENDED, "documented → OK"),
        (DOCUMENTED, DOCUMENTED, Outcome.UNCHANGED, ""),
        (REFUSED, DOCUMENTED, Outcome.UNCHANGED, ""),
        (OK, MISTRUSTED, Outcome.AMBIGUOUS, "OK → MISTRUSTED: the comparison proves too little"),
        (WRONG, MISTRUSTED, Outcome.AMBIGUOUS, "WRONG → MISTRUSTED: "),
        (MISTRUSTED, MISTRUSTED, Outcome.UNCHANGED, ""),
        (MISTRUSTED, OK, Outcome.MENDED, "MISTRUSTED → OK"),
        (MISTRUSTED, WRONG, Outcome.BROKEN, "MISTRUSTED → WRONG: "),
    ],
)
def test_what_is_documented_is_no_failure_and_what_is_mistrusted_no_success(
    tmp_path: Path,
    before: Record,
    after: Record,
    expected: Outcome,
    note: str,
) -> None:
    [found] = compared(tmp_path, [before], [replace(after, session="b")])
    assert found.outcome is expected
    assert found.note.startswith(note)


def test_the_baseline_is_not_compared_with_itself_but_its_failure_is_told(tmp_path: Path) -> None:
    before = throughput(cell(), SPEEDS, session="a")
    after = throughput(cell(), SPEEDS, session="b", failed={BASELINE: Status.CRASHED})
    found = compared(tmp_path, before, after)
    assert outcomes(found)[BASELINE] is Outcome.BROKEN
    assert outcomes(found)["numpy"] is Outcome.AMBIGUOUS
    assert "canary" not in outcomes(found)


def test_a_flag_forbids_a_verdict_and_not_the_ratio(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(), SPEEDS, session="a"),
        throughput(cell(), {**SPEEDS, "numpy": 30.0}, session="b", flagged=["numpy"]),
    )
    flagged = next(comparison for comparison in found if comparison.implementation == "numpy")
    assert flagged.outcome is Outcome.AMBIGUOUS
    assert flagged.note == "no verdict: DISTURBED"
    assert flagged.ratio is not None


def test_cells_of_one_session_only_are_listed_and_decide_nothing(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        throughput(cell(threads=1), SPEEDS, session="a"),
        throughput(cell(threads=2), SPEEDS, session="b"),
    )
    assert {comparison.outcome for comparison in found} == {Outcome.ADDED, Outcome.REMOVED}
    assert {comparison.cell[-9:] for comparison in found} == {" 1 thread", "2 threads"}
    assert exit_status(found) == 3
    assert exit_status([]) == 3


def test_an_arm_is_never_held_against_a_baseline_measured_at_another_time(tmp_path: Path) -> None:
    synthetic.journal(tmp_path, throughput(cell(), SPEEDS, session="a"), session="a")
    later = throughput(cell(), {BASELINE: 9.0}, session="b")
    contents = synthetic.journal(
        tmp_path, [*throughput(cell(), SPEEDS, session="a"), *later], session="b"
    )
    found = compare(contents, "b", contents, "b", margin=0.03, alpha=0.05)
    assert outcomes(found)["numpy"] is Outcome.SAME
    alone = Contents(
        contents.sessions,
        contents.plans,
        contents.records,
        [record for record in contents.history if record.implementation != BASELINE],
    )
    assert (
        outcomes(compare(alone, "a", contents, "a", margin=0.03, alpha=0.05))["numpy"]
        is Outcome.AMBIGUOUS
    )


def test_differences_of_the_environments_are_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for session, model in (("a", "EPYC"), ("b", "Xeon")):
        journal.begin(
            session,
            environment={"stable": {"cpu": {"model": model, "cores": 2}}, "fingerprint": model},
        )
    contents = journal.read()
    assert environment_differences(contents, "a", contents, "b") == {"cpu.model": ("EPYC", "Xeon")}


def test_an_unknown_session_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    contents = synthetic.journal(tmp_path, [], session="a")
    with pytest.raises(ValueError, match="no session 'b'; it holds a"):
        compare(contents, "a", contents, "b", margin=0.03, alpha=0.05)
