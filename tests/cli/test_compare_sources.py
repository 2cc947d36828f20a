"""What `compare` compares: sessions of a journal, wherever that is, or folders of reports."""

from __future__ import annotations

import shutil

import pytest

from harness.cli.compare import main
from harness.config import UsageError
from harness.store.export import export
from tests.helpers import synthetic
from tests.helpers.synthetic_throughput import SPEEDS, cell, throughput


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A results folder with two sessions, their reports, and a journal of the second one alone."""
    monkeypatch.chdir(tmp_path)
    for session in ("s1", "s2"):
        records = throughput(cell(), SPEEDS, session=session)
        contents = synthetic.journal(tmp_path / "ci/journal", records, session=session)
        export(
            records,
            tmp_path / "ci/reports" / session,
            config="",
            environment=contents.sessions[session].environment,
            jobs=contents.plans_of(session),
        )
    synthetic.journal(tmp_path / "other", records, session="s2")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["results=ci"],
        ["s1", "s2", "results=ci"],
        ["journal=ci/journal"],
        ["--journal", "ci/journal"],
        ["s1", "s2", "--journal", "ci/journal", "--journal-after", "other"],
        ["ci/reports/s1", "ci/reports/s2"],
        ["ci/reports/s1", "s2", "results=ci"],
        ["s1", "ci/reports/s2", "results=ci"],
    ],
    ids=" ".join,
)
def test_it_finds_both_sessions(folder, capsys, words):
    assert main(words) == 0
    table = capsys.readouterr().out
    assert "SAME 3" in table
    assert "REMOVED" not in table


def test_a_folder_that_lacks_a_file_or_holds_another_one_is_told(folder):
    damaged = shutil.copytree("ci/reports/s1", "damaged")
    for content, message in ((b"\xff", "no text in UTF-8"), (b"{}", "not what a session wrote")):
        (folder / damaged / "records.jsonl").write_bytes(content)
        with pytest.raises(UsageError, match=message):
            main(["damaged", "ci/reports/s2"])
    (folder / damaged / "records.jsonl").unlink()
    with pytest.raises(UsageError, match=r"damaged has no records.jsonl"):
        main(["damaged", "ci/reports/s2"])
