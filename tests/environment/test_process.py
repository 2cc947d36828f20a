"""A process is known again by its name, and by nothing else."""

from __future__ import annotations

import subprocess
import sys

from harness.environment import is_running, this_process


def test_this_process_runs_and_one_that_ended_does_not() -> None:
    assert is_running(this_process()) is True
    program = "from harness.environment import this_process; print(this_process())"
    ended = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert is_running(ended.strip()) is False


def test_an_id_that_another_process_has_by_now_is_not_the_one_that_began() -> None:
    boot, namespace, pid, start = this_process().split()
    assert is_running(f"{boot} {namespace} {pid} {int(start) + 1}") is False


def test_of_another_boot_or_namespace_nothing_is_known() -> None:
    boot, namespace, pid, start = this_process().split()
    assert is_running(f"other {namespace} {pid} {start}") is None
    assert is_running(f"{boot} other {pid} {start}") is None
    assert is_running("") is None
