"""Base and head are built, or found built; what keeps them from it is told, and leaves nothing."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import Config, GateConfig, UsageError
from harness.gate import sides
from harness.gate.sides import built_sides
from harness.gate.undecided import UndecidedError

COPY = GateConfig(build="cp *.py {folder}")
CONFIG = Config(gate=COPY, results="results", journal="results/journal", report="results/reports")


def silent(_: str) -> None:
    """Nobody is told."""


def texts(base: str, head: str | None, told: list[str] | None = None) -> tuple[str, str]:
    """What is imported as my_bn on either side."""
    announce = silent if told is None else told.append
    with built_sides(base, head, CONFIG, announce) as (one, other):
        return (one.path / "my_bn.py").read_text(), (other.path / "my_bn.py").read_text()


def test_two_revisions_and_the_working_tree_are_each_built_as_they_are(repository):
    repository.commit(my_bn="second")
    assert texts("HEAD~1", "HEAD") == ("first", "second")
    repository.write(my_bn="third")
    assert texts("main", None) == ("second", "third")
    assert len(repository.worktrees) == 1


def test_a_tree_is_built_once_whatever_it_is_called(repository):
    told = list[str]()
    texts("main", None, told)
    assert sum("is being built" in text for text in told) == 1
    texts("HEAD", "main", told)
    assert sum("is being built" in text for text in told) == 1
    texts("HEAD", "main", told)


def test_another_command_or_compiler_is_another_build(repository, monkeypatch):
    told = list[str]()
    texts("main", "main", told)
    monkeypatch.setenv("CXXFLAGS", "-O0")
    texts("main", "main", told)
    other = replace(CONFIG, gate=GateConfig(build="cp my_bn.py {folder}"))
    with built_sides("main", "main", other, told.append):
        pass
    assert sum("is being built" in text for text in told) == 3


def test_the_same_tree_twice_has_two_folders_so_that_each_arm_has_its_process(repository):
    with built_sides("main", None, CONFIG, silent) as (base, head):
        assert base.tree.tree == head.tree.tree
        assert base.path != head.path
        assert base.path.resolve() == head.path.resolve()


def test_a_base_that_does_not_build_leaves_the_gate_undecided_and_a_head_is_its_authors_fault(
    repository,
):
    repository.git("rm", "--quiet", "my_bn.py")
    repository.commit()
    with pytest.raises(UndecidedError, match="nothing to compare with, since base is main"):
        texts("main", "main~1")
    with pytest.raises(UsageError, match=r"head is main .*does not build it: .*last lines:"):
        texts("main~1", "main")
    assert len(repository.worktrees) == 1


def test_a_full_disk_is_told_with_the_key_that_chooses_another(repository, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/my_bn.py")

    monkeypatch.setattr(sides, "build", full)
    with pytest.raises(UsageError, match=r"choose another folder with gate.cache=FOLDER"):
        texts("main", None)
    assert len(repository.worktrees) == 1


KILLED = """
import sys
from dataclasses import replace
from harness.config import Config, GateConfig
from harness.gate.sides import built_sides

config = replace(Config(gate=GateConfig(build=sys.argv[1])), results="results")
with built_sides("main", None, replace(config, journal="j", report="r"), print):
    pass
"""


def test_a_gate_that_is_killed_while_it_builds_leaves_nothing_that_the_next_trips_over(
    repository, tmp_path
):
    os.mkfifo(tmp_path / "begun")
    build = f"echo $$ > '{tmp_path}/begun'; cp *.py {{folder}}; tail -f /dev/null"
    gate = subprocess.Popen([sys.executable, "-c", KILLED, build], stdout=subprocess.DEVNULL)
    building = os.pidfd_open(int((tmp_path / "begun").read_text()))
    assert len(repository.worktrees) == 2
    gate.kill()
    gate.wait()
    assert select.select([building], [], [], 30)[0], "the build goes on without its gate"
    told = list[str]()
    assert texts("main", None, told) == ("first", "first")
    assert sum("is being built" in text for text in told) == 1
    assert len(repository.worktrees) == 1
    assert list((tmp_path / "cache/bnbench/gate/work").iterdir()) == []


def test_an_error_while_measuring_is_not_taken_for_one_of_the_cache(repository):
    def measure() -> None:
        with built_sides("main", None, CONFIG, silent):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        measure()


def test_what_bnbench_wrote_in_the_repository_changes_no_tree(repository):
    told = list[str]()
    texts("main", None, told)
    Path("results").mkdir()
    Path("results/record").write_text("x")
    texts("main", None, told)
    assert sum("is being built" in text for text in told) == 1
