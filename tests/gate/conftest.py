"""Repositories of git as a gate finds them, made of a few files in a temporary folder."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.report.gate_files import OUTPUT, SUMMARY


@dataclass(frozen=True)
class MadeRepository:
    folder: Path

    def git(self, *arguments: str) -> str:
        ran = subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=a@b", *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return ran.stdout.strip()

    def write(self, **texts: str) -> None:
        """Files of these names, with ``.py`` behind them."""
        for name, text in texts.items():
            (self.folder / f"{name}.py").write_text(text)

    def commit(self, **texts: str) -> str:
        self.write(**texts)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a change")
        return self.git("rev-parse", "HEAD")

    @property
    def worktrees(self) -> Sequence[str]:
        return self.git("worktree", "list", "--porcelain").split("\n\n")

    @property
    def state(self) -> tuple[str, str, list[str]]:
        """What a gate has no business to change: status, branches and objects."""
        objects = sorted(str(path) for path in (self.folder / ".git" / "objects").rglob("*"))
        return self.git("status", "--porcelain"), self.git("for-each-ref"), objects


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MadeRepository:
    """One with a commit, in which the test works."""
    folder = tmp_path / "repository"
    folder.mkdir()
    made = MadeRepository(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    made.commit(my_bn="first")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in (OUTPUT, SUMMARY):  # where these tests run on GitHub, the step is another's
        monkeypatch.delenv(variable, raising=False)
    return made
