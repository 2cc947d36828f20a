"""What a cell of the convergence task says, and what its identities' hashes cover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.analysis.matching import matching_key
from harness.analysis.training_groups import training_groups
from harness.config import UsageError
from harness.config.choices import ALTERNATIVES, DatasetName
from harness.environment import machine
from harness.records import Status, TrainingRecord
from harness.tasks import convergence
from harness.training import datasets
from tests.tasks.test_convergence import ANSWER, ENVIRONMENT, configured


def record(alpha: float, **changes: Any) -> TrainingRecord:
    """Of the first run, made up, of a configuration that asks for intervals at ``alpha``."""
    config = configured(**changes)
    config.alpha = alpha
    first, *_ = convergence.plan(config, ENVIRONMENT)
    return TrainingRecord(first, "session", "now", Status.OK, figures=ANSWER.figures)


def test_intervals_of_a_race_are_as_sure_as_the_configuration_asks() -> None:
    (race,) = training_groups([record(0.2)])
    assert race.alpha == 0.2


def test_huge_pages_asked_for_make_other_cells() -> None:
    configs = configured(), configured()
    configs[1].device.huge_pages = "asked"
    plans = [convergence.plan(config, ENVIRONMENT) for config in configs]
    assert [{identity.cell.huge_pages for identity in plan} for plan in plans] == [
        {"default"},
        {"asked"},
    ]
    assert not {identity.key for identity in plans[0]} & {identity.key for identity in plans[1]}


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_a_data_set_has_a_target_of_its_own_in_whose_place_another_can_be_asked_for(
    name: DatasetName, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "find", lambda *_: "")
    own = {
        identity.cell.target for identity in convergence.plan(configured(dataset=name), ENVIRONMENT)
    }
    assert own == {datasets.DATASETS[name].target}
    given = convergence.plan(configured(dataset=name, target=0.123), ENVIRONMENT)
    assert {identity.cell.target for identity in given} == {0.123}


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"batch": 1198}, "task.batch=1198.*digits has 1197 images.*allowed: 2 to 1197"),
        ({"dataset": "mnist1d", "batch": 3601}, "mnist1d has 3600 images"),
        ({"width": 1 << 20, "depth": 1000}, "takes 7.80 PiB .*smaller task.width"),
    ],
)
def test_what_no_arm_could_train_is_refused_before_anything_runs(
    task: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "memory_total", lambda: 24 * 2**30)
    with pytest.raises(UsageError, match=message):
        convergence.plan(configured(**task), ENVIRONMENT)
    assert convergence.plan(configured(batch=1197), ENVIRONMENT)


def test_runs_that_differ_in_alpha_alone_are_compared_with_each_other() -> None:
    assert matching_key(record(0.2)) == matching_key(record(0.05))
    assert matching_key(record(0.2)) != matching_key(record(0.2, steps=7))


def test_ghosts_are_trained_anew_when_the_baseline_that_they_compute_with_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "changing_bn.py"
    module.write_text("from troublesome_bn import Native")
    monkeypatch.syspath_prepend(tmp_path)
    config = configured(
        {"_target_": "changing_bn.Native"}, "numpy", alternatives=list(ALTERNATIVES)
    )
    config.baseline = "changing_bn.Native"
    before = {
        identity.implementation: identity.source
        for identity in convergence.plan(config, ENVIRONMENT)
    }
    with module.open("a") as file:
        file.write("  # another one")
    after = {
        identity.implementation: identity.source
        for identity in convergence.plan(config, ENVIRONMENT)
    }
    assert {name for name in after if after[name] != before[name]} == {
        config.baseline,
        "ghost_batch_norm",
    }
