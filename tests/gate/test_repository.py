"""What a gate takes for base and head is what git has, and what the working tree holds; nothing of
the user's is changed.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.config import UsageError
from harness.gate.repository import WORKING_TREE, Repository, open_repository


@pytest.fixture
def opened(repository: Any, tmp_path: Path) -> Repository:
    return open_repository(repository.folder).writing_to(tmp_path / "objects")


def laid_out(opened: Repository, tree: Any, folder: Path) -> dict[str, str]:
    with opened.worktree(tree, folder) as source:
        return {path.name: path.read_text() for path in source.glob("*.py")}


def test_a_revision_is_laid_out_as_it_was_committed(repository, opened, tmp_path):
    repository.commit(my_bn="second", other="new")
    assert laid_out(opened, opened.revision("HEAD~1"), tmp_path / "tree") == {"my_bn.py": "first"}


def test_the_working_tree_is_laid_out_as_it_is_with_untracked_files_and_without_ignored_ones(
    repository, opened, tmp_path
):
    repository.write(my_bn="changed", untracked="new", ignored="no")
    (repository.folder / ".gitignore").write_text("ignored.py\n")
    before = repository.state
    tree = opened.working_tree([])
    assert laid_out(opened, tree, tmp_path / "tree") == {
        "my_bn.py": "changed",
        "untracked.py": "new",
    }
    assert tree.name == WORKING_TREE
    assert set(tree.changes) == {"my_bn.py", "untracked.py", ".gitignore"}
    assert "with changes in .gitignore, my_bn.py, untracked.py" in tree.described
    assert repository.state == before


def test_a_deleted_file_is_a_change(repository, opened, tmp_path):
    (repository.folder / "my_bn.py").unlink()
    tree = opened.working_tree([])
    assert tree.changes == ("my_bn.py",)
    assert laid_out(opened, tree, tmp_path / "tree") == {}


def test_a_clean_working_tree_is_its_commits_tree(repository, opened):
    assert opened.working_tree([]).tree == opened.revision("main").tree


def test_what_bnbench_writes_is_no_part_of_the_working_tree(repository, opened):
    (repository.folder / "results").mkdir()
    (repository.folder / "results" / "journal.jsonl").write_text("{}")
    assert opened.working_tree([Path("results")]).changes == ()
    assert opened.working_tree([]).changes == ("results/journal.jsonl",)


def test_a_worktree_has_a_git_and_leaves_nothing_even_where_its_build_raises(
    repository, opened, tmp_path
):
    def fail() -> None:
        with opened.worktree(opened.revision("main"), tmp_path / "tree") as source:
            assert (source / ".git").is_file()
            assert len(repository.worktrees) == 2
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert len(repository.worktrees) == 1
    assert not (tmp_path / "tree").exists()


def test_hooks_of_the_repository_are_not_run(repository, opened, tmp_path):
    hook = repository.folder / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    laid_out(opened, opened.revision("main"), tmp_path / "tree")
    assert not (tmp_path / "ran").exists()


def test_a_gate_in_a_subfolder_builds_there(repository, tmp_path):
    folder = repository.folder / "package"
    folder.mkdir()
    (folder / "inner.py").write_text("inner")
    repository.commit()
    opened = open_repository(folder)
    assert laid_out(opened, opened.revision("main"), tmp_path / "tree") == {"inner.py": "inner"}


def test_an_unknown_revision_is_told_with_one_that_is_like_it(opened):
    with pytest.raises(UsageError, match=r"no revision 'mian' here; did you mean 'main'\?"):
        opened.revision("mian")


def test_a_shallow_clone_is_told_to_fetch_all_of_the_history(repository, tmp_path):
    first = repository.git("rev-parse", "HEAD")
    repository.commit(my_bn="second")
    source, clone = f"file://{repository.folder}", tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", source, str(clone)], check=True)
    opened = open_repository(clone)
    with pytest.raises(UsageError, match=r"in this shallow clone; .*`fetch-depth: 0`"):
        opened.revision(first)


def test_a_folder_of_no_repository_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is in no working tree of git that can be used"):
        open_repository(tmp_path)


def test_a_repository_without_a_commit_has_no_working_tree_to_gate(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "empty")], check=True)
    opened = open_repository(tmp_path / "empty")
    with pytest.raises(UsageError, match="there is no revision 'HEAD'"):
        opened.writing_to(tmp_path / "objects").working_tree([])


def test_without_git_the_message_says_to_install_it(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UsageError, match=r"no git on PATH, .*; install git"):
        open_repository(repository.folder)


def test_a_variable_of_a_hook_does_not_lead_to_another_repository(
    repository, opened, tmp_path, monkeypatch
):
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert opened.revision("main").commit == opened.revision("HEAD").commit
