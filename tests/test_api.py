"""From Python, too, what cannot be measured as asked is told in words and before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

import harness
from harness.config import UsageError
from implementations.interface import Problem

SMALL = Problem((4, 3, 5))


@pytest.mark.parametrize(
    ("implementations", "problems", "keys", "message"),
    [
        (["numpy"], [(4, 3, 5)], {}, "holds (4, 3, 5), which is no Problem; write Problem((4, 3"),
        (["numpy"], SMALL, {}, "problems is one Problem; a list is wanted"),
        ("numpy", [SMALL], {}, "a list is wanted; write implementations=['numpy']"),
        (["numpy"], [SMALL], {"phases": "inference"}, "write phases=['inference']"),
        (["numpy"], [SMALL], {"faces": "kernel"}, "write faces=['kernel']"),
        (["numpy"], [SMALL], {"launches": "3"}, "task.launches=3; allowed: 1 to 1000"),
        (["numpy"], [SMALL], {"blocks": True}, "task.blocks=True; allowed: 1 to 1000"),
        (["numpy"], [SMALL], {"accuracy": 0}, "task.accuracy=0; allowed: 1e-18 to 1"),
        (["numpy"], [SMALL], {"accuracy": "1e-5"}, "task.accuracy=1e-5; allowed: 1e-18 to 1"),
        (["numpy"], [SMALL], {"launches": 4, "most_launches": 2}, "is less than task.launches=4"),
        (["numpy"], [SMALL], {"phases": ["inference"] * 2}, "has one of them twice"),
        (["numpy", 5], [SMALL], {}, "no implementation 5"),
    ],
)
def test_what_cannot_be_measured_is_a_usage_error(
    implementations: Any, problems: Any, keys: Any, message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        harness.measure(implementations, problems, **keys)
    assert message in str(refused.value)


@pytest.mark.parametrize("shape", [(4, 3.7), ("4", "3"), (4, None), 5, "4x3"])
def test_a_shape_is_of_integers_and_never_rounded_to_them(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"is not possible; allowed: whole numbers, such as"):
        Problem(shape)
