"""One run that is given credentials wherever a URI can stand: no file, parameter, page or message
has them afterwards.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.store import Journal
from tests.helpers.commands import command

SECRET = "hunter2"
PLUGIN = '''
from troublesome_bn import Native


class Telling(Native):
    """It tells what it was given."""

    def __init__(self, uri):
        self.uri = uri

    def prepare(self, problem, phase, **keywords):
        raise ConnectionError(f"\\x1b[31m{self.uri} does not answer; " + 300_000 * "x")
'''


@dataclass(frozen=True)
class Ran:
    """What the command printed, and the folder that it worked in."""

    output: str
    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "r [a] ü"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A sweep of one job with MLflow's store named by a URI with a token, and a plug-in that fails
    and tells the address that it was given.
    """
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "telling_bn.py").write_text(PLUGIN)
    database = folder / "mlflow.db"
    words = [
        "task=conformance",
        "task.cases=data/mean_1e6",
        f"implementations=[numpy,{{_target_: telling_bn.Telling, uri: 'http://me:{SECRET}@h'}}]",
        f'tracking.uri="sqlite:///file:{database}?uri=true&token={SECRET}"',
        "results=r [a] ü",
        "-m",
        "device.threads=1",
    ]
    done = subprocess.run(
        command("run", *words),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": f"{os.environ['PYTHONPATH']}:{folder}"},
    )
    assert done.returncode == 1, done.stderr
    return Ran(done.stdout + done.stderr, folder)


def test_nothing_that_was_written_or_printed_has_it(ran: Ran) -> None:
    files = [path for path in ran.folder.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert names >= {
        "journal.jsonl",
        "multirun.yaml",
        "overrides.yaml",
        "jobs.jsonl",
        "config.yaml",
        "report.md",
        "run.json",
        "mlflow.db",
    }
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in ran.output
    assert "http://***@h does not answer" in ran.output


def test_the_store_was_reached_by_the_whole_uri(ran: Ran) -> None:
    database = next(ran.folder.glob("mlflow.db"))
    [count] = sqlite3.connect(database).execute("select count(*) from runs").fetchone()
    assert count == 1 + 2  # the session, and its two records


def test_a_reason_is_cut_where_it_is_shown_and_whole_in_the_journal(ran: Ran) -> None:
    failed = [
        record
        for record in Journal(ran.results / "journal").read().history
        if record.implementation.startswith("telling_bn")
    ]
    assert failed
    assert all(len(record.reason or "") > 300_000 for record in failed)
    assert len(ran.output) < 10_000
    [report] = ran.results.glob("reports/*/report.md")
    assert len(report.read_text(encoding="utf-8")) < 20_000


def test_no_control_character_reaches_terminal_or_report(ran: Ran) -> None:
    [report] = ran.results.glob("reports/*/report.md")
    for text in (ran.output, report.read_text(encoding="utf-8")):
        assert "\x1b" not in text
        assert "x1b[31mhttp://" in text


def test_the_advice_can_be_given_to_a_shell_as_it_is(ran: Ran) -> None:
    assert "bnbench ui 'results=\"r [a] ü\"', and then" in ran.output
    assert f"report   {Path('r [a] ü') / 'reports'}" in ran.output


def test_replay_and_ui_print_no_credentials(
    ran: Ran, bnbench_here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ran.folder)
    session = Journal(ran.results / "journal").read().latest_session()
    replayed = bnbench_here("replay", session, "results=r [a] ü", "tracking=none")
    assert (replayed.returncode, SECRET in replayed.stderr) == (2, False)
    assert "telling_bn.Telling" in replayed.stderr
    for command_line in (
        ["replay", "nothing", f'tracking.uri="http://me:{SECRET}@127.0.0.1:9"'],
        ["run", f'tracking.uir="http://me:{SECRET}@127.0.0.1:9"'],
        ["run", "--cfg", "job", f'tracking.uri="http://me:{SECRET}@127.0.0.1:9"'],
    ):
        printed = bnbench_here(*command_line)
        assert SECRET not in printed.stdout + printed.stderr
