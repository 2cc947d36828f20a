"""What pytest-benchmark writes with --benchmark-json or --benchmark-autosave, read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.records import Seconds
from harness.records.plain_data import InvalidDataError, from_plain

VERSIONS = ("3", "4", "5")  # of pytest-benchmark whose files have this form


class InvalidResultsError(Exception):
    """A file is none of pytest-benchmark's, or has no results. The message says which, and why."""


@dataclass(frozen=True)
class Statistics:
    """Of a test's rounds, seconds a call: their median, least and quartiles' distance."""

    median: float
    min: float
    iqr: float
    rounds: int
    iterations: int = 1


@dataclass(frozen=True)
class Benchmark:
    """One test's result. ``fullname`` is its name with its file's."""

    fullname: str
    stats: Statistics
    extra_info: Mapping[str, object] = field(default_factory=dict)

    @property
    def median(self) -> Seconds:
        return Seconds(self.stats.median)


@dataclass(frozen=True)
class ResultFile:
    """One run of a suite: what was measured, with which code, on what machine."""

    benchmarks: tuple[Benchmark, ...]
    version: str
    datetime: str = ""
    machine_info: Mapping[str, object] = field(default_factory=dict)
    commit_info: Mapping[str, object] = field(default_factory=dict)

    @property
    def medians(self) -> dict[str, Seconds]:
        return {benchmark.fullname: benchmark.median for benchmark in self.benchmarks}


def read_results(path: Path) -> ResultFile:
    """Raises ``InvalidResultsError``."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidResultsError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # JSON's errors and Unicode's
        raise InvalidResultsError(
            f"{path} is no JSON: {error}; wanted is what pytest --benchmark-json={path.name} writes"
        ) from error
    if not isinstance(data, dict) or not {"benchmarks", "version"} <= data.keys():
        raise InvalidResultsError(
            f"{path} is JSON of another program's; wanted is what pytest "
            f"--benchmark-json={path.name} writes, with benchmarks and version in it"
        )
    return _results(path, data)


def _results(path: Path, data: Mapping[str, object]) -> ResultFile:
    version = str(data["version"])
    if version.partition(".")[0] not in VERSIONS:
        raise InvalidResultsError(
            f"{path} is pytest-benchmark {version}'s; known are the files of its versions "
            f"{', '.join(VERSIONS)}"
        )
    if not data["benchmarks"]:
        raise InvalidResultsError(
            f"{path} has no benchmark in it: none ran, or all of them failed or were skipped"
        )
    try:
        found = from_plain(data, ResultFile)
    except InvalidDataError as error:
        raise InvalidResultsError(f"{path}: {error}") from error
    for benchmark in found.benchmarks:
        if not benchmark.median > 0:
            raise InvalidResultsError(
                f"{path}: {benchmark.fullname} took {benchmark.median} s, which is no time; its "
                "clock is too coarse, or the file was changed"
            )
    return found
