"""The two trees of a gate, each built, or found built, under the hash of what it is built from."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.analysis.gate_facts import GateTree
from harness.config import Config, UsageError
from harness.config.disk_errors import disk_trouble
from harness.environment import capture
from harness.gate.building import BuildFailedError, build
from harness.gate.builds import kept_build, remove_old
from harness.gate.repository import Repository, open_repository
from harness.gate.undecided import UndecidedError
from harness.gate.work_folder import work_folder
from harness.records import digest

BASE, HEAD = "base", "head"
# What changes a build and is not in the environment's fingerprint.
COMPILING = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "CMAKE_ARGS", "CPATH")


@dataclass(frozen=True)
class Side:
    """``label`` is base or head, ``path`` the folder with the built package. ``source`` is the
    tree itself, where it was asked for.
    """

    label: str
    tree: GateTree
    path: Path
    source: Path | None = None


def cache_folder(config: Config) -> Path:
    if config.gate.cache is not None:
        return Path(config.gate.cache).expanduser().absolute()
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache") / "bnbench" / "gate"


@contextmanager
def built_sides(
    base: str,
    head: str | None,
    config: Config,
    announce: Callable[[str], None],
    *,
    sources: bool = False,
) -> Generator[tuple[Side, Side]]:
    """Base and head, which stay built for the length of the block, and laid out where their
    ``sources`` are asked for; no worktree is left.

    Without ``head`` it is the working tree. Raises ``UsageError`` for what is no tree or a head
    that does not build, and ``UndecidedError`` for a base that does not.
    """
    cache, repository = cache_folder(config), open_repository(Path.cwd())
    trees = {BASE: repository.revision(base)}
    if head is not None:
        trees[HEAD] = repository.revision(head)
    with ExitStack() as stack:
        try:
            work = stack.enter_context(work_folder(cache))
            repository = repository.writing_to(work / "objects")
            if head is None:
                written = (config.results, config.journal, config.report)
                trees[HEAD] = repository.working_tree([*map(Path, written), cache])
            environment = capture().fingerprint
            builder = _Builder(repository, cache, work, config.gate.build, environment, announce)
            sides = [
                Side(label, tree, stack.enter_context(builder.built(label, tree)) / label)
                for label, tree in trees.items()
            ]
            if sources:
                sides = [stack.enter_context(_laid_out(side, repository, work)) for side in sides]
            remove_old(cache, work)
        except OSError as error:
            raise UsageError(disk_trouble(error, cache, "gate.cache")) from error
        yield sides[0], sides[1]


@contextmanager
def _laid_out(side: Side, repository: Repository, work: Path) -> Generator[Side]:
    with repository.worktree(side.tree, work / f"{side.label}-source") as source:
        yield replace(side, source=source)


@dataclass(frozen=True)
class _Builder:
    repository: Repository
    cache: Path
    work: Path
    command: str
    environment: str
    announce: Callable[[str], None]

    def built(self, label: str, tree: GateTree) -> AbstractContextManager[Path]:
        """The folder of the tree's build. ``label`` says which of the two it is in messages."""
        named = f"{label} is {tree.described}"
        self.announce(named)

        def make(folder: Path) -> None:
            self.announce(f"{label} is being built: {self.command}")
            with self.repository.worktree(tree, self.work / f"{label}-tree") as source:
                try:
                    build(self.command, source, folder, self.work / f"{label}.log")
                except BuildFailedError as error:
                    raise _not_built(label, named, error) from error

        return kept_build(self.cache, self._key(tree), self.work, make, self.announce)

    def _key(self, tree: GateTree) -> str:
        return digest(
            {
                "tree": tree.tree,
                "prefix": self.repository.prefix,
                "build": self.command,
                "environment": self.environment,
                "machine": platform.machine(),
                "variables": {name: os.environ.get(name) for name in COMPILING},
            }
        )


def _not_built(label: str, named: str, error: BuildFailedError) -> Exception:
    """A head that does not build is its author's to mend, and a base that does not is not."""
    message = f"{named}, and gate.build does not build it: {error}"
    if label == BASE:
        return UndecidedError(f"there is nothing to compare with, since {message}")
    return UsageError(message)
