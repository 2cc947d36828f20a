"""What a worker's failure makes of a record."""

from __future__ import annotations

import pytest

from harness.isolation.failures import failure_reason, failure_status
from harness.isolation.messages import RemoteFailure
from harness.isolation.worker_process import WorkerDied, WorkerError, WorkerTimedOut
from harness.records import Status
from implementations.interface import ContractError


def raised(kind):
    return WorkerError(RemoteFailure(kind, "the forward my_bn.forward returned 3 values", "x.py:1"))


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        (
            raised(ContractError.__name__),
            Status.WRONG,
            "the forward my_bn.forward returned 3 values",
        ),
        (
            raised("ValueError"),
            Status.CRASHED,
            "it raised ValueError: the forward my_bn.forward returned 3 values (at x.py:1)",
        ),
        (WorkerDied("it died"), Status.CRASHED, "it died"),
        (WorkerTimedOut("no answer"), Status.TIMEOUT, "no answer"),
    ],
)
def test_who_breaks_the_contract_is_wrong_in_its_own_words_and_others_crash(
    failure, status, reason
):
    assert failure_status(failure) is status
    assert failure_reason(failure) == reason
