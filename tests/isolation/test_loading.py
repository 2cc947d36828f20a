"""Whether an implementation from outside can be loaded is asked once, of a worker."""

from __future__ import annotations

import pytest

from harness.isolation import Arm, WorkerDied, WorkerError, WorkerTimedOut
from harness.isolation.loading import Loading, LoadOutcome
from harness.isolation.messages import RemoteFailure
from harness.records import Status

MINE = {"_target_": "my_bn.Mine"}


def asked(answer, *specifications):
    """What `Loading` says of each, and how often it asked."""
    calls = []

    def call(service, reply, timeout, on_progress=None, **arguments):
        calls.append((service, timeout, arguments))
        if isinstance(answer, Exception):
            raise answer
        return answer

    loading = Loading(7.0)
    return [loading.failure(call, Arm(each)) for each in specifications], calls


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (WorkerDied("the worker died"), Status.CRASHED, "on being loaded: the worker died"),
        (WorkerTimedOut("no answer"), Status.TIMEOUT, "on being loaded: no answer"),
        (
            WorkerError(RemoteFailure("LoadFailure", "it raised", "here")),
            Status.CRASHED,
            "on being loaded: it raised",
        ),
        (LoadOutcome(Status.UNAVAILABLE, "no GPU"), Status.UNAVAILABLE, "no GPU"),
    ],
)
def test_what_cannot_be_loaded_is_asked_once_and_has_one_reason(answer, status, reason):
    outcomes, calls = asked(answer, MINE, MINE, {**MINE, "block": 4})
    assert outcomes == [LoadOutcome(status, reason)] * 3
    assert calls == [
        ("load", 7.0, {"implementation": MINE}),
        ("load", 7.0, {"implementation": {**MINE, "block": 4}}),
    ]


def test_what_can_be_loaded_has_no_failure():
    assert asked(LoadOutcome(Status.OK), MINE)[0] == [None]


def test_bnbenchs_own_are_not_asked():
    assert asked(WorkerDied("no matter"), "numpy") == ([None], [])
