"""What a counted process does, here without valgrind: real implementations are made ready and
called, in each way.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

import implementations
from harness.instruction_counts import CountedCall, counted_process
from harness.records.plain_data import to_json
from implementations.interface import Phase, Problem

PROBLEM = Problem((4, 8, 6, 6), memory_format="channels_last", activation="relu", residual=True)
CALL = CountedCall("torch_unfused", PROBLEM, Phase.TRAINING_STEP)


class Callgrind:
    """What was asked of it, in order."""

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        return lambda *arguments: self.asked.append((name, *arguments))


def outcome(call, callgrind=None):
    """Of the call as it comes through the request's JSON."""
    plain = json.loads(to_json(call))
    library: Any = callgrind or Callgrind()
    return counted_process.outcome(plain, 7, library)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("way", ["kernel", "layer", "batch_norm"])
def test_each_way_of_each_phase_can_be_counted(way, phase):
    assert outcome(replace(CALL, way=way, phase=phase)) == ("OK", None)


def test_one_call_is_counted_after_others_and_named_by_its_number(monkeypatch):
    callgrind = Callgrind()
    monkeypatch.setattr(counted_process, "prepared", lambda call: (lambda: None, callgrind.call))
    assert outcome(CALL, callgrind) == ("OK", None)
    assert callgrind.asked == [
        ("begin_instrumentation",),
        *[("call",)] * counted_process.UNCOUNTED,
        ("begin_counting",),
        ("call",),
        ("end_counting", b"7"),
        ("end_instrumentation",),
    ]


def test_a_whole_call_is_the_public_function_and_its_backward(monkeypatch):
    seen = []
    original = implementations.batch_norm

    def noting(*arguments, **options):
        seen.append(options["implementation"])
        return original(*arguments, **options)

    monkeypatch.setattr(implementations, "batch_norm", noting, raising=False)
    gradients = []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a: gradients.append(grad(*a)))
    assert outcome(replace(CALL, way="batch_norm")) == ("OK", None)
    assert seen == ["torch_unfused"] * (counted_process.UNCOUNTED + 1)
    assert len(gradients) == len(seen)
    assert len(gradients[0]) == 4  # of input, residual, weight and bias


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"implementation": "none_such"}, "UNAVAILABLE", "there is no implementation"),
        ({"way": "layer", "outputs": "reused"}, "UNSUPPORTED", "fresh"),
        (
            {"implementation": {"_target_": "implementations.registry.names"}},
            "UNAVAILABLE",
            "is not an Implementation",
        ),
    ],
)
def test_what_cannot_be_counted_says_why(changes, status, said):
    found, reason = outcome(replace(CALL, **changes))
    assert (found, said in reason) == (status, True)


def test_a_call_that_raises_is_told_with_its_error(monkeypatch):
    def raising(call):
        raise RuntimeError("no memory")

    monkeypatch.setattr(counted_process, "prepared", raising)
    assert outcome(CALL) == ("CRASHED", "RuntimeError: no memory")


def test_a_call_that_raises_while_it_is_counted_ends_the_counting(monkeypatch):
    callgrind, calls = Callgrind(), []

    def run():
        calls.append(1)
        if len(calls) > counted_process.UNCOUNTED:
            raise RuntimeError("once too often")

    monkeypatch.setattr(counted_process, "prepared", lambda call: (lambda: None, run))
    assert outcome(CALL, callgrind)[0] == "CRASHED"
    assert [name for name, *_ in callgrind.asked] == [
        "begin_instrumentation",
        "begin_counting",
        "end_counting",
        "end_instrumentation",
    ]


def test_what_torch_compile_makes_is_refused_before_it_compiles(monkeypatch):
    monkeypatch.setattr(torch, "compile", counted_process.refuse_to_compile)
    status, reason = outcome(replace(CALL, implementation="torch_compile"))
    assert (status, "torch.compile" in reason) == ("UNSUPPORTED", True)
