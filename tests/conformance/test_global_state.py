"""What an implementation sets for the whole process is found out, and the next case does not suffer
from it.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_bn import Plugin

from harness.conformance import checks, global_state, runner
from harness.records import Status
from implementations import Unsupported, registry

MEDDLING = {
    "torch's grad mode": lambda: torch.set_grad_enabled(False),
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's number of threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "the processor's flushing of denormals": lambda: torch.set_flush_denormal(True),
    "NumPy's error handling": lambda: np.seterr(over="raise"),
}


@pytest.fixture(autouse=True)
def _as_before():
    before = global_state.read()
    yield
    global_state.restored(before)


def ran(monkeypatch, implementation, case="onnx/example"):
    monkeypatch.setattr(registry, "load", lambda _: implementation)
    return runner.run(implementation="any", case=case)


def test_every_setting_is_meddled_with_here():
    assert set(MEDDLING) == set(global_state.SETTINGS)


@pytest.mark.parametrize("setting", MEDDLING)
def test_a_setting_that_is_changed_is_wrong_and_set_back(monkeypatch, setting):
    class Meddling(Plugin):
        def layer(self, problem):
            MEDDLING[setting]()
            return super().layer(problem)

    before = global_state.read()
    answer = ran(monkeypatch, Meddling())
    assert answer.status == Status.WRONG
    assert f"{setting} was changed from" in answer.reason
    assert global_state.read() == before


def test_who_leaves_them_alone_is_not_accused(monkeypatch):
    assert ran(monkeypatch, Plugin()).status == Status.OK


def test_a_refusal_undoes_nothing_that_was_found_before_it(monkeypatch):
    def found_and_refused(*_):
        yield from global_state.restored(
            {**global_state.read(), "torch's default dtype": torch.float16}
        )
        raise Unsupported("late")

    monkeypatch.setattr(checks, "check", found_and_refused)
    assert ran(monkeypatch, Plugin()).status == Status.WRONG
