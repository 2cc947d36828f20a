"""Two records of the same thing: the same, or the first difference between them."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt
from typing import Any

import pytest

from harness.config import UsageError
from harness.records import Flag, Identity, Interval, Record, Status
from harness.replay.judging import Level, Replay, exit_status, judged, level_of, quotient
from harness.replay.outcomes import Outcome
from harness.replay.recorded_runs import Original

HASHES = {
    "data_sha256": "d" * 64,
    "initial_sha256": "i" * 64,
    "losses_sha256": "l" * 64,
    "parameters_sha256": "p" * 64,
}


def training(
    losses: list[float], accuracy: float | None = 0.9, seed: int = 0, **figures: Any
) -> Record:
    cell = {"seed": seed, "threads": 2, "model": "mlp"}
    told = {
        **HASHES,
        "final_accuracy": accuracy,
        "instruction_set": "AVX2",
        "diverged_at": None,
        "best_validation_accuracy": 0.9,
        **figures,
    }
    samples = [{"step": step, "loss": loss} for step, loss in enumerate(losses, 1)]
    return Record(
        Identity("convergence", "numpy", cell, "source", "here"),
        "s",
        "t",
        Status.OK,
        None,
        (),
        told,
        samples,
    )


def speed(ratio: tuple[float, float, float], *flags: Flag, implementation: str = "numpy") -> Record:
    cell = {"baseline": "torch_native", "margin": 0.03, "seed": 0}
    own = dict(zip(("estimate", "low", "high"), ratio, strict=True))
    told = (
        {"floor": {"ratio": own}, "ratio": None}
        if implementation == "torch_native"
        else {"floor": None, "ratio": own}
    )
    return Record(
        Identity("throughput", implementation, cell, "source", "here"),
        "s",
        "t",
        Status.OK,
        None,
        flags,
        told,
    )


def found(original: Record, again: Record, level: Level = Level.BITWISE) -> Replay:
    [replay] = judged([(Original(original, {}, {}), again)], level)
    return replay


def test_equal_hashes_are_the_same_and_say_of_what() -> None:
    replay = found(training([2.0, 1.0]), training([2.0, 1.0]))
    assert (replay.outcome, replay.note) == (
        Outcome.SAME,
        "bit for bit: data, initial weights, 2 losses, parameters and buffers",
    )


def test_the_first_loss_that_differs_is_named_with_both_values_and_the_distance() -> None:
    replay = found(
        training([2.0, 1.0, 3.0]),
        training([2.0, 1.0000001192092896, 4.0], parameters_sha256="q" * 64),
    )
    assert replay.outcome is Outcome.DIFFERENT
    assert replay.note == "losses first differ at step 2: 1.0 → 1.0000001192092896, 1 ulp"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"data_sha256": "x" * 64},
            "the data are others: SHA-256 dddddddddddddddd… → xxxxxxxxxxxxxxxx…",
        ),
        ({"initial_sha256": "x" * 64}, "the initial weights are others"),
        ({"losses_sha256": "x" * 64}, "the hash of the losses is another one"),
        ({"parameters_sha256": "x" * 64}, "parameters or buffers differ after the same losses"),
        ({"diverged_at": 7}, "diverged at: None → 7"),
        ({"best_validation_accuracy": 0.99}, "best validation accuracy: 0.9 → 0.99"),
    ],
)
def test_whatever_else_differs_first_is_named(changed: dict[str, str], said: str) -> None:
    replay = found(training([1.0]), training([1.0], **changed))
    assert replay.outcome is Outcome.DIFFERENT
    assert replay.note.startswith(said)


def test_another_norm_at_a_step_is_a_difference_and_another_time_is_none() -> None:
    def looked(norm: float, seconds: float) -> Record:
        record = training([1.0])
        return replace(
            record, samples=[{**record.samples[0], "gradient_norm": norm, "seconds": seconds}]
        )

    assert found(looked(2.0, 0.1), looked(3.0, 0.1)).note == "gradient norm at step 1: 2.0 → 3.0"
    assert found(looked(2.0, 0.1), looked(2.0, 0.2)).outcome is Outcome.SAME


@pytest.mark.parametrize(
    ("task", "reason", "outcome"),
    [
        ("convergence", "it fell over", Outcome.SAME),
        ("convergence", "it was killed", Outcome.AMBIGUOUS),
        ("conformance", "it was killed", Outcome.AMBIGUOUS),
    ],
)
def test_two_failures_are_the_same_only_for_the_same_reason(
    task: str, reason: str, outcome: Outcome
) -> None:
    fallen = replace(
        training([]),
        identity=Identity(task, "numpy", {"seed": 0}, "source", "here"),
        status=Status.CRASHED,
        figures=None,
        reason="it fell over",
    )
    replay = found(fallen, replace(fallen, reason=reason))
    assert replay.outcome is outcome
    assert "bit for bit" not in replay.note


def test_a_curve_that_ends_earlier_differs_where_it_ends() -> None:
    assert "step 2: 1.0 → none" in found(training([2.0, 1.0]), training([2.0])).note


def test_another_status_is_a_difference_with_its_reason() -> None:
    crashed = replace(training([1.0]), status=Status.CRASHED, figures=None, reason="it fell over")
    replay = found(training([1.0]), crashed)
    assert (replay.outcome, replay.note) == (Outcome.DIFFERENT, "OK → CRASHED: it fell over")


@pytest.mark.parametrize(
    ("after", "outcome"),
    [(0.895, Outcome.SAME), (0.88, Outcome.DIFFERENT), (None, Outcome.DIFFERENT)],
)
def test_trainings_are_equivalent_within_one_point_whatever_their_bits(
    after: float | None, outcome: Outcome
) -> None:
    assert found(training([1.0], 0.9), training([2.0], after), Level.EQUIVALENT).outcome is outcome


@pytest.mark.parametrize(
    ("differences", "outcome"),
    [
        ([0.001, -0.002, 0.0, 0.001, -0.001, 0.0], Outcome.SAME),
        ([0.05, 0.051, 0.049, 0.05, 0.052, 0.05], Outcome.DIFFERENT),
        ([0.04, -0.04, 0.03, -0.03, 0.02, -0.02], Outcome.AMBIGUOUS),
    ],
)
def test_at_the_statistical_level_all_seeds_are_judged_as_one(
    differences: list[float], outcome: Outcome
) -> None:
    pairs = [
        (Original(training([1.0], 0.8, seed), {}, {}), training([2.0], 0.8 + difference, seed))
        for seed, difference in enumerate(differences)
    ]
    [replay] = judged(pairs, Level.STATISTICAL)
    assert replay.outcome is outcome
    assert "over 6 seeds" in replay.note


@pytest.mark.parametrize(
    ("seeds", "fallen", "diverged", "outcome", "said"),
    [
        (5, [], [], Outcome.AMBIGUOUS, "5 seeds with a test accuracy; a verdict takes 6"),
        (8, [2], [], Outcome.DIFFERENT, "at seed 2: OK → CRASHED"),
        (8, [], [3], Outcome.AMBIGUOUS, "one alone diverged at seed 3"),
    ],
)
def test_no_seed_is_left_out_to_call_the_others_the_same(
    seeds: int,
    fallen: list[int],
    diverged: list[int],
    outcome: Outcome,
    said: str,
) -> None:
    pairs = []
    for seed in range(seeds):
        again = training([1.0], None if seed in diverged else 0.8, seed)
        if seed in fallen:
            again = replace(
                again, status=Status.CRASHED, figures=None, samples=[], reason="it fell over"
            )
        pairs.append((Original(training([1.0], 0.8, seed), {}, {}), again))
    [replay] = judged(pairs, Level.STATISTICAL)
    assert replay.outcome is outcome
    assert said in replay.note


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        ((0.501, 0.499, 0.503), Outcome.SAME),
        ((0.4, 0.39, 0.41), Outcome.FASTER),
        ((0.6, 0.59, 0.61), Outcome.SLOWER),
        ((0.52, 0.4, 0.7), Outcome.AMBIGUOUS),
    ],
)
@pytest.mark.parametrize("implementation", ["numpy", "torch_native"])
def test_times_are_compared_by_their_ratios_to_what_was_measured_beside_them(
    after: tuple[float, float, float],
    outcome: Outcome,
    implementation: str,
) -> None:
    replay = found(
        *(speed(ratio, implementation=implementation) for ratio in ((0.5, 0.498, 0.502), after)),
        Level.STATISTICAL,
    )
    assert replay.outcome is outcome


def test_a_flag_forbids_a_verdict_on_times() -> None:
    replay = found(
        speed((0.5, 0.49, 0.51)), speed((0.3, 0.29, 0.31), Flag.DISTURBED), Level.STATISTICAL
    )
    assert replay.outcome is Outcome.AMBIGUOUS
    assert "DISTURBED" in replay.note


def test_half_widths_of_a_quotient_add_in_quadrature() -> None:
    wide = quotient(Interval(2.0, 2 / exp(0.3), 2 * exp(0.3)), Interval(1.0, exp(-0.4), exp(0.4)))
    assert wide.estimate == pytest.approx(2)
    assert log(wide.high / wide.estimate) == pytest.approx(sqrt(0.3**2 + 0.4**2))
    assert log(wide.estimate / wide.low) == pytest.approx(0.5)


def test_what_may_explain_a_difference_is_told_by_name() -> None:
    again = training([2.0], instruction_set="AVX512")
    again = replace(again, identity=replace(again.identity, cell={**again.cell, "threads": 1}))
    assert found(training([1.0]), again).differences == {
        "threads": (2, 1),
        "instruction set in use": ("AVX2", "AVX512"),
    }


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([Outcome.SAME, Outcome.FASTER], 0),
        ([Outcome.SAME, Outcome.DIFFERENT], 1),
        ([Outcome.SLOWER], 1),
        ([Outcome.SAME, Outcome.AMBIGUOUS], 3),
        ([], 3),
    ],
)
def test_the_exit_status_tells_same_different_and_undecided_apart(
    outcomes: list[Outcome], status: int
) -> None:
    record = training([1.0])
    assert (
        exit_status(Replay(Original(record, {}, {}), record, outcome, "") for outcome in outcomes)
        == status
    )


def test_a_level_that_a_task_does_not_have_is_refused() -> None:
    assert level_of("convergence", None) is Level.BITWISE
    assert level_of("throughput", None) is Level.STATISTICAL
    with pytest.raises(
        UsageError, match=r"--level bitwise is no level of task=throughput.*allowed: statistical"
    ):
        level_of("throughput", "bitwise")
