"""A key that a command line gives changes something, or is refused with the reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.config import (
    Config,
    ConformanceConfig,
    ConvergenceConfig,
    DeviceConfig,
    ProblemConfig,
    ThroughputConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.effects import refuse_without_effect

PARTS = ProblemConfig(suite="mlp"), DeviceConfig(), TrackingConfig()
CONFORMANCE = Config(ConformanceConfig(), *PARTS)
CONVERGENCE = Config(ConvergenceConfig(), *PARTS)
GHOSTS = Config(ConvergenceConfig(alternatives=["ghost_batch_norm"]), *PARTS)
THROUGHPUT = Config(ThroughputConfig(), *PARTS)
SHAPES = replace(THROUGHPUT, problem=ProblemConfig(suite="mlp", shapes=[[4, 3, 5]]))
UNTRACKED = replace(THROUGHPUT, tracking=TrackingConfig(enabled=False))
REFUSED = [
    (CONFORMANCE, "problem.dtype=float16", "problem.dtype=float16 has no effect: task=conform"),
    (CONFORMANCE, "problem=mlp", "problems of their own"),
    (CONFORMANCE, "++problem.dtype=float16", "problems of their own"),
    (CONFORMANCE, "~problem", "problems of their own"),
    (CONFORMANCE, "seed=3", "seeds of their own"),
    (CONFORMANCE, "baseline=numpy", "compares no implementation"),
    (CONFORMANCE, "margin=0.1", "times nothing"),
    (CONFORMANCE, "alpha=0.1", "estimates nothing"),
    (CONVERGENCE, "problem.dtype=float16", "those of task.model"),
    (CONVERGENCE, "margin=0.1", "within one point"),
    (CONVERGENCE, "task.ghost_batch=32", "task.alternatives has no ghost_batch_norm"),
    (SHAPES, "problem.batch=8", "problem.shapes says"),
    (SHAPES, "problem.suite=mlp", "problem.shapes says"),
    (SHAPES, "problem=mlp", "problem.shapes says"),
    (UNTRACKED, "tracking.uri=x", "tracking is turned off"),
    (UNTRACKED, "tracking.experiment=x", "tracking is turned off"),
]
TAKEN = [
    (CONFORMANCE, "task.cases=data/* device.threads=1 resume=true results=r experiment=quick"),
    (CONVERGENCE, "seed=3 baseline=numpy alpha=0.1 task.alternatives=[none]"),
    (GHOSTS, "task.ghost_batch=32"),
    (SHAPES, "problem.dtype=float16 seed=3 margin=0.1 alpha=0.1 baseline=numpy problem=another"),
    (THROUGHPUT, "problem=mlp problem.batch=8 tracking.uri=x hydra.verbose=a hydra.verbose=b"),
]


@pytest.mark.parametrize(("config", "word", "reason"), REFUSED)
def test_a_key_without_effect_is_refused_with_the_reason(config, word, reason):
    with pytest.raises(UsageError) as raised:
        refuse_without_effect([word], [config, config])
    assert reason in str(raised.value)
    assert str(raised.value).endswith("; leave it out")


@pytest.mark.parametrize(("config", "words"), TAKEN)
def test_a_key_that_changes_something_is_taken(config, words):
    refuse_without_effect(words.split(), [config])


def test_a_key_that_changes_something_in_one_job_of_several_is_taken():
    refuse_without_effect(["problem.dtype=float16"], [CONFORMANCE, THROUGHPUT, CONVERGENCE])


@pytest.mark.parametrize("words", [["seed=1", "seed=2"], ["seed=1", "++seed=2"]])
def test_a_key_that_is_given_two_values_is_refused(words):
    with pytest.raises(UsageError, match="seed=2 contradict each other; give one of them"):
        refuse_without_effect(words, [THROUGHPUT])
    refuse_without_effect([words[0], words[0]], [THROUGHPUT])
