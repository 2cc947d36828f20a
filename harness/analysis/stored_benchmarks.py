"""Two files of pytest-benchmark's held against each other: ratios, and what keeps them from being
verdicts.

Each file is of one run. Its rounds share a process, and how far they are spread says nothing of how
far two runs of the same code are apart, so there is no interval here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.pytest_suites import Benchmark, ResultFile
from harness.records import Seconds, differing

# What of a file's machine_info lasts, and moves times: by pytest-benchmark's own names.
LASTING = (
    "node",
    "machine",
    "system",
    "release",
    "cpu.brand_raw",
    "cpu.count",
    "python_implementation",
    "python_version",
    "python_compiler",
)


@dataclass(frozen=True)
class StoredTest:
    """One test's medians, in seconds a call; one of them is None where a file lacks the test.

    ``spread`` is the larger of the quartiles' distances over the median, within one run.
    """

    name: str
    before: Seconds | None
    after: Seconds | None
    spread: float

    @property
    def ratio(self) -> float | None:
        """After over before."""
        return self.after / self.before if self.after and self.before else None


@dataclass(frozen=True)
class Commit:
    """Of the code that a file is of, as far as the file says; ``dirty``: with changes beside it."""

    id: str | None
    dirty: bool


@dataclass(frozen=True)
class StoredComparison:
    """``differences`` are of machine and Python: a name to both values, None where absent."""

    tests: tuple[StoredTest, ...]
    differences: Mapping[str, tuple[object, object]]
    before: Commit
    after: Commit

    @property
    def same_code(self) -> bool:
        """Whether the ratios are of a commit to itself, and so show nothing but noise."""
        known = self.before.id is not None and not (self.before.dirty or self.after.dirty)
        return known and self.before.id == self.after.id

    @property
    def files(self) -> tuple[str, ...]:
        """Of the tests that are in both, the files that hold them."""
        both = (test.name for test in self.tests if test.ratio is not None)
        return tuple(dict.fromkeys(name.partition("::")[0] for name in both))


def compare_stored(before: ResultFile, after: ResultFile) -> StoredComparison:
    """In the order of the file before; what only the one after has comes last."""
    olds = {benchmark.fullname: benchmark for benchmark in before.benchmarks}
    news = {benchmark.fullname: benchmark for benchmark in after.benchmarks}
    tests = (_test(name, olds.get(name), news.get(name)) for name in {**olds, **news})
    changed = differing(before.machine_info, after.machine_info)
    differences = {name: changed[name] for name in LASTING if name in changed}
    return StoredComparison(tuple(tests), differences, _commit(before), _commit(after))


def _test(name: str, old: Benchmark | None, new: Benchmark | None) -> StoredTest:
    spreads = [one.stats.iqr / one.median for one in (old, new) if one is not None]
    return StoredTest(name, old.median if old else None, new.median if new else None, max(spreads))


def _commit(file: ResultFile) -> Commit:
    found = file.commit_info.get("id")
    return Commit(
        str(found) if found and found != "unversioned" else None,
        bool(file.commit_info.get("dirty")),
    )
