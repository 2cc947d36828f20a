"""Whatever a command is given, it answers in a sentence, with a status from 0 to 3, and has written
nothing when it refuses.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from harness.cli import main, run
from harness.config import UsageError, composition, groups
from harness.replay import running
from tests.helpers.bad_inputs import COMMAND_LINES, REFUSED, lay_out

STATUSES = {0, 1, 2, 3, 130}
HANGS = 120  # seconds, after which an answer is not awaited any longer


class JobBeganError(BaseException):
    """What should have been refused was about to run."""


class NoAnswerError(BaseException):
    """A command hangs."""


@dataclass(frozen=True)
class Answer:
    status: int
    output: str
    errors: str


def stop(*_: object) -> None:
    raise JobBeganError


def hang(*_: object) -> None:
    raise NoAnswerError


def answer(arguments: list[str]) -> Answer:
    """What the command says, run in this process."""
    output, errors = io.StringIO(), io.StringIO()
    handler = signal.signal(signal.SIGALRM, hang)
    signal.alarm(HANGS)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = main(arguments)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    return Answer(status, output.getvalue(), errors.getvalue())


def files(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working directory with journals, reports and configurations that are none."""
    made = tmp_path_factory.mktemp("bad")
    lay_out(made)
    before, handler = Path.cwd(), signal.getsignal(signal.SIGTERM)
    os.chdir(made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_run_hydra", stop)
        patch.setattr(running, "jobs", stop)
        yield made
    os.chdir(before)
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_bad_input_is_refused_in_a_sentence_before_anything_is_written(
    folder, arguments, message
):
    before = files(folder)
    given = answer(arguments)
    assert given.status == 2, given
    assert given.errors.startswith(f"bnbench {arguments[0]}: ")
    assert message in given.errors
    assert len(given.errors) < 2500
    assert "Traceback" not in given.errors
    assert "fault of bnbench" not in given.errors
    assert files(folder) == before


@pytest.fixture
def accepting_nothing(folder, monkeypatch):
    """What would run is refused at the last moment, so that only refusals are seen."""

    def refuse(*_: object) -> None:
        raise UsageError("accepted")

    composer = groups.Composer
    kept = composer(composition.FOLDER, None)
    monkeypatch.setattr(
        composition, "Composer", lambda *given: kept if given[1] is None else composer(*given)
    )
    monkeypatch.setattr(run, "begin", refuse)
    monkeypatch.setattr("harness.cli.ui.serve", refuse)
    monkeypatch.setattr("harness.cli.data.show_datasets", refuse)
    monkeypatch.setattr("harness.cli.doctor.examine", refuse)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(arguments=COMMAND_LINES)
def test_no_command_line_ends_in_a_traceback_or_an_unknown_status(
    folder, accepting_nothing, arguments
):
    before = files(folder)
    seen = answer(arguments)
    assert seen.status in STATUSES
    assert (seen.errors != "") == (seen.status != 0)
    assert "Traceback" not in seen.errors
    assert "fault of bnbench" not in seen.errors, seen.errors
    assert files(folder) == before
