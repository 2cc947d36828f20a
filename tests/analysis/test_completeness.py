"""How much of a plan is there, and how much of that is in doubt."""

from __future__ import annotations

from pathlib import Path

from harness.analysis.completeness import completeness, flagged, own_settings
from harness.records import AnyRecord, Status
from harness.store import Failure
from tests.helpers import synthetic
from tests.helpers.synthetic import SPEEDS, case, cell, throughput


def test_each_doubt_is_counted(tmp_path: Path) -> None:
    records: list[AnyRecord] = [
        *throughput(cell(), SPEEDS, flagged=["numpy"], failed={"torch_compile": Status.WRONG}),
        case("numpy", "data/0", mistrusted=["output"]),
    ]
    contents = synthetic.journal(
        tmp_path, records, missing=["feedfacefeedface"], torn=True, failure="no such problem"
    )
    found = completeness(contents, "s1")
    assert (found.planned, found.missing, found.torn) == (7, 1, 1)
    assert (found.failed, found.flagged, found.earlier) == (1, 1, 0)
    assert found.failures == (Failure("s1", "1 device.threads=9", "no such problem"),)


def test_records_of_an_earlier_session_are_counted_as_such(tmp_path: Path) -> None:
    synthetic.journal(tmp_path, throughput(cell(), SPEEDS), session="s1")
    contents = synthetic.journal(tmp_path, throughput(cell(), SPEEDS), session="s2")
    assert completeness(contents, "s2").earlier == len(SPEEDS)


def test_a_mistrusted_case_is_not_flagged() -> None:
    assert flagged([case("numpy", "data/0", mistrusted=["output"])]) == []


def test_a_jobs_own_settings_are_those_in_which_it_differs_from_the_session(tmp_path: Path) -> None:
    contents = synthetic.journal(tmp_path, [case("numpy", "data/0")])
    assert own_settings(contents, contents.plans[0]) == {"task.name": "conformance"}
