"""What is run again, and under which configuration."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from harness.config import (
    Config,
    ConvergenceConfig,
    DeviceConfig,
    ProblemConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.restoring import restored
from harness.environment import Environment
from harness.records import Status, TrainingCell, TrainingRecord, differing, plain_fields
from harness.replay.recorded_runs import Original
from harness.replay.rerun import jobs
from harness.tasks import convergence

HERE = Environment({}, {})


def configured(**task: Any) -> Config:
    return Config(
        task=ConvergenceConfig(**task),
        problem=ProblemConfig(),
        device=DeviceConfig(threads=1),
        tracking=TrackingConfig(),
        implementations=["torch_native", "numpy"],
        results="there",
    )


def originals(config: Config, *renamed: str) -> list[Original]:
    found = []
    for identity in convergence.plan(config, HERE):
        record = TrainingRecord(identity, "s", "t", Status.UNAVAILABLE, "no matter")
        found.append(Original(record, asdict(config), HERE))
    for name, original in zip(renamed, found, strict=False):
        object.__setattr__(original.record.identity, "implementation", name)
    return found


def test_every_original_is_run_as_what_it_was_and_journalled_here() -> None:
    config, here = configured(seeds=[3, 4]), configured()
    here.results = "here"
    [job] = jobs(originals(config), [], here, HERE)
    assert [identity.key for identity in job.identities] == [
        original.record.key for original in job.originals
    ]
    assert job.config.results == "here"
    assert not job.config.resume


def test_an_override_changes_what_it_names_and_nothing_else() -> None:
    config = configured(seeds=[3])
    [job] = jobs(originals(config), ["task.optimizer=adam"], config, HERE)
    for original, identity in zip(job.originals, job.identities, strict=True):
        before, after = plain_fields(original.record.cell), plain_fields(identity.cell)
        assert set(differing(before, after)) == {"optimizer", "learning_rate"}


def test_jobs_of_a_session_keep_their_own_configurations() -> None:
    found = [*originals(configured(seeds=[0])), *originals(configured(seeds=[0], optimizer="adam"))]
    one, other = jobs(found, [], configured(), HERE)
    cells = [job.identities[0].cell for job in (one, other)]
    assert {cell.optimizer for cell in cells if isinstance(cell, TrainingCell)} == {"sgd", "adam"}


def test_an_override_that_leaves_the_original_out_is_refused() -> None:
    config = configured(seeds=[3])
    with pytest.raises(UsageError, match="is not part of what this configuration measures"):
        jobs(originals(config), ["task.seeds=[5]"], config, HERE)


def test_what_comes_from_outside_has_to_be_named_again() -> None:
    config = configured(seeds=[3])
    with pytest.raises(
        UsageError,
        match=r"evil\.Bn comes from outside bnbench.*'implementations=\[\{_target_: evil\.Bn\}\]'",
    ):
        jobs(originals(config, "evil.Bn"), [], config, HERE)


def test_what_a_package_registered_takes_that_package() -> None:
    config = configured(seeds=[3])
    with pytest.raises(UsageError, match=r"mine was registered by a package that is not installed"):
        jobs(originals(config, "mine"), [], config, HERE)


def test_the_message_names_an_implementation_with_its_arguments() -> None:
    config = configured(seeds=[3])
    with pytest.raises(
        UsageError, match=r"'implementations=\[\{_target_: evil\.Bn, how: badly\}\]'"
    ):
        jobs(originals(config, "evil.Bn(how=badly)"), [], config, HERE)


def test_a_baseline_from_outside_has_to_be_named_too() -> None:
    config = configured(seeds=[3])
    found = [
        Original(one.record, {**one.config, "baseline": "evil.Bn"}, HERE)
        for one in originals(config)
    ]
    with pytest.raises(UsageError, match=r"evil\.Bn comes from outside bnbench"):
        jobs(found, [], config, HERE)


def test_an_arm_with_a_label_has_to_be_named_again_and_then_is_what_it_was() -> None:
    item = {"name": "numpy", "label": "mine"}
    config = configured(seeds=[3])
    config.implementations = ["torch_native", item]
    with pytest.raises(
        UsageError, match=r"mine: .*'implementations=\[\{name: numpy, label: mine\}\]'"
    ):
        jobs(originals(config), [], config, HERE)
    found = originals(config)
    [job] = jobs(found, ["implementations=[{name: numpy, label: mine}]"], config, HERE)
    assert [identity.key for identity in job.identities] == [one.record.key for one in found]


def test_a_baseline_that_runs_elsewhere_is_not_taken_for_the_one_here() -> None:
    item = {"name": "torch_native", "variables": {"ATEN_CPU_CAPABILITY": "avx2"}}
    config = configured(seeds=[3])
    [other] = [one for one in originals(config) if one.record.implementation == "numpy"]
    found = [Original(other.record, {**other.config, "implementations": [item, "numpy"]}, HERE)]
    with pytest.raises(UsageError, match=r"torch_native: .*variables: \{ATEN_CPU_CAPAB"):
        jobs(found, [], config, HERE)


def test_an_implementation_that_is_not_replayed_is_refused() -> None:
    config = configured(seeds=[3])
    with pytest.raises(
        UsageError, match="implementations has fused_cpu, of which nothing is replayed here"
    ):
        jobs(originals(config), ["implementations=[fused_cpu]"], config, HERE)


def test_no_implementation_from_outside_is_taken_from_a_written_configuration() -> None:
    config = configured()
    config.implementations = [{"_target_": "evil.Bn"}]
    assert restored(asdict(config)).implementations == ["torch_native"]
    assert restored(asdict(config), ["implementations=[{_target_: mine.Bn}]"]).implementations == [
        {"_target_": "mine.Bn"}
    ]


@pytest.mark.parametrize(
    ("override", "message"), [("task.stepz=3", "stepz"), ("device.threads=many", "many")]
)
def test_an_override_that_makes_no_sense_is_wrong_usage(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        restored(asdict(configured()), [override])
