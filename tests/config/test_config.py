"""A misspelt key or value is an error that says what was given, what is allowed, and what it is
like.
"""

from __future__ import annotations

import os
import re

import pytest

from harness.config import ConvergenceConfig, UsageError, composition


@pytest.fixture(autouse=True)
def _registered():
    composition.register()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("device.thread=2", "did you mean 'device.threads'"),
        ("tsk=throughput", "did you mean 'task'"),
        ("marign=0.1", "did you mean 'margin'"),
        ("task=throughptu", "did you mean 'throughput'"),
        ("problem=resnet5", "did you mean 'resnet50'"),
        ("experiment=quik", "did you mean 'quick'"),
        ("problem.dtype=float23", "did you mean 'float32'"),
        ("task.phases=[trainin_step]", "did you mean 'training_step'"),
        ("device.allocator=retainin", "did you mean 'retaining'"),
        ("task.launches=abc", "task.launches=abc; allowed: an integer"),
        ("task.launches=0", "allowed: 1 to 1000"),
        ("task.phases=[]", "at least one"),
        ("task.steps=3", "task=convergence"),
        ("problem.shapes=[[1,2", "quote what the shell"),
        ("+colour=red", "no key can be added"),
        ("device.threads=100000", "allowed: 1 to"),
        ("margin=-1", "allowed: 0.0001 to 1"),
        ("task.accuracy=0", "task.accuracy=0.0; allowed: 1e-18 to 1"),
        ("task.accuracy=-1e-5", "task.accuracy=-1e-05; allowed: 1e-18 to 1"),
        ("task.accuracy=nan", "task.accuracy=nan; allowed: 1e-18 to 1"),
        ("task.accuracy=good", "task.accuracy=good; allowed: a number"),
        ("problem.batch=0", "problem.batch=0; allowed: 1 to"),
        ("problem.activation=gelu", "allowed: null, relu"),
    ],
)
def test_a_slip_is_an_error_with_what_was_probably_meant(override, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        composition.composed([override])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dataset=digit", "task.dataset=digit; did you mean 'digits'?; allowed: digits, mnist1d"),
        ("model=resnet", "did you mean 'resnet20'"),
        ("optimizer=adamw", "allowed: sgd, momentum, rmsprop, adam"),
        ("seeds=[0,0]", "task.seeds=[0, 0]; allowed: integers from 0 to 2**63 - 1, each once"),
        ("seeds=[-1]", "each once"),
        ("seeds=[9223372036854775808]", "each once"),
        ("alternatives=[group_nrom]", "did you mean 'group_norm'"),
    ],
)
def test_a_training_that_cannot_be_is_refused_where_it_is_configured(override, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        composition.composed(["task=convergence", f"task.{override}"])


def test_ghosts_share_a_batch_out_without_a_rest_where_they_are_trained_at_all():
    keys = ["task=convergence", "task.batch=64", "task.ghost_batch=24"]
    assert composition.composed(keys)
    message = "task.batch=64 is no multiple of task.ghost_batch=24"
    with pytest.raises(UsageError, match=message):
        composition.composed([*keys, "task.alternatives=[ghost_batch_norm]"])
    assert composition.composed(["task=convergence", "task.alternatives=[ghost_batch_norm]"])


def test_the_largest_seed_has_63_bits():
    [config] = composition.composed(["task=convergence", f"task.seeds=[{2**63 - 1}]"]).configs
    assert isinstance(config.task, ConvergenceConfig)
    assert config.task.seeds == [2**63 - 1]


def test_a_slip_in_the_last_choice_of_a_sweep_is_found_before_the_first_job():
    with pytest.raises(UsageError, match="float23"):
        list(composition.composed(["problem.dtype=float32,float64,float23"]).jobs())


def test_the_command_line_wins_over_a_preset_and_a_preset_over_the_defaults():
    default, preset, both = (
        composition.composed(overrides).configs[0]
        for overrides in ([], ["experiment=quick"], ["experiment=quick", "problem.batch=4"])
    )
    assert (default.problem.suite, preset.problem.suite) == ("resnet50", "quick")
    assert preset.problem.batch != default.problem.batch
    assert both.problem.batch == 4


def test_a_presets_sweep_is_expanded_but_for_the_keys_that_the_command_line_gives():
    swept = composition.composed(["experiment=quick"])
    assert {config.task.name for config in swept.configs} == {
        "conformance",
        "throughput",
        "convergence",
    }
    chosen = composition.composed(["experiment=quick", "task=throughput_quick"])
    assert {config.task.name for config in chosen.configs} == {"throughput"}
    assert not any(override.startswith("task=conf") for override in chosen.overrides)


@pytest.mark.parametrize(
    "preset", [path.stem for path in sorted((composition.FOLDER / "experiment").glob("*.yaml"))]
)
def test_every_preset_composes(preset):
    assert composition.composed([f"experiment={preset}"]).configs


@pytest.mark.parametrize(
    "override",
    [f"problem={path.stem}" for path in sorted((composition.FOLDER / "problem").glob("*"))],
)
def test_every_problem_group_names_a_suite(override):
    from harness.problems import SUITES

    assert composition.composed([override]).configs[0].problem.suite in SUITES


def test_a_users_own_folder_adds_groups(tmp_path):
    (tmp_path / "problem").mkdir()
    (tmp_path / "problem" / "mine.yaml").write_text("shapes: [[4, 3, 5]]\nsuite: null\n")
    [config] = composition.composed(["problem=mine"], str(tmp_path)).configs
    assert config.problem.shapes == [[4, 3, 5]]


def test_threads_default_to_the_cpus_that_may_be_used():
    assert composition.composed([]).configs[0].device.threads == len(os.sched_getaffinity(0))


def test_leaves_of_the_configuration_have_ten_lines_or_fewer():
    long = [
        path.name
        for path in composition.FOLDER.glob("*/*.yaml")
        if len(path.read_text().splitlines()) > 10
    ]
    assert not long
