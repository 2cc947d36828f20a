"""Planning a long sweep is told, looks each implementation up once, and names what it refuses."""

from __future__ import annotations

import pytest

from harness.cli import planning
from harness.config import UsageError, composition
from harness.environment import Environment
from implementations import lookups, module_source, registry


@pytest.fixture(autouse=True)
def _registered():
    composition.register()


def plan(*words):
    planning.plan_all(composition.composed(words), words, Environment())


def test_progress_is_told_after_a_second_and_then_ever_more_rarely(monkeypatch, capsys):
    clock = iter([0.0, *(0.4 * at for at in range(1, 50))])
    monkeypatch.setattr("harness.cli.planning.time.monotonic", lambda: next(clock))
    plan("seed=range(0,20)", "problem=mlp")
    told = capsys.readouterr().err.splitlines()
    assert told == [f"planned {done} of 20 jobs" for done in (2, 6, 14)]


def test_a_job_that_only_its_plan_refuses_is_named():
    words = ["task=conformance", "task.cases=data/*,nothing"]
    with pytest.raises(UsageError, match=r"^job 1 \(task.cases=nothing\): .*matches no case"):
        plan(*words)


def test_the_source_of_an_implementation_is_hashed_once_a_sweep(monkeypatch):
    read = []
    files = module_source.files_of
    monkeypatch.setattr(
        "implementations.registry.files_of", lambda *given: read.append(given) or files(*given)
    )
    plan("seed=range(0,5)", "problem=mlp", "implementations=[numpy,torch_native]")
    assert len(read) == 2
    registry.source_hash("numpy")
    assert len(read) == 3  # outside of a plan, what is installed may change


def test_an_error_is_not_remembered():
    calls = []

    @lookups.remembered
    def failing():
        calls.append(1)
        raise OSError

    with lookups.looked_up_once():
        for _ in range(2):
            with pytest.raises(OSError):
                failing()
    assert len(calls) == 2


def test_one_warning_tells_of_a_sweep_whose_cells_have_too_little_time(capsys):
    plan("task.cell_seconds=0.01,0.02,60", "problem=mlp", "implementations=[torch_native]")
    [warning] = capsys.readouterr().err.splitlines()
    assert warning.startswith("task.cell_seconds=0.01 is less than the ")
    plan("task.cell_seconds=60,61", "problem=mlp", "implementations=[torch_native]")
    assert capsys.readouterr().err == ""
