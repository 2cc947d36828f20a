"""What is known of built-in implementations still shows, and excuses nothing beside it and nobody
else.
"""

from __future__ import annotations

import pytest

import harness
from harness.conformance.cases import CASES
from harness.conformance.deviations import DEVIATIONS, explanation
from harness.conformance.messages import CaseOutcome
from harness.records import CaseCell, ComparedQuantity, Identity, Status
from harness.tasks import conformance
from implementations import names, registry


def known(deviation):
    return f"{deviation.implementation}-{deviation.case}"


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=known)
def test_every_deviation_still_shows_and_is_explained(deviation):
    """One that does not show any more has to go."""
    (record,) = harness.check(deviation.implementation, cases=deviation.case, threads=1)
    assert record.status is Status.WRONG
    assert {
        sample.quantity for sample in record.samples if not sample.passed
    } <= deviation.quantities
    assert record.explanation == deviation.explanation
    assert not record.failed


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=known)
def test_it_is_of_a_built_in_implementation_and_a_case_that_there_are(deviation):
    assert deviation.implementation in names()
    assert deviation.case in {case.name for case in CASES}
    assert deviation.quantities


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=known)
def test_a_failure_is_explained_only_as_it_is_known(deviation):
    name, case, quantities = deviation.implementation, deviation.case, deviation.quantities
    assert explanation(name, case, quantities) == deviation.explanation
    assert explanation(name, case, {*quantities, "output"}) is None
    assert explanation(name, case, {"output"}) is None
    assert explanation(name, case, ()) is None
    assert explanation(name, "phases/inference/layer/fresh", quantities) is None
    assert explanation("mine", case, quantities) is None


def test_no_two_deviations_are_of_one_case():
    assert len({(deviation.implementation, deviation.case) for deviation in DEVIATIONS}) == len(
        DEVIATIONS
    )


def record_of(specification, deviation, quantities):
    """The record of a worker's answer that those quantities failed."""
    failed = tuple(ComparedQuantity(quantity, passed=False) for quantity in quantities)
    outcome = CaseOutcome(Status.WRONG, "they differ", samples=failed)
    cell = CaseCell(case=deviation.case, device="cpu", threads=1)
    identity = Identity(deviation.implementation, cell, "source", "environment")

    def worker(*_, **__):
        return outcome

    return conformance._checked(worker, specification, identity, "session", 1.0)


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=known)
def test_a_plug_in_of_the_same_name_is_excused_nothing(deviation, monkeypatch):
    assert (
        record_of(deviation.implementation, deviation, deviation.quantities).explanation
        == deviation.explanation
    )
    named = {"_target_": "wrong_bn.Wrong"}
    assert record_of(named, deviation, deviation.quantities).explanation is None
    monkeypatch.setattr(registry, "is_foreign", lambda specification: True)
    assert record_of(deviation.implementation, deviation, deviation.quantities).explanation is None


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=known)
def test_what_else_fails_takes_the_excuse_away(deviation):
    found = record_of(deviation.implementation, deviation, [*deviation.quantities, "output"])
    assert (found.status, found.explanation) == (Status.WRONG, None)
