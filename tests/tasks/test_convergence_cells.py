"""What a cell of the convergence task says, and what its identities' hashes cover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.analysis.matching import matching_key
from harness.analysis.training_groups import training_groups
from harness.config.choices import ALTERNATIVES
from harness.records import Status, TrainingRecord
from harness.tasks import convergence
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


def test_runs_that_differ_in_alpha_alone_are_compared_with_each_other() -> None:
    assert matching_key(record(0.2)) == matching_key(record(0.05))
    assert matching_key(record(0.2)) != matching_key(record(0.2, steps=7))


def test_ghosts_are_trained_anew_when_the_baseline_that_they_compute_with_changes(
    plugin: str, tmp_path: Path
) -> None:
    config = configured(
        {"_target_": f"{plugin}.Refusing"}, "numpy", alternatives=list(ALTERNATIVES)
    )
    config.baseline = f"{plugin}.Refusing"
    before = {
        identity.implementation: identity.source
        for identity in convergence.plan(config, ENVIRONMENT)
    }
    with (tmp_path / f"{plugin}.py").open("a") as file:
        file.write("# another one")
    after = {
        identity.implementation: identity.source
        for identity in convergence.plan(config, ENVIRONMENT)
    }
    assert {name for name in after if after[name] != before[name]} == {
        config.baseline,
        "ghost_batch_norm",
    }
