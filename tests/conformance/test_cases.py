"""The list of cases: names are unique and telling, and nothing that was promised is left out."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from typing import get_args

import pytest

from harness.conformance.cases import (
    CASES,
    PROPERTIES,
    CallCase,
    DifferencesCase,
    LawCase,
    NumbersCase,
    RepeatsCase,
    described,
    matching,
    named,
)
from harness.conformance.checks import CHECKS
from harness.conformance.checks.calls import VIEWS
from harness.conformance.checks.differences import METHODS
from harness.conformance.checks.laws import LAWS
from harness.conformance.checks.repeatability import WHATS
from harness.problems.inputs import Distribution
from implementations.interface import DTYPES, RANKS, Phase

NUMBERS = [case for case in CASES if isinstance(case, NumbersCase)]


def test_names_are_unique_and_hold_a_group():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert {name.partition("/")[0] for name in names} == set(PROPERTIES)
    assert all(all(name.split("/")) and "/" in name for name in names)
    # Neither a shell, nor Hydra, nor a glob takes a name apart.
    assert not any(character in name for name in names for character in "*?[]{}(), ='\"\\$")


def test_a_name_and_no_glob_of_it_selects_one_case():
    assert [matching(case.name) for case in CASES] == [[case] for case in CASES]


def test_cases_are_plain_data_and_no_two_are_the_same():
    definitions = [
        (json.dumps(described(case), allow_nan=False), case.fixed_threads) for case in CASES
    ]
    assert len(set(definitions)) == len(definitions)
    assert all(json.loads(json.dumps(described(case))) == described(case) for case in CASES)
    assert not described(CASES[0]).keys() & {"name", "fixed_threads", "thorough"}


def test_the_selection_covers_each_value_of_each_attribute():
    problems = [case.problem for case in NUMBERS]
    assert {len(problem.shape) for problem in problems} == set(RANKS)
    assert {problem.dtype for problem in problems} == set(DTYPES)
    assert {(problem.dtype, problem.parameter_dtype) for problem in problems} >= {
        ("bfloat16", "float32"),
        ("float16", "float32"),
    }
    for attribute in ("activation", "residual", "weight", "bias", "memory_format"):
        assert len({getattr(problem, attribute) for problem in problems}) == 2
    assert {case.momentum for case in NUMBERS} == {0.0, 0.1, 0.25, 1.0, 1.5}
    assert {case.distribution for case in NUMBERS} == set(get_args(Distribution))
    assert min(problem.reduction for problem in problems) == 2


def test_every_phase_is_asked_of_both_faces_and_both_kinds_of_outputs():
    asked = {(case.phase, case.face, case.outputs) for case in NUMBERS}
    assert asked == set(product(Phase, ["layer"], ["fresh"])) | set(
        product(Phase, ["kernel"], ["fresh", "reused"])
    )


def test_every_way_that_input_can_lie_in_memory_is_asked_for():
    assert {case.view for case in CASES if isinstance(case, CallCase)} == set(VIEWS)


def test_every_law_and_everything_that_calls_may_not_do_is_asked_for():
    assert {case.law for case in CASES if isinstance(case, LawCase)} == {*LAWS, "oracle"}
    assert {case.what for case in CASES if isinstance(case, RepeatsCase)} == set(WHATS)
    assert {case.method for case in CASES if isinstance(case, DifferencesCase)} == set(METHODS)
    assert {type(case) for case in CASES} == set(CHECKS)


def test_cases_of_a_property_stand_together_in_the_matrix_s_order():
    groups = [case.name.partition("/")[0] for case in CASES]
    assert list(dict.fromkeys(groups)) == list(PROPERTIES) == sorted(set(groups), key=groups.index)
    assert groups == sorted(groups, key=list(PROPERTIES).index)


def test_a_glob_selects_by_name_in_order():
    assert [case.name for case in matching("data/very_large_mean*")] == [
        "data/very_large_mean",
        "data/very_large_mean/channels_last",
        "data/very_large_mean/kernel",
        "data/very_large_mean/channels_last/kernel",
    ]
    assert matching("*", thorough=True) == list(CASES)
    assert matching("nothing") == []


def test_thorough_cases_are_left_out_unless_they_or_all_are_asked_for():
    kept, more = matching("*"), matching("*", thorough=True)
    assert kept == [case for case in more if not case.thorough]
    for property_ in PROPERTIES:
        assert matching(f"{property_}/*"), f"nothing of {property_} is checked ordinarily"
    thorough = next(case for case in CASES if case.thorough)
    assert thorough in matching(thorough.name)
    assert thorough not in matching(f"{thorough.name}*")
    assert thorough in matching(f"{thorough.name}*", thorough=True)


def test_a_case_is_found_by_its_name():
    case = named("errors/negative_eps")
    assert isinstance(case, CallCase)
    assert case.eps < 0


@pytest.mark.parametrize("module", ["harness.conformance.cases", "harness.tasks.conformance"])
def test_planning_imports_no_array_library(module):
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'numpy'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
