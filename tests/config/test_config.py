"""A misspelt key or value is an error that says what was given, what is allowed, and what it is
like.
"""

from __future__ import annotations

import pytest

from harness.config import UsageError, composition


@pytest.fixture(autouse=True)
def _registered():
    composition.register()


@pytest.mark.parametrize(
    ("override", "said"),
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
        ("task.launches=abc", "task.launches: Value 'abc'"),
        ("task.launches=0", "allowed: 1 to 1000"),
        ("task.phases=[]", "at least one"),
        ("task.steps=3", "task=convergence"),
        ("problem.shapes=[[1,2", "quote what the shell"),
        ("+colour=red", "no key can be added"),
        ("device.threads=100000", "allowed: 1 to"),
        ("margin=-1", "allowed: 0.0001 to 1"),
    ],
)
def test_a_slip_is_told_with_what_was_probably_meant(override, said):
    with pytest.raises(UsageError, match=said.replace("[", r"\[").replace("'", "'")):
        composition.composed([override])


def test_a_slip_in_the_last_choice_of_a_sweep_is_found_before_the_first_job():
    with pytest.raises(UsageError, match="float23"):
        composition.composed(["problem.dtype=float32,float64,float23"])


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
    import os

    assert composition.composed([]).configs[0].device.threads == len(os.sched_getaffinity(0))


def test_leaves_of_the_configuration_have_ten_lines_or_fewer():
    long = [
        path.name
        for path in composition.FOLDER.glob("*/*.yaml")
        if len(path.read_text().splitlines()) > 10
    ]
    assert not long
