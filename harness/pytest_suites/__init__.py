"""Anyone's suite of pytest-benchmark: runs of it, and what they tell.

result_files    what pytest-benchmark writes with --benchmark-json, read
arguments       the words for pytest that a user gives
runs            one run of a suite in one tree
outcome_plugin  what such a run loads, so that it says what became of each test
interleaving    whole runs of two trees, in turn, until all is decided
decisions       tests paired by name, a verdict for each
"""

from harness.pytest_suites.arguments import suite_arguments
from harness.pytest_suites.decisions import Decision, SuiteOutcome, SuiteTest
from harness.pytest_suites.interleaving import Judged, Suite, SuitePlan, gate_suite
from harness.pytest_suites.result_files import (
    Benchmark,
    InvalidResultsError,
    ResultFile,
    read_results,
)
from harness.pytest_suites.runs import SuiteRun, SuiteTree, missing_packages, run_suite

__all__ = [
    "Benchmark",
    "Decision",
    "InvalidResultsError",
    "Judged",
    "ResultFile",
    "Suite",
    "SuiteOutcome",
    "SuitePlan",
    "SuiteRun",
    "SuiteTest",
    "SuiteTree",
    "gate_suite",
    "missing_packages",
    "read_results",
    "run_suite",
    "suite_arguments",
]
