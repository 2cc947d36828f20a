"""`bnbench gate BASE --pytest`: both trees are built and laid out, the suite runs in each, and what
became of every test is said as of any gate. Runs are made up; test_interleaving.py has real ones.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import gate_suite as command
from harness.pytest_suites import Decision, Judged, SuiteOutcome, SuiteTest
from harness.records import Interval, Seconds, StopReason
from tests.helpers.commands import run_here

NAME = "tests/test_rows.py::test_sum[10]"
DECISION = Decision(Interval(1.2, 1.1, 1.3), 1e-4, 6)


@pytest.fixture
def gated(repository, monkeypatch):
    """Gates main with a suite whose runs come to this, and says in which trees they were made."""
    suites = []

    def gate(*tests, words=(), reason=None):
        def made(suite, plan, announce):
            base, head = suite.base, suite.head
            suites.append(
                (suite, plan, [Path(one.tree, "my_bn.py").read_text() for one in (base, head)])
            )
            announce("4 runs of each tree")
            return Judged(tests, 4, Seconds(1.0), StopReason.PRECISION, reason)

        monkeypatch.setattr(command, "gate_suite", made)
        build = "gate.build=cp *.py {folder}"
        return run_here("gate", "main", "--pytest", "tests -k rows", build, *words), suites

    return gate


def test_each_tree_runs_its_own_tests_with_its_own_build(gated, repository):
    repository.write(my_bn="second")
    ran, [(suite, plan, texts)] = gated(SuiteTest(NAME, SuiteOutcome.SAME, DECISION))
    assert ran.returncode == 0, ran.stderr
    assert texts == ["first", "second"]
    assert suite.arguments == ("tests", "-k", "rows")
    assert (plan.seconds, plan.alpha, plan.margin) == (300.0, 0.01, 0.03)
    assert suite.base.place.path != suite.head.place.path
    assert len(repository.worktrees) == 1


@pytest.mark.parametrize(
    ("outcome", "status", "verdict"),
    [
        (SuiteOutcome.SAME, 0, "PASSED"),
        (SuiteOutcome.NEW, 0, "PASSED"),
        (SuiteOutcome.SLOWER, 1, "REGRESSION"),
        (SuiteOutcome.BROKEN, 1, "REGRESSION"),
        (SuiteOutcome.FAILED, 1, "REGRESSION"),
        (SuiteOutcome.AMBIGUOUS, 3, "UNDECIDED"),
    ],
)
def test_it_ends_as_any_gate_does(gated, outcome, status, verdict):
    ran, _ = gated(SuiteTest(NAME, outcome, DECISION, "assert 1 == 2"))
    assert (ran.returncode, ran.stdout.split()[0]) == (status, verdict), ran.stderr
    page = Path("bnbench-results/gate-suite/gate.md").read_text()
    assert f"bnbench gate: {verdict}" in page


def test_its_document_names_the_file_and_the_test(gated):
    ran, _ = gated(SuiteTest(NAME, SuiteOutcome.SLOWER, DECISION), words=("--json",))
    [cell] = json.loads(ran.stdout)["facts"]["cells"]
    assert (cell["implementation"], cell["test"]) == ("tests/test_rows.py", "test_sum[10]")
    assert cell["ratio"]["estimate"] == pytest.approx(1.2)


def test_a_suite_that_does_not_run_is_undecided_and_says_why(gated):
    ran, _ = gated(reason="pytest fails in base: no module named rows")
    assert ran.returncode == 3
    assert "pytest fails in base" in ran.stderr


@pytest.mark.parametrize(
    "word",
    ["problem=resnet50", "task.phases=[inference]", "tracking=none", "gate.instructions=true"],
)
def test_keys_of_a_run_have_no_effect_and_are_refused(gated, word):
    ran, suites = gated(words=(word,))
    assert ran.returncode == 2
    assert "has no effect in a gate of a suite" in ran.stderr
    assert not suites
