"""A deviation that an implementation declares is told as declared: of those cases and quantities,
and nothing beside them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from plain_bn import Plugin
from wrong_bn import Wrong

import harness
import implementations
from harness.conformance import runner
from harness.conformance.cases import matching
from harness.conformance.runner import declared_deviation
from harness.records import Status
from implementations import registry
from implementations.interface import Deviation

BIASED = Deviation("it stores the biased variance", "https://example.org/1", ("running_var",))
STEP = "phases/training_step/layer/fresh"
DECLARED = [
    (name, glob)
    for name in ("torch_compile", "torch_native")
    for glob in implementations.load(name).deviations
]


def outcome(monkeypatch, implementation, case=STEP):
    """What a worker answers about an implementation that is given as it is."""
    monkeypatch.setattr(registry, "load", lambda specification: implementation)
    return runner.run(implementation="given", case=case)


def declaring(implementation, glob=STEP, deviation=BIASED):
    implementation.deviations = {glob: deviation}
    return implementation


@pytest.mark.parametrize(("name", "glob"), DECLARED)
def test_what_a_built_in_implementation_declares_still_shows(monkeypatch, name, glob):
    """What does not show any more has to go."""
    implementation = implementations.load(name)
    cases = matching(glob)
    assert cases
    assert implementation.deviations[glob].quantities
    for case in cases:
        found = outcome(monkeypatch, implementation, case.name)
        assert (found.status, found.explanation) == (
            Status.WRONG,
            str(implementation.deviations[glob]),
        )


def test_a_plug_in_may_declare_a_deviation_of_its_own(monkeypatch):
    wrong = declaring(Wrong("biased running variance"), "phases/training_step/*")
    found = outcome(monkeypatch, wrong)
    assert found.status is Status.WRONG
    assert found.explanation == "it stores the biased variance (https://example.org/1)"
    whole = outcome(monkeypatch, declaring(wrong, STEP, replace(BIASED, quantities=())))
    assert whole.explanation == found.explanation


def test_nothing_else_is_excused_by_it(monkeypatch):
    other = outcome(monkeypatch, declaring(Wrong("n - 1 in the batch's variance")))
    assert (other.status, other.explanation) == (Status.WRONG, None)
    elsewhere = declaring(Wrong("biased running variance"), "data/*")
    assert outcome(monkeypatch, elsewhere).explanation is None
    assert declared_deviation(elsewhere, "data/sparse") is BIASED
    assert declared_deviation(elsewhere, STEP) is None


def test_one_whose_case_passes_is_out_of_date(monkeypatch):
    found = outcome(monkeypatch, declaring(Plugin()))
    assert found.status is Status.OK
    assert found.figures.outdated == str(BIASED)
    assert outcome(monkeypatch, declaring(Plugin(), "data/*")).figures.outdated is None


def test_the_record_of_a_declared_deviation_is_wrong_and_no_failure():
    (record,) = harness.check("torch_native", cases="strided/sizes_of_1/input", threads=1)
    assert record.status is Status.WRONG
    assert not record.failed
    assert "PyTorch 2.13" in record.explanation
