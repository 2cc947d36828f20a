"""What is in the journal is never lost and never measured twice."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace

import pytest

from harness.records import Status, record_to_plain
from harness.store import Journal, Plan, SessionEnd, SessionStart
from tests.helpers.records import throughput_record


def record(name="numpy", status=Status.OK, session="s", n=0):
    """One of many records that differ in ``n``, which stands in the cell as its seed."""
    return throughput_record(name, status, session, seed=n)


def append_many(folder, worker):
    for number in range(50):
        Journal(folder).append(record(f"arm{worker}", n=number))


def test_a_record_comes_back_as_it_went(tmp_path):
    Journal(tmp_path).append(record(n=1))
    assert list(Journal(tmp_path).read().records.values()) == [record(n=1)]


def test_an_absent_journal_is_an_empty_one(tmp_path):
    contents = Journal(tmp_path / "none").read()
    assert not contents.records
    assert contents.latest_session() is None


def test_of_two_records_with_one_key_the_newest_counts_and_the_older_is_kept(tmp_path):
    journal = Journal(tmp_path)
    journal.append(record(status=Status.CRASHED))
    journal.append(record())
    contents = journal.read()
    assert [entry.status for entry in contents.records.values()] == [Status.OK]
    assert [entry.status for entry in contents.history] == [Status.CRASHED, Status.OK]


@pytest.mark.parametrize(
    ("status", "settled"),
    [
        (Status.OK, True),
        (Status.UNSUPPORTED, True),
        (Status.WRONG, False),
        (Status.CRASHED, False),
        (Status.TIMEOUT, False),
        (Status.UNAVAILABLE, False),
    ],
)
def test_a_resumed_run_repeats_failures_and_what_the_machine_lacked(tmp_path, status, settled):
    journal = Journal(tmp_path)
    journal.append(record(status=status))
    assert (journal.read().settled(record().key) is not None) == settled


def test_a_line_torn_by_a_kill_is_counted_and_does_not_eat_the_next_one(tmp_path):
    journal = Journal(tmp_path)
    journal.append(record(n=1))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + whole[: len(whole) // 2])
    journal.append(record(n=2))
    contents = journal.read()
    assert contents.torn == 1
    assert set(contents.records) == {record(n=1).key, record(n=2).key}


@pytest.mark.parametrize(
    "line", [b"[]", b"7", b'{"a": 1}', b'{"kind": "hat"}', b'{"kind": "record"}', b"\xff\x00", b"{"]
)
def test_a_line_that_no_journal_writes_is_counted_and_passed_over(tmp_path, line):
    journal = Journal(tmp_path)
    journal.append(record(n=1))
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    journal.append(record(n=2))
    contents = journal.read()
    assert contents.torn == 1
    assert len(contents.records) == 2


def test_eight_processes_append_at_once_and_no_line_is_lost(tmp_path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_many, args=(tmp_path, worker)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    contents = Journal(tmp_path).read()
    assert contents.torn == 0
    assert len(contents.records) == 8 * 50


def test_a_session_knows_what_it_planned_and_nobody_measured(tmp_path):
    journal = Journal(tmp_path)
    planned = [record(n=n) for n in range(3)]
    journal.begin(SessionStart("s", "t"))
    journal.plan(Plan("s", "0", "throughput", {}, tuple(entry.key for entry in planned)))
    journal.append(planned[1])
    contents = journal.read()
    assert contents.of_session("s") == [planned[1]]
    assert contents.missing("s") == [planned[0].key, planned[2].key]


def test_a_resumed_session_finds_the_records_of_the_one_before(tmp_path):
    journal = Journal(tmp_path)
    journal.append(record(session="first"))
    journal.plan(Plan("second", "0", "throughput", {"resume": True}, (record().key,)))
    assert [entry.session for entry in journal.read().of_session("second")] == ["first"]


def test_a_later_session_does_not_change_what_an_earlier_one_found(tmp_path):
    journal = Journal(tmp_path)
    for session in ("first", "second"):
        journal.plan(Plan(session, "0", "throughput", {}, (record().key,)))
        journal.append(record(session=session))
    contents = journal.read()
    assert [contents.of_session(session)[0].session for session in ("first", "second")] == [
        "first",
        "second",
    ]


def test_a_journal_of_a_newer_program_is_refused_rather_than_misread(tmp_path):
    data = record_to_plain(record())
    (tmp_path / "journal.jsonl").write_text(
        json.dumps({"kind": "record", **data, "schema": 99}) + "\n"
    )
    with pytest.raises(ValueError, match="newer than"):
        Journal(tmp_path).read()


def test_a_session_that_was_not_resumed_borrows_nothing(tmp_path):
    journal = Journal(tmp_path)
    journal.append(record(session="first"))
    journal.plan(Plan("second", "0", "throughput", {"resume": False}, (record().key,)))
    contents = journal.read()
    assert contents.of_session("second") == []
    assert contents.missing("second") == [record().key]


def test_a_resumed_session_borrows_what_was_settled_when_it_planned_and_nothing_later(tmp_path):
    journal = Journal(tmp_path)
    crashed, later = record(n=1, status=Status.CRASHED, session="first"), record(n=2)
    journal.append(crashed)
    journal.plan(Plan("second", "0", "throughput", {"resume": True}, (crashed.key, later.key)))
    journal.append(replace(later, session="third"))
    contents = journal.read()
    assert contents.of_session("second") == []
    assert contents.missing("second") == [crashed.key, later.key]


def test_a_torn_line_is_of_the_sessions_that_may_have_written_it(tmp_path):
    journal = Journal(tmp_path)
    for name, process in (("early", ""), ("ended", "a"), ("killed", "b"), ("last", "c")):
        journal.begin(SessionStart(name, process=process))
    journal.end(SessionEnd("ended", "FINISHED"))
    with journal.path.open("ab") as file:
        file.write(b'{"kind": "record", "ident')
    contents = journal.read()
    assert contents.torn == 1
    assert contents.torn_during == {"killed": 1, "last": 1}
