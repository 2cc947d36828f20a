"""A job in a process of its own ends with its command, however that ends. This process plays the
command.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.session import command_life
from harness.store import running
from harness.store.running import RunningFile

JOB = """
import sys
from harness.isolation import interruption
from harness.session.command_life import end_with_command
print(end_with_command(), flush=True)
try:
    interruption.wait(600)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunningFile:
    own = RunningFile(tmp_path, "s1")
    monkeypatch.setenv(running.RUNNING, str(own.path))
    return own


def job() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", JOB], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("end", "status"),
    [(RunningFile.release, -signal.SIGKILL), (RunningFile.interrupt, 130)],
    ids=["ended", "interrupted"],
)
def test_a_job_ends_with_its_command_and_in_good_order_where_that_is_interrupted(
    command: RunningFile, end, status: int
) -> None:
    with job() as process:
        assert process.stdout.readline() == "True\n"
        end(command)
        assert process.wait(60) == status


def test_no_job_begins_whose_command_has_ended(command: RunningFile) -> None:
    command.release()
    with job() as process:
        assert process.wait(60) == -signal.SIGKILL


def test_a_job_in_the_commands_own_process_needs_nothing(command: RunningFile) -> None:
    assert command_life.end_with_command() is False
    assert running._watch.watched == set()
    command.release()


def test_a_command_on_another_machine_is_not_judged(command: RunningFile) -> None:
    command.path.write_text("another-boot pid:[1] 1 2\nanother-host\n")
    assert command_life.end_with_command() is True
    assert running._watch.watched == set()
    command.release()
