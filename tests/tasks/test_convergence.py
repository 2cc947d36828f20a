"""The convergence task: arms paired by seed, and a record for each whatever becomes of its
worker.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.config import (
    Config,
    ConformanceConfig,
    ConvergenceConfig,
    DeviceConfig,
    ProblemConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.choices import GHOST, WITHOUT
from harness.environment import Environment
from harness.isolation import (
    Place,
    WorkerDied,
    WorkerError,
    WorkerSettings,
    WorkerTimedOut,
    worker_pool,
)
from harness.isolation.messages import RemoteFailure
from harness.isolation.place_facts import PlaceFacts
from harness.isolation.process import Start
from harness.records import (
    Seconds,
    Status,
    TrainingCell,
    TrainingFigures,
    TrainingRecord,
    record_from_plain,
    record_to_plain,
    to_json,
)
from harness.tasks import arm_settings, convergence
from harness.training import datasets
from harness.training.messages import TrainingOutcome

ENVIRONMENT = cast("Environment", SimpleNamespace(fingerprint="here"))
FIGURES = TrainingFigures(*[None] * 8)
ANSWER = TrainingOutcome(Status.OK, figures=FIGURES)


def configured(*implementations: Any, threads: int | None = 1, **task: Any) -> Config:
    return Config(
        task=ConvergenceConfig(**task),
        problem=ProblemConfig(),
        device=DeviceConfig(threads=threads),
        tracking=TrackingConfig(),
        implementations=list(implementations or ("torch_native", "numpy")),
    )


def measured(config: Config, announced: list[str] | None = None) -> list[TrainingRecord]:
    todo = convergence.plan(config, ENVIRONMENT)
    announce = (announced if announced is not None else []).append
    return list(convergence.measure(config, todo, "session", announce))


class FakeWorker:
    """A worker that answers, dies or raises as the implementation it is given is named; dead, it
    answers no more.
    """

    started: list[FakeWorker]

    def __init__(self, module: str, _settings: WorkerSettings, _start: Start) -> None:
        assert module == convergence.WORKER
        self.asked: list[tuple[str, int]] = []
        self.folders: list[str | None] = []
        self.open = True
        self.process = SimpleNamespace(kill=lambda: None)
        self.started.append(self)

    def call(
        self,
        service: str,
        _reply: type[TrainingOutcome],
        _timeout: float,
        _on_progress: Any = None,
        *,
        arm: str,
        cell: TrainingCell,
        data_folder: str | None,
        **_: Any,
    ) -> Any:
        assert service == "train"
        assert self.open
        self.asked.append((arm, cell.seed))
        self.folders.append(data_folder)
        outcome = OUTCOMES.get(arm, ANSWER)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def close(self) -> None:
        self.open = False


OUTCOMES: dict[str, Any] = {
    "numpy": WorkerDied("the worker died of signal SIGSEGV"),
    "torch_unfused": WorkerTimedOut("no answer within 3 s; the worker was killed"),
    "torch_compile": WorkerError(RemoteFailure("ValueError", "too odd", "odd.py:1")),
}


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[FakeWorker]:
    FakeWorker.started = []
    monkeypatch.setattr(worker_pool, "WorkerProcess", FakeWorker)
    return FakeWorker.started


def test_each_seed_is_one_cell_that_all_arms_share() -> None:
    plan = convergence.plan(configured(seeds=[3, 4]), ENVIRONMENT)
    cells = {identity.cell.seed: set[str]() for identity in plan}
    for identity in plan:
        cells[identity.cell.seed].add(identity.cell_key)
    assert {seed: len(keys) for seed, keys in cells.items()} == {3: 1, 4: 1}
    assert len({identity.key for identity in plan}) == len(plan) == 6


def test_the_network_without_normalization_is_an_arm_unless_it_is_refused() -> None:
    names = [
        {
            identity.implementation
            for identity in convergence.plan(configured(alternatives=wanted), ENVIRONMENT)
        }
        for wanted in (["none"], [])
    ]
    assert names == [{"torch_native", "numpy", "none"}, {"torch_native", "numpy"}]


@pytest.mark.parametrize(
    "change", [{"learning_rate": 0.2}, {"optimizer": "adam"}, {"steps": 7}, {"model": "cnn"}]
)
def test_a_change_of_the_recipe_makes_other_cells(change: dict[str, Any]) -> None:
    keys = [
        {identity.key for identity in convergence.plan(configured(**task), ENVIRONMENT)}
        for task in ({}, change)
    ]
    assert not keys[0] & keys[1]


def test_missing_data_are_a_usage_error_before_anything_runs() -> None:
    with pytest.raises(
        UsageError,
        match=r"task\.dataset=fashion_mnist: task\.data_folder=nowhere lacks .*bnbench data",
    ):
        convergence.plan(configured(dataset="fashion_mnist", data_folder="nowhere"), ENVIRONMENT)


def test_the_folder_of_the_data_reaches_the_worker_and_names_no_cell(
    hosts: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "find", lambda *_: "found")
    configs = [
        configured(dataset="fashion_mnist", data_folder=folder, seeds=[0])
        for folder in (None, "mine")
    ]
    keys = [
        [identity.key for identity in convergence.plan(config, ENVIRONMENT)] for config in configs
    ]
    assert keys[0] == keys[1]
    measured(configs[1])
    assert {folder for host in hosts for folder in host.folders} == {"mine"}


def test_another_tasks_configuration_and_unresolved_threads_are_programming_errors() -> None:
    other = configured()
    other.task = ConformanceConfig()
    for config in (other, configured(threads=None)):
        with pytest.raises(TypeError):
            convergence.plan(config, ENVIRONMENT)


def test_each_failure_costs_its_own_record_only(hosts: list[FakeWorker]) -> None:
    arms = ("torch_native", "numpy", "torch_unfused", "torch_compile")
    records = measured(configured(*arms, seeds=[0, 1]))
    assert Counter((record.implementation, record.status) for record in records) == {
        ("torch_native", Status.OK): 2,
        ("none", Status.OK): 2,
        ("numpy", Status.CRASHED): 2,
        ("torch_unfused", Status.TIMEOUT): 2,
        ("torch_compile", Status.CRASHED): 2,
    }
    reasons = {record.implementation: record.reason for record in records}
    assert "SIGSEGV" in str(reasons["numpy"])
    assert reasons["torch_compile"] == "it raised ValueError: too odd (at odd.py:1)"
    assert not any(host.open for host in hosts)


def test_one_worker_serves_every_run_until_one_fails_in_it(hosts: list[FakeWorker]) -> None:
    measured(configured("torch_native", seeds=[0, 1, 2]))
    assert [len(host.asked) for host in hosts] == [6]
    hosts.clear()
    measured(configured("torch_native", "numpy", seeds=[0, 1]))
    assert sum(len(host.asked) for host in hosts) == 6
    for host in hosts:
        assert "numpy" not in [name for name, _ in host.asked[:-1]]


def test_arms_of_a_seed_follow_each_other_in_an_order_that_varies(hosts: list[FakeWorker]) -> None:
    seeds = list(range(8))
    measured(configured("torch_native", seeds=seeds))
    asked = hosts[0].asked
    assert [seed for _, seed in asked] == sorted(seeds * 2)
    assert {asked[2 * seed][0] for seed in seeds} == {"torch_native", "none"}


@pytest.mark.slow
def test_the_worker_is_closed_when_the_session_is_cut_short(hosts: list[FakeWorker]) -> None:
    config = configured()
    records = convergence.measure(
        config, convergence.plan(config, ENVIRONMENT), "session", lambda _: None
    )
    next(records)
    cast("Any", records).close()
    assert not any(host.open for host in hosts)


def test_the_machine_is_held_during_each_run_and_only_then_and_the_wait_for_it_is_recorded(
    hosts: list[FakeWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    @contextmanager
    def lease(*, timed: bool) -> Generator[Seconds]:
        assert timed
        asked = sum(len(host.asked) for host in hosts)
        try:
            yield Seconds(0.25)
        finally:
            held.append(sum(len(host.asked) for host in hosts) - asked)

    monkeypatch.setattr(convergence, "machine_lock", lease)
    records = measured(configured("torch_native", seeds=[0, 1]))
    assert held == [1, 1, 1, 1]
    assert {record.cost.lock_wait_seconds for record in records} == {0.25}


@pytest.mark.slow
def test_a_fresh_process_repeats_a_run_bit_for_bit_though_others_ran_and_died_beside_it(
    plugin: str,
) -> None:
    small: dict[str, Any] = {"steps": 12, "evaluate_every": 6, "learning_rate": 0.5, "seeds": [0]}
    announced: list[str] = []
    crowded = {
        record.implementation: record
        for record in measured(
            configured("torch_native", {"_target_": f"{plugin}.Dying"}, **small), announced
        )
    }
    (alone,) = measured(configured("torch_native", alternatives=[], **small))
    dead, beside = crowded[f"{plugin}.Dying"], crowded["torch_native"]
    assert (dead.status, crowded["none"].status, beside.status) == (
        Status.CRASHED,
        Status.OK,
        Status.OK,
    )
    assert "SIGKILL" in str(dead.reason)
    assert "torch_native, seed 0: step 12 of 12" in announced
    assert beside.key == alone.key
    assert len(hashes(beside)) == 4
    assert hashes(beside) == hashes(alone)
    assert record_from_plain(json.loads(to_json(record_to_plain(beside)))) == beside


def hashes(record: TrainingRecord) -> dict[str, str]:
    figures = vars(record.figures)
    return {name: value for name, value in figures.items() if name.endswith("_sha256")}


def test_what_is_not_timed_shares_the_device_and_says_nothing_of_its_pace(plugin: str) -> None:
    small: dict[str, Any] = {
        "steps": 6,
        "evaluate_every": 3,
        "seeds": [0, 1],
        "alternatives": [],
        "timed": False,
    }
    alone, beside = (
        measured(configured("torch_native", **{**small, "timed": timed})) for timed in (True, False)
    )
    assert all(record.figures.seconds_per_step is None for record in beside)
    assert {sample.seconds for record in beside for sample in record.samples} == {None}
    assert sorted(hashes(record)["parameters_sha256"] for record in alone) == sorted(
        hashes(record)["parameters_sha256"] for record in beside
    )
    assert {record.cell.timed for record in beside} == {False}


def test_a_run_that_failed_keeps_its_checkpoint_and_one_that_ended_does_not(
    hosts: list[FakeWorker], tmp_path: Path
) -> None:
    config = configured("torch_native", "numpy", seeds=[0])
    config.results, config.resume = str(tmp_path), True
    plan = convergence.plan(config, ENVIRONMENT)
    for identity in plan:
        kept = convergence.checkpoint(config, identity)
        kept.parent.mkdir(exist_ok=True)
        kept.touch()
    records = list(convergence.measure(config, plan, "session", lambda _: None))
    left = {
        record.implementation: convergence.checkpoint(config, record.identity).exists()
        for record in records
    }
    assert left == {"torch_native": False, "none": False, "numpy": True}


def test_without_resume_a_checkpoint_is_not_gone_on_from(
    hosts: list[FakeWorker], tmp_path: Path
) -> None:
    config = configured("numpy", alternatives=[], seeds=[0])
    config.results = str(tmp_path)
    plan = convergence.plan(config, ENVIRONMENT)
    kept = [convergence.checkpoint(config, identity) for identity in plan]
    kept[0].parent.mkdir()
    for path in kept:
        path.touch()
    list(convergence.measure(config, plan, "session", lambda _: None))
    assert not any(path.exists() for path in kept)


def test_alternatives_run_where_the_baseline_does_and_say_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Place(variables=(("ATEN_CPU_CAPABILITY", "avx2"),))
    facts = PlaceFacts({"torch": "2.12"}, {"torch": "AVX2"}, "their source", None, ())
    monkeypatch.setattr(arm_settings, "_asked", lambda *_: facts)
    monkeypatch.setattr(arm_settings, "_FACTS", arm_settings._KnownFacts())
    slow = {"name": "torch_native", "label": "avx2", "variables": dict(place.variables)}
    config = configured(slow, "numpy", alternatives=[GHOST, WITHOUT])
    config.baseline = "avx2"
    arms = convergence._arms(config)
    assert {name for name in arms if arms[name].place == place} == {"avx2", GHOST, WITHOUT}
    planned = {one.implementation: one for one in convergence.plan(config, ENVIRONMENT)}
    settings = {name: one.arm and one.arm.instruction_sets for name, one in planned.items()}
    assert settings == {
        "avx2": {"torch": "AVX2"},
        "numpy": None,
        GHOST: {"torch": "AVX2"},
        WITHOUT: {"torch": "AVX2"},
    }
