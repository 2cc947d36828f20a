"""What a gate asks of git: which trees two revisions are, what the working tree is at this moment,
and worktrees of both.

The user's own index, branches and objects stay as they are: the working tree is hashed with a copy
of the index, and its new objects go to a folder of the gate's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.analysis.gate_facts import GateTree
from harness.config import UsageError, suggestion
from harness.config.disk_errors import disk_trouble
from harness.config.usage import shortened
from implementations.published_text import visible

WORKING_TREE = "the working tree"
# Variables of a hook, say, that would lead git to another repository; by `rev-parse
# --local-env-vars`, without those that configure it.
LEADING_ELSEWHERE = frozenset(
    f"GIT_{name}"
    for name in (
        "ALTERNATE_OBJECT_DIRECTORIES",
        "COMMON_DIR",
        "DIR",
        "GRAFT_FILE",
        "INDEX_FILE",
        "NO_REPLACE_OBJECTS",
        "OBJECT_DIRECTORY",
        "PREFIX",
        "REPLACE_REF_BASE",
        "SHALLOW_FILE",
        "WORK_TREE",
    )
)
FETCH_ALL = (
    "fetch all of the history: `fetch-depth: 0` of actions/checkout, or `git fetch --unshallow`"
)


@dataclass(frozen=True)
class Repository:
    """``root`` is the top of the working tree, ``prefix`` the folder in it that a gate began in, in
    which trees are built too. ``objects``, where there is one, takes what git writes.
    """

    root: Path
    prefix: str
    objects: Path | None = None

    def writing_to(self, objects: Path) -> Repository:
        """The same with a folder, made here, for what git has to write."""
        own = self._run("rev-parse", "--path-format=absolute", "--git-path", "objects")
        (objects / "info").mkdir(parents=True)
        (objects / "info" / "alternates").write_bytes(os.fsencode(f"{own}\n"))
        return replace(self, objects=objects)

    def revision(self, given: str) -> GateTree:
        """The tree of a revision. Raises ``UsageError``, as all here do."""
        commit = self._run("rev-parse", "--verify", "--quiet", f"{given}^{{commit}}", check=False)
        if not commit:
            raise UsageError(self._unknown(given))
        return GateTree(given, commit, self._run("rev-parse", f"{commit}^{{tree}}"))

    def working_tree(self, without: Sequence[Path]) -> GateTree:
        """The working tree as it is, untracked files in it, ignored ones not. ``without`` are the
        folders that bnbench writes to.
        """
        head = self.revision("HEAD")
        if self.objects is None:
            raise TypeError("the working tree's files need a folder for their objects")
        index = self.objects / "index"
        own = Path(self._run("rev-parse", "--path-format=absolute", "--git-path", "index"))
        if own.exists():  # so that files whose times have not changed need not be read
            shutil.copyfile(own, index)
        paths = [":/", *self._left_out(without)]
        self._run("add", "--all", "--", *paths, GIT_INDEX_FILE=str(index))
        tree = self._run("write-tree", GIT_INDEX_FILE=str(index))
        changed = self._run("diff-tree", "-r", "-z", "--name-only", head.tree, tree)
        changes = tuple(visible(name) for name in changed.split("\0") if name)
        return GateTree(WORKING_TREE, head.commit, tree, changes)

    @contextmanager
    def worktree(self, tree: GateTree, folder: Path) -> Generator[Path]:
        """A worktree for the block, with a ``.git`` that a build may ask for its version; the
        folder in it that the gate began in. No hook is run.
        """
        try:
            self._run(
                "worktree", "add", "--quiet", "--detach", "--no-checkout", str(folder), tree.commit
            )
            self._run("read-tree", "--reset", "-u", tree.tree, folder=folder)
            yield folder / self.prefix
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            prune_worktrees(self.root)

    def _left_out(self, folders: Sequence[Path]) -> list[str]:
        inside = [path.resolve() for path in folders if path.resolve().is_relative_to(self.root)]
        names = [str(path.relative_to(self.root)) for path in inside if path != self.root]
        return [f":(exclude,top,literal){name}" for name in names]

    def _unknown(self, given: str) -> str:
        if self._run("rev-parse", "--is-shallow-repository") == "true":
            return f"there is no revision {given!r} in this shallow clone; {FETCH_ALL}"
        names = self._run("for-each-ref", "--format=%(refname:short)").split("\n")
        near = suggestion(given, [*filter(None, names)])
        return (
            f"there is no revision {given!r} here{near}; give a branch, a tag or a commit of "
            f"{self.root}, and fetch it first if it is elsewhere"
        )

    def _run(
        self, *arguments: str, folder: Path | None = None, check: bool = True, **ours: str
    ) -> str:
        if self.objects is not None:
            ours["GIT_OBJECT_DIRECTORY"] = str(self.objects)
        return _git(folder or self.root, arguments, ours, check=check)


def open_repository(folder: Path) -> Repository:
    """The repository that a folder is of. Raises ``UsageError`` where it is of none, and where
    there is no git.
    """
    if shutil.which("git") is None:
        raise UsageError("there is no git on PATH, and a gate asks it for two trees; install git")
    try:
        found = _git(folder, ["rev-parse", "--show-toplevel", "--show-prefix"], {}).split("\n")
    except UsageError as error:
        raise UsageError(
            f"{folder} is in no working tree of git that can be used; run bnbench gate in one "
            f"({error})"
        ) from error
    return Repository(Path(found[0]), found[1] if len(found) > 1 else "")


def prune_worktrees(repository: Path) -> None:
    """Have a repository, given by its .git folder, forget the worktrees that are gone."""
    _git(repository, ["worktree", "prune"], {}, check=False)


def own_variables() -> dict[str, str]:
    """The environment without what leads git to another repository."""
    return {name: text for name, text in os.environ.items() if name not in LEADING_ELSEWHERE}


def _git(
    folder: Path, arguments: Sequence[str], variables: Mapping[str, str], *, check: bool = True
) -> str:
    """What git writes; nothing where it fails and that is no error. Raises ``UsageError``."""
    ours = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **variables}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        ran = subprocess.run(
            command,
            env={**own_variables(), **ours},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise UsageError(disk_trouble(error, "git")) from error
    text = os.fsdecode(ran.stdout).rstrip("\n")
    if ran.returncode == 0:
        return text
    if not check:
        return ""
    lines = os.fsdecode(ran.stderr).strip().splitlines() or [f"status {ran.returncode}"]
    reason = shortened(visible(" ".join(lines[-3:])), 600)
    raise UsageError(f"git {arguments[0]} {arguments[1]}: {reason}")
