"""Real runs of a suite of two lines, with a clock that stands still between two readings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.config import UsageError
from harness.isolation.places import Place
from harness.pytest_suites import (
    Suite,
    SuiteOutcome,
    SuitePlan,
    SuiteTree,
    gate_suite,
    missing_packages,
    run_suite,
    suite_arguments,
)

# Its clock goes on by what the package says a call takes.
SUITE = """
import measured

def test_quick(benchmark):
    benchmark.pedantic(measured.call, rounds=3, iterations=2)

def test_that_fails(benchmark):
    benchmark.pedantic(measured.call, rounds=3)
    assert {passes}, "it is wrong now"

def test_without_a_benchmark():
    assert False
"""
PACKAGE = """
now = 0.0

def clock():
    return now

def call():
    global now
    now += {seconds}
"""
CONFIGURATION = "[pytest]\npythonpath = .\naddopts = --benchmark-disable -p no:cacheprovider\n"
TIMER = "--benchmark-timer=measured.clock"


def tree(folder: Path, label: str, *, seconds: float = 0.5, passes: bool = True) -> SuiteTree:
    """Sources without what they are built to, and the build beside them."""
    sources, build = folder / label / "sources", folder / label / "build"
    for path in (sources, build):
        path.mkdir(parents=True)
    (sources / "pytest.ini").write_text(CONFIGURATION)
    (sources / "measured.py").write_text("raise ImportError('this is not the build')")
    (sources / "test_suite.py").write_text(SUITE.format(passes=passes))
    (build / "measured.py").write_text(PACKAGE.format(seconds=seconds))
    return SuiteTree(label, sources, Place(path=str(build)))


def test_two_trees_are_run_and_compared(tmp_path):
    base, head = tree(tmp_path, "base"), tree(tmp_path, "head", seconds=0.75, passes=False)
    judged = gate_suite(Suite(base, head, (TIMER,)), SuitePlan(seconds=1, launches=2))
    slower, broken = judged.tests
    assert (judged.reason, judged.launches) == (None, 2)
    assert (slower.name, slower.outcome) == ("test_suite.py::test_quick", SuiteOutcome.SLOWER)
    assert slower.decision.ratio.estimate == pytest.approx(1.5)
    assert broken.outcome is SuiteOutcome.BROKEN
    assert "it is wrong now" in broken.reason


def test_a_suite_that_cannot_be_collected_is_told_by_pytests_own_words(tmp_path):
    found = run_suite(tree(tmp_path, "base"), ("test_other.py",), 60)
    assert found.reason.startswith("pytest fails in base: ")
    assert "test_other.py" in found.reason


def test_an_interpreter_without_pytest_is_told_before_anything_runs(tmp_path):
    bare = tmp_path / "python"
    bare.write_text("#!/bin/sh\necho pytest pytest_benchmark\n")
    bare.chmod(0o755)
    assert missing_packages(Place()) is None
    assert missing_packages(Place(python=str(bare))) == (
        f"{bare} has no pytest and no pytest-benchmark; pip install pytest pytest-benchmark"
    )


def test_no_test_at_all_is_none(tmp_path):
    found = run_suite(tree(tmp_path, "base"), ("-k", "nothing"), 60)
    assert found == replace(found, medians={}, reports={}, reason=None)


def test_words_for_pytest_are_split_as_by_a_shell():
    given = "tests/benchmarks -k 'rows and not numpy' --benchmark-min-rounds=3"
    words = ("tests/benchmarks", "-k", "rows and not numpy", "--benchmark-min-rounds=3")
    assert suite_arguments(given) == words


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("-k 'rows", "quote it as for a shell"),
        ("--benchmark-json=mine.json", "bnbench's own"),
        ("--benchmark-disable tests", "nothing is timed"),
        ("--benchmark-compare-fail=mean:5%", "compared by bnbench"),
        ("tests -n 2", "disturb each other"),
        ("tests -n4", "disturb each other"),
    ],
)
def test_words_that_would_make_a_run_useless_are_refused(given, said):
    with pytest.raises(UsageError, match=said):
        suite_arguments(given)
