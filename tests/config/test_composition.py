"""A sweep's jobs are what Hydra makes of the same words, and each is judged by its own values."""

from __future__ import annotations

import pytest
from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_class

from harness.config import ConvergenceConfig, UsageError, composition, groups
from harness.config.groups import BASIC_SWEEPER

SWEEPS = [
    ["seed=1,2", "margin=0.01,0.02"],
    ["task=convergence", "task.steps=10,20", "task.optimizer=adam"],
    ["experiment=quick"],
    ["experiment=dtypes", "problem.batch=2,4", "results=elsewhere"],
    ["task.steps=7,8", "task=convergence,convergence_quick"],
    ["seed=range(0,3)", "problem.shapes=[[4,3]],[[4,3,5],[2,2]]", "seed=5,6"],
    ["task.blocks=choice(3,4)", "problem=glob([quick,mlp])", "tracking=none"],
    ["margin=range(0.1,0.3,0.1)", "task.cache='warm','cold'"],
    ["margin=0.01,0.02", "problem.batch=3", "problem={batch: 7}"],
    ["problem={dtype: float64},{batch: 3}", "task.blocks=2,3"],
    ["implementations=[numpy]", "problem.shapes=[[4,3]],null", "problem.activation=null,relu"],
    ["problem={dtype: float64}", "problem.residual=true,false", "journal=${results}/j"],
    ["implementations=[torch_native,{_target_: json.JSONDecoder, a: 'x y'}]", "++seed=3,4"],
    ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "baseline=numpy,torch_native"],
]


@pytest.fixture(autouse=True)
def _registered():
    composition.register()


@pytest.mark.parametrize("words", SWEEPS, ids=" ".join)
def test_jobs_are_those_of_hydras_own_sweeper_and_composed_alike(words):
    made = composition.composed(words)
    with composition._hydra():
        parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        for_sweeper = parser.parse_overrides(
            [word for word in made.overrides if "hydra" not in word]
        )
        [batch] = BasicSweeper.split_arguments(for_sweeper, None)
        alike = [composition.as_object(compose("config", overrides=job)) for job in batch]
    assert made.configs == alike
    assert made.count == len(batch) > 1


def test_a_key_on_the_command_line_replaces_the_presets_sweep_over_it():
    chosen = composition.composed(["experiment=quick", "task=throughput_quick"])
    assert [config.task.name for config in chosen.configs] == ["throughput"]
    assert chosen.multirun


def test_groups_are_composed_once_however_many_jobs_there_are(monkeypatch):
    calls = []
    monkeypatch.setattr(groups, "compose", lambda *a, **k: calls.append(a) or compose(*a, **k))
    made = composition.composed(["seed=range(0,40)", "task=convergence,throughput"])
    assert len(made.configs) == 80
    assert len(calls) == 3  # the base, and each task


@pytest.mark.parametrize(
    "words",
    [
        [
            "task=convergence",
            "task.alternatives=[ghost_batch_norm]",
            "task.ghost_batch=24",
            "task.batch=48,96",
        ],
        ["problem.shapes=[[1,64]]", "task.phases=[inference],[backward_inference]"],
        ["problem.batch=0", "problem.batch=1,2"],
    ],
)
def test_a_sweep_is_not_refused_for_values_that_no_job_has(words):
    assert len(composition.composed(words).configs) == 2


def test_an_interval_is_for_a_sweeper_that_samples():
    words = ["task=convergence", "task.learning_rate=interval(0.01,0.1)"]
    with pytest.raises(UsageError, match="sampled"):
        composition.composed(words)
    sampled = composition.composed([*words, "hydra.sweeper._target_=hydra_plugins.mine.Sampler"])
    assert isinstance(sampled.first.task, ConvergenceConfig)
    assert sampled.first.task.learning_rate == 0.01
    assert sampled.count == 1


def test_a_job_that_raises_is_the_last_where_jobs_run_one_by_one():
    assert "hydra.sweeper.max_batch_size=1" in composition.composed(["seed=1,2"]).overrides
    parallel = composition.composed(["seed=1,2", "hydra/launcher=joblib"])
    assert "hydra.sweeper.max_batch_size=1" not in parallel.overrides
    single = composition.composed(["seed=1"], multirun=False)
    assert single.overrides == ["seed=1"]


def test_hydra_does_not_compose_all_jobs_again_before_it_starts_the_first():
    composition.register()
    sweeper = get_class(BASIC_SWEEPER)(max_batch_size=None)
    sweeper.validate_batch_is_legal([["seed=1"]])  # it could not compose: it was never set up


def test_a_choice_of_configuration_shows_every_job():
    texts = list(composition.composed(["seed=1,2"]).texts("job"))
    assert [text.splitlines()[0] for text in texts] == ["# job 0: seed=1", "# job 1: seed=2"]
    [alone] = composition.composed(["seed=7"], multirun=False).texts("all")
    assert "seed: 7" in alone
    assert "launcher:" in alone
    [of_hydra] = composition.composed([], multirun=False).texts("hydra")
    assert of_hydra.startswith("hydra:")
