"""A disk that fills, or cannot be written, while jobs run: what was measured is told, and nothing
is lost. The workers' part is made up.
"""

from __future__ import annotations

import errno
import os
import signal
import sys

import pytest

from harness import report
from harness.cli import main
from harness.records import Status, ThroughputRecord
from harness.store import Journal
from harness.tasks import throughput

WORDS = [
    "run",
    "problem.shapes=[[4,3,5]]",
    "implementations=[torch_native,numpy]",
    "tracking=none",
    "results=r",
    "-m",
    "seed=1,2",
]
FULL = os.strerror(errno.ENOSPC)


def refused(config, todo, session, announce):
    """A record of each, as if no arm supported the problem."""
    for identity in todo:
        yield ThroughputRecord(identity, session, "now", Status.UNSUPPORTED, "it is made up")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["bnbench"])
    monkeypatch.setattr(throughput, "measure", refused)
    handler = signal.getsignal(signal.SIGTERM)
    for name in ("BNBENCH_SESSION", "BNBENCH_PARENT_RUN"):
        monkeypatch.setenv(name, "")  # which the command sets, so that this takes it back
    yield tmp_path
    signal.signal(signal.SIGTERM, handler)


def full_disk(*_):
    raise OSError(errno.ENOSPC, FULL)


def test_a_journal_that_cannot_be_written_ends_the_sweep_with_what_it_has(
    folder, monkeypatch, capsys
):
    appended = Journal.append
    written = []

    def append(journal, record):
        written.append(record)
        if len(written) > 2:
            full_disk()
        appended(journal, record)

    monkeypatch.setattr(Journal, "append", append)
    monkeypatch.setattr(Journal, "fail", full_disk)
    assert main(WORDS) == 1
    said = capsys.readouterr()
    assert f"{FULL}; free some space" in said.err
    assert "resume=true goes on from here" in said.err
    assert "it is made up" in said.out
    assert len(Journal("r/journal").read().records) == 2
    assert len(written) == 3  # no other job was begun


def test_hydras_own_files_that_cannot_be_written_end_it_in_a_sentence(folder, capsys):
    (folder / "r").mkdir()
    (folder / "r/hydra").write_text("in the way")
    assert main(WORDS) == 1
    said = capsys.readouterr()
    assert "r/hydra" in said.err
    assert "a folder is wanted there" in said.err
    assert "Traceback" not in said.err


def test_a_report_that_cannot_be_written_costs_no_table(folder, monkeypatch, capsys):
    monkeypatch.setattr(report, "write", full_disk)
    assert main(WORDS) == 1
    said = capsys.readouterr()
    assert "the report is not written: r/reports/" in said.err
    assert FULL in said.err
    assert "it is made up" in said.out
    assert len(Journal("r/journal").read().records) == 6


def test_a_folder_in_the_language_of_markup_is_shown_as_it_is(folder, capsys):
    assert main([word.replace("results=r", "results='a[/]b'") for word in WORDS]) == 3
    assert "report   a[/]b/reports/" in capsys.readouterr().out
