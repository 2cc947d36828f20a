"""What is judged is the changed copy, in workers too, and a judge that does not come to its end has
caught the mutant.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.experiments.mutation import experiment, judging
from tests.experiments.mutation.judging import Outcome, WrongCode, by_check, by_tests, judge
from tests.experiments.mutation.mutants import Mutant, mutants_of
from tests.experiments.mutation.summary import Experiment, Result, markdown
from tests.experiments.mutation.workshop import Workshop

ROOT = Path(__file__).parents[3]
CASE = "phases/training_step?kernel?fresh"  # a glob for one case
FILE = "implementations/builtin/numpy_vectorized.py"
MUTANTS = [
    Mutant(FILE, 1, 1, "a", "b", "number"),
    Mutant("harness/conformance/compare.py", 1, 1, "a", "b", "number"),
]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    return Workshop(ROOT, tmp_path_factory.mktemp("workshop"), timeout=300.0)


@pytest.fixture
def copy(workshop):
    with workshop.copy(None) as folder:
        yield folder


def test_a_mistake_is_caught_in_a_worker_that_runs_the_copy(workshop):
    text = (ROOT / FILE).read_text(encoding="utf-8")
    line = next(
        number for number, line in enumerate(text.splitlines(), 1) if "update(running_var" in line
    )
    mutant = next(
        mutant for mutant in mutants_of(text, FILE) if (mutant.line, mutant.after) == (line, "+")
    )
    outcome = judge(workshop, mutant, CASE)
    assert (outcome.by, outcome.failed, outcome.statuses) == ("check", 1, {"WRONG": 1})
    assert outcome.first.startswith("phases/training_step")
    assert "running_var[" in outcome.reason


def test_the_unchanged_code_passes_where_a_mistake_is_caught(workshop, copy):
    assert by_check(workshop, copy, CASE) == Outcome(statuses={"OK": 1})


def test_other_code_than_the_copy_s_ends_the_experiment(workshop, copy, monkeypatch):
    run = workshop.run
    monkeypatch.setattr(workshop, "run", lambda _, *arguments: run(workshop.snapshot, *arguments))
    with pytest.raises(WrongCode, match=r"copy-\d+, but what ran was .*snapshot"):
        by_check(workshop, copy, CASE)


def test_a_harness_that_breaks_down_has_caught_the_mutant(workshop, copy):
    (copy / "harness" / "api.py").write_text("raise RuntimeError('broken')\n")
    assert by_check(workshop, copy, CASE) == Outcome(
        "check", "it could not be run", "RuntimeError: broken"
    )


def test_what_takes_too_long_is_killed_and_has_caught_the_mutant(workshop, copy, monkeypatch):
    monkeypatch.setattr(workshop, "timeout", 0.5)
    (copy / "harness" / "__init__.py").write_text("import signal\nsignal.pause()\n")
    assert by_check(workshop, copy, CASE).first == "timeout"
    assert not workshop._running


def test_the_first_test_that_fails_is_named_with_its_reason(workshop, copy, monkeypatch):
    own = copy / "tests" / "conformance" / "test_own.py"
    monkeypatch.setattr(judging, "TESTING", ("-m", "pytest", str(own), "-x", "-q"))
    own.write_text(
        "def test_a():\n    pass\n\ndef test_b():\n    assert 1 == 2\n\ndef test_c():\n    assert "
        "False\n"
    )
    outcome = by_tests(workshop, copy)
    assert (outcome.by, outcome.first) == ("tests", "tests.conformance.test_own::test_b")
    assert "assert 1 == 2" in outcome.reason
    own.write_text("import nothing_of_the_kind\n")
    assert by_tests(workshop, copy) == Outcome(
        "tests",
        "tests.conformance.test_own",
        "ModuleNotFoundError: No module named 'nothing_of_the_kind'",
    )
    own.write_text("def test_a():\n    pass\n")
    assert not by_tests(workshop, copy).caught


@pytest.mark.parametrize(
    ("mutant", "check", "asked"),
    [
        (MUTANTS[0], Outcome(), ["check"]),
        (MUTANTS[1], Outcome(), ["check", "tests"]),
        (MUTANTS[1], Outcome("check"), ["check"]),
        (None, Outcome(), ["check", "tests"]),
    ],
)
def test_the_suite_s_tests_are_asked_about_its_own_files_when_the_check_has_passed(
    mutant, check, asked, workshop, monkeypatch
):
    made = []
    monkeypatch.setattr("tests.experiments.mutation.workshop.applied", lambda mutant, text: text)
    monkeypatch.setattr(judging, "by_check", lambda *_: made.append("check") or check)
    monkeypatch.setattr(judging, "by_tests", lambda *_: made.append("tests") or Outcome())
    assert judge(workshop, mutant) == check
    assert made == asked


def test_a_page_tells_the_score_and_shows_survivors_for_a_person_to_judge():
    wrong = Outcome("check", "data/large_mean", "WRONG: a | b", 3, {"OK": 7, "WRONG": 3})
    caught = Result(MUTANTS[0], wrong, "x = a", "x = b", 1)
    survivor = Result(
        MUTANTS[1], Outcome(statuses={"UNSUPPORTED": 10}), "y = a * 1", "y = b * 1", 1
    )
    said = markdown(Experiment({"seed": 0}, 3, Outcome(statuses={"OK": 10}), (caught, survivor)))
    assert "# 1 of 2 mutants caught; 1 were drawn and not judged" in said
    assert "| a → b | check | `data/large_mean` | 3/10 | WRONG: a \\| b |" in said
    assert (
        "SURVIVED |  |  | records {'UNSUPPORTED': 10}, of the unchanged code {'OK': 10} |" in said
    )
    assert "```diff\n@@ harness/conformance/compare.py:1:1 @@\n- y = a * 1\n+ y = b * 1\n" in said


def run_with(monkeypatch, folder, outcomes):
    answers = iter(outcomes)

    def answer(*_):
        outcome = next(answers)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(experiment, "judge", answer)
    return experiment.main(["--count", "3", "--output", str(folder)])


def test_an_interrupted_experiment_keeps_what_is_done(monkeypatch, tmp_path, capsys):
    assert (
        run_with(
            monkeypatch, tmp_path, [Outcome(), Outcome("check"), Outcome(), KeyboardInterrupt()]
        )
        == 130
    )
    kept = json.loads((tmp_path / "mutants.json").read_text())
    assert [result["outcome"]["by"] for result in kept["results"]] == ["check", ""]
    assert kept["drawn"] == 3
    assert "1 of 2 mutants caught; 1 were drawn and not judged" in capsys.readouterr().out


@pytest.mark.parametrize("outcome", [Outcome("tests", "test_a"), WrongCode("another's")])
def test_nothing_is_told_when_the_unchanged_code_fails_or_other_code_runs(
    monkeypatch, tmp_path, outcome
):
    assert run_with(monkeypatch, tmp_path, [outcome]) == 1
    assert not list(tmp_path.iterdir())


def test_a_glob_that_matches_nothing_is_wrong_usage(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        experiment.main(["--only", "nothing", "--output", str(tmp_path)])
    assert "implementations/builtin/numpy_vectorized.py" in capsys.readouterr().err
