"""Mutants as plain data: every change of one line that the operators of `changes` find, a draw of
them, and their use.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tests.experiments.mutation.changes import CHANGES, NEEDS_NONE
from tests.experiments.mutation.source import Source, lines_of, visited

# What computes, and what holds results against the oracle.
TARGETS = (
    "implementations/builtin/numpy_vectorized.py",
    "implementations/autograd_pair.py",
    "implementations/prepared.py",
    "harness/conformance/*.py",
    "harness/conformance/checks/*.py",
)


@dataclass(frozen=True, order=True)
class Mutant:
    """In ``line`` of ``file``, from ``column`` on, both from 1, ``after`` stands for ``before``:
    ``operator`` says of what kind that is.
    """

    file: str
    line: int
    column: int
    before: str
    after: str
    operator: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def files(root: Path, only: str = "*") -> list[str]:
    """The targets' names below ``root`` that match the glob ``only``; its ``*`` matches folders
    too.
    """
    names = {path.relative_to(root).as_posix() for target in TARGETS for path in root.glob(target)}
    return sorted(name for name in names if fnmatch(name, only))


def found(root: Path, only: str = "*") -> list[Mutant]:
    """Every mutant there is, in order."""
    return sorted(
        mutant
        for name in files(root, only)
        for mutant in mutants_of((root / name).read_text(encoding="utf-8"), name)
    )


def mutants_of(text: str, file: str) -> Iterator[Mutant]:
    """Every mutant of a file's text. A change that would touch two lines is none."""
    source = Source(text)
    for node, none_allowed in visited(source.tree):
        for name, change in CHANGES.items():
            for edit in change(node, source) if none_allowed or name not in NEEDS_NONE else ():
                before = source.text(edit.start, edit.end)
                if before and "\n" not in edit.after:
                    yield Mutant(file, edit.start[0], edit.start[1] + 1, before, edit.after, name)


def draw(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """``count`` of them, or all where there are fewer, each as likely as any other."""
    return random.Random(seed).sample(sorted(set(mutants)), min(count, len(set(mutants))))


def applied(mutant: Mutant, text: str) -> str:
    """The text with the mutant in it. Raises ``ValueError`` where the text is not what the mutant
    was found in.
    """
    lines = lines_of(text)
    line, start = lines[mutant.line - 1], mutant.column - 1
    end = start + len(mutant.before)
    if line[start:end] != mutant.before:
        raise ValueError(
            f"{mutant} has {line[start:end]!r}, not {mutant.before!r}: the file has changed"
        )
    lines[mutant.line - 1] = line[:start] + mutant.after + line[end:]
    return "".join(lines)


def difference(mutant: Mutant, text: str) -> tuple[str, str]:
    """The line before and after, without its indentation."""
    before, after = (
        lines_of(version)[mutant.line - 1].strip() for version in (text, applied(mutant, text))
    )
    return before, after
