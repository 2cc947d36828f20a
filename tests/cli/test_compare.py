"""`bnbench compare` says of which sessions it speaks and how much of each is there, and its exit
status does not take a part for the whole.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.analysis.changes import Change
from harness.analysis.session_comparison import Comparison, compare
from harness.environment import this_process
from harness.records import AnyRecord
from harness.store import Journal, Plan, SessionEnd, SessionStart
from tests.helpers.synthetic import BASELINE, SPEEDS, case, cell, throughput
from tests.helpers.synthetic_throughput import with_figures

CASES: list[AnyRecord] = [case("numpy", f"data/{number}") for number in range(13)]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Where a bare command looks, with a whole session of 13 records in it."""
    made = Journal(tmp_path / "bnbench-results" / "journal")
    session(made, "first", CASES)
    return made


def session(
    to: Journal, name: str, records: list[AnyRecord], *, process: str = "gone", made: int = 99
) -> None:
    """A session that planned the records and made so many of them; of one with another process
    than ``gone`` no end is journalled.
    """
    to.begin(SessionStart(name, process=process))
    if records:
        keys = tuple(record.key for record in records)
        to.plan(Plan(name, "0", records[0].task, {"resume": False}, keys))
    for record in records[:made]:
        to.append(replace(record, session=name))
    if process == "gone":
        to.end(SessionEnd(name, "FINISHED"))


def killed() -> str:
    """The name of a process of this machine that ended."""
    return f"{this_process()}9"


def test_two_whole_sessions_are_compared_without_a_doubt(bnbench_here, journal) -> None:
    session(journal, "second", CASES)
    ran = bnbench_here("compare")
    assert ran.returncode == 0
    assert "session" not in ran.stdout.replace("each session", "")
    assert "before is first of bnbench-results/journal, after is second of bnb" in ran.stdout


def test_one_that_runs_or_planned_nothing_is_left_out_and_named(bnbench_here, journal) -> None:
    session(journal, "second", CASES)
    session(journal, "refused", [])
    session(journal, "running", CASES, process=this_process(), made=3)
    ran = bnbench_here("compare")
    assert (ran.returncode, "UNCHANGED 13" in ran.stdout) == (0, True)
    assert "session refused is left out: it planned nothing" in ran.stdout
    assert "session running is left out: it still runs" in ran.stdout


@pytest.mark.parametrize("made", [0, 12])
def test_one_that_was_killed_is_incomplete_and_decides_nothing(
    bnbench_here, journal, made: int
) -> None:
    session(journal, "killed", CASES, process=killed(), made=made)
    ran = bnbench_here("compare")
    assert ran.returncode == 3
    assert "session killed: it was cut short" in ran.stdout
    assert f"session killed: {13 - made} of 13 planned records missing" in ran.stdout
    assert f"REMOVED {13 - made}" in ran.stdout


def test_a_record_cut_short_is_missing_and_not_borrowed_from_an_earlier_session(
    bnbench_here, journal
) -> None:
    session(journal, "second", CASES, process=killed())
    journal.path.write_bytes(journal.path.read_bytes()[:-20])
    ran = bnbench_here("compare")
    assert (ran.returncode, "UNCHANGED 12" in ran.stdout) == (3, True)
    assert "1 of 13 planned records missing" in ran.stdout
    assert "1 line of the journal torn by a kill or a full disk" in ran.stdout


def test_a_renamed_implementation_is_suggested(bnbench_here, journal) -> None:
    for name, arm in (("before", "mine.OldNorm"), ("after", "mine.NewNorm")):
        session(journal, name, [case(arm, "data/0"), *CASES])
    ran = bnbench_here("compare")
    assert "mine.OldNorm is only in the session before, mine.NewNorm only in the one" in ran.stdout


def test_an_arm_that_a_resumed_session_added_is_compared_beside_its_own_baseline(
    journal: Journal,
) -> None:
    baseline, *_, numpy = throughput(cell(), SPEEDS)
    assert baseline.implementation == BASELINE
    whole: list[AnyRecord] = [baseline, numpy]
    session(journal, "whole", whole)
    session(journal, "baseline", [baseline])
    added = with_figures(numpy, baseline_samples=baseline.samples)
    journal.begin(SessionStart("resumed"))
    keys = (baseline.key, numpy.key)
    journal.plan(Plan("resumed", "0", "throughput", {"resume": True}, keys))
    journal.append(replace(added, session="resumed"))
    contents = journal.read()
    found = compare(contents, "whole", contents, "resumed", margin=0.03, alpha=0.05)
    assert changes(found) == {"numpy": Change.SAME}


def changes(comparisons: list[Comparison]) -> dict[str, Change]:
    return {found.implementation: found.change for found in comparisons}
