"""Every way in which a command can end is one sentence and a status."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from harness.cli import dispatch, error_messages
from harness.cli.parsers import PARSERS
from harness.config.disk_errors import CutShortError
from harness.tracking import TrackingError

DISK = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "results/x")
OUTPUT = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
WAYS = [
    (TrackingError("MLflow at ftp://x could not"), 2, "bnbench list: MLflow at ftp://x could not"),
    (DISK, 2, "bnbench list: results/x: No space left on device; free some space, or"),
    (OUTPUT, 1, "bnbench list: standard output: No space left on device"),
    (CutShortError("the disk is full"), 1, "bnbench list: the disk is full"),
    (MemoryError(), 1, "not enough memory"),
    (KeyError("worst"), 1, "KeyError: 'worst' (test_error_messages.py, line "),
    (RecursionError("too deep"), 1, "this is a fault of bnbench"),
    (KeyboardInterrupt(), 130, "interrupted; the same command"),
]


@pytest.mark.parametrize(("error", "status", "message"), WAYS, ids=lambda value: repr(value)[:30])
def test_whatever_a_command_raises_is_a_sentence(monkeypatch, capsys, error, status, message):
    def failing(_):
        raise error

    monkeypatch.setattr(dispatch, "_command", lambda _: failing)
    assert dispatch.main(["list"]) == status
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_the_trace_of_a_fault_is_shown_where_it_is_asked_for(monkeypatch, capsys):
    monkeypatch.setenv(error_messages.TRACEBACK, "1")
    error_messages.message_of(KeyError("worst"))
    assert "KeyError: 'worst'" in capsys.readouterr().err


def test_each_command_has_a_screen_of_its_own_with_all_its_options(capsys):
    for command, parser in PARSERS.items():
        assert dispatch.main([command, "--help"]) == 0
        screen = capsys.readouterr().out
        assert screen.startswith(f"usage: bnbench {command}")
        for action in parser()._actions:
            assert action.help
            assert all(option in screen for option in action.option_strings)
        assert max(map(len, screen.splitlines())) <= 100
        assert dispatch.main(["help", command]) == 0
        assert capsys.readouterr().out == screen


SHELL = {
    "a closed output": ("{} list >&-", 0, ""),
    "a closed output and closed errors": ("{} rnu >&- 2>&-", 2, ""),
    "a pipe that nobody reads": ("{} list --json | true; exit ${{PIPESTATUS[0]}}", 0, ""),
    "a full disk": ("{} list > /dev/full", 1, "standard output: No space left on device"),
}


@pytest.mark.parametrize(("line", "status", "said"), SHELL.values(), ids=SHELL)
def test_an_output_that_takes_nothing_costs_no_traceback(line, status, said):
    command = f"{sys.executable} -c 'from harness.cli import main; raise SystemExit(main())'"
    ran = subprocess.run(
        ["bash", "-c", line.format(command)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == status, ran.stderr
    assert said in ran.stderr
    assert ran.stderr.count("\n") == bool(said)
