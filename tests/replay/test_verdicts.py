"""Two records of the same thing: the same, or the first difference between them."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt
from typing import Any

import pytest

from harness.config import UsageError
from harness.environment import Environment
from harness.records import (
    AnyRecord,
    ComparedQuantity,
    Flag,
    Interval,
    Seconds,
    Status,
    TrainingRecord,
    TrainingStep,
)
from harness.replay import Level, Outcome, Replay, exit_status
from harness.replay.levels import level_of
from harness.replay.ratio_comparison import quotient
from harness.replay.recorded_runs import Original
from harness.replay.verdicts import compare_pairs
from tests.helpers.made_records import case_record, speed_record, training_record


def original(record: AnyRecord) -> Original:
    return Original(record, {}, Environment())


def found(before: AnyRecord, after: AnyRecord, level: Level = Level.BITWISE) -> Replay:
    [replay] = compare_pairs([(original(before), after)], level)
    return replay


def test_equal_hashes_are_the_same_and_the_note_says_of_what() -> None:
    replay = found(training_record((2.0, 1.0)), training_record((2.0, 1.0)))
    assert (replay.outcome, replay.note) == (
        Outcome.SAME,
        "bit for bit: data, initial weights, 2 losses, parameters and buffers",
    )


def test_the_first_loss_that_differs_is_named_with_both_values_and_the_distance() -> None:
    replay = found(
        training_record((2.0, 1.0, 3.0)),
        training_record((2.0, 1.0000001192092896, 4.0), parameters_sha256="q" * 64),
    )
    assert replay.outcome is Outcome.DIFFERENT
    assert replay.note == "losses first differ at step 2: 1.0 → 1.0000001192092896, 1 ulp"


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        (
            {"data_sha256": "x" * 64},
            "the data differ: SHA-256 dddddddddddddddd… → xxxxxxxxxxxxxxxx…",
        ),
        ({"initial_sha256": "x" * 64}, "the initial weights differ"),
        ({"losses_sha256": "x" * 64}, "the hash of the losses differs"),
        ({"parameters_sha256": "x" * 64}, "parameters or buffers differ after the same losses"),
        ({"diverged_at": 7}, "diverged at: None → 7"),
        ({"best_validation_accuracy": 0.99}, "best validation accuracy: 0.9 → 0.99"),
    ],
)
def test_whatever_else_differs_first_is_named(changed: dict[str, Any], note: str) -> None:
    replay = found(training_record(), training_record((2.0, 1.0), **changed))
    assert replay.outcome is Outcome.DIFFERENT
    assert replay.note.startswith(note)


def test_what_an_old_record_lacks_is_not_compared() -> None:
    old = training_record(data_sha256=None, initial_sha256=None, steps=None)
    new = training_record(steps=2)
    assert new.figures is not None
    steps = tuple(replace(step, gradient_norm=2.0, running_lag=0.1) for step in new.samples)
    assert found(old, replace(new, samples=steps)).outcome is Outcome.SAME


def test_another_norm_at_a_step_is_a_difference_and_another_time_is_none() -> None:
    def observed(norm: float, seconds: float) -> TrainingRecord:
        step = TrainingStep(1, 1.0, Seconds(seconds), gradient_norm=norm)
        return replace(training_record(), samples=(step,))

    before = observed(2.0, 0.1)
    assert found(before, observed(3.0, 0.1)).note == "gradient norm at step 1: 2.0 → 3.0"
    assert found(before, observed(2.0, 0.2)).outcome is Outcome.SAME


def test_another_error_of_a_case_is_a_difference_and_so_is_a_missing_quantity() -> None:
    output = ComparedQuantity("output", passed=True, ratio=0.25)
    before = case_record(samples=(output,))
    assert found(before, before).note == "every quantity, bit for bit"
    closer = case_record(samples=(replace(output, ratio=0.125),))
    assert found(before, closer).note == "output: ratio 0.25 → 0.125"
    assert found(before, case_record()).note == "1 quantities were compared, and now 0"


@pytest.mark.parametrize(
    ("reason", "outcome"), [("it fell over", Outcome.SAME), ("it was killed", Outcome.AMBIGUOUS)]
)
@pytest.mark.parametrize(
    "fallen",
    [
        training_record((), status=Status.CRASHED),
        case_record(status=Status.CRASHED, reason="it fell over"),
    ],
)
def test_two_failures_are_the_same_only_for_the_same_reason(
    fallen: AnyRecord, reason: str, outcome: Outcome
) -> None:
    replay = found(fallen, replace(fallen, reason=reason))
    assert replay.outcome is outcome
    assert "bit for bit" not in replay.note


def test_a_curve_that_ends_earlier_differs_where_it_ends() -> None:
    assert "step 2: 1.0 → none" in found(training_record(), training_record((2.0,))).note


def test_another_status_is_a_difference_with_its_reason() -> None:
    replay = found(training_record(), training_record(status=Status.CRASHED))
    assert (replay.outcome, replay.note) == (Outcome.DIFFERENT, "OK → CRASHED: it fell over")


def test_records_of_two_tasks_are_no_pair() -> None:
    with pytest.raises(TypeError, match="a convergence record was compared with a conformance"):
        found(training_record(), case_record())


@pytest.mark.parametrize(
    ("after", "outcome"),
    [(0.895, Outcome.SAME), (0.88, Outcome.DIFFERENT), (None, Outcome.DIFFERENT)],
)
def test_trainings_are_equivalent_within_one_point_whatever_their_bits(
    after: float | None, outcome: Outcome
) -> None:
    replay = found(training_record((1.0,), 0.9), training_record((2.0,), after), Level.EQUIVALENT)
    assert replay.outcome is outcome


@pytest.mark.parametrize(
    ("differences", "outcome"),
    [
        ([0.001, -0.002, 0.0, 0.001, -0.001, 0.0], Outcome.SAME),
        ([0.05, 0.051, 0.049, 0.05, 0.052, 0.05], Outcome.DIFFERENT),
        ([0.04, -0.04, 0.03, -0.03, 0.02, -0.02], Outcome.AMBIGUOUS),
    ],
)
def test_at_the_statistical_level_all_seeds_are_compared_as_one(
    differences: list[float], outcome: Outcome
) -> None:
    pairs = [
        (
            original(training_record((1.0,), 0.8, seed=seed)),
            training_record((2.0,), 0.8 + difference, seed=seed),
        )
        for seed, difference in enumerate(differences)
    ]
    [replay] = compare_pairs(pairs, Level.STATISTICAL)
    assert replay.outcome is outcome
    assert "over 6 seeds" in replay.note


@pytest.mark.parametrize(
    ("seeds", "fallen", "diverged", "outcome", "note"),
    [
        (5, [], [], Outcome.AMBIGUOUS, "5 seeds with a test accuracy; a verdict takes 6"),
        (8, [2], [], Outcome.DIFFERENT, "at seed 2: OK → CRASHED"),
        (8, [], [3], Outcome.AMBIGUOUS, "one alone diverged at seed 3"),
    ],
)
def test_no_seed_is_left_out_to_call_the_others_the_same(
    seeds: int, fallen: list[int], diverged: list[int], outcome: Outcome, note: str
) -> None:
    pairs = []
    for seed in range(seeds):
        accuracy = None if seed in diverged else 0.8
        status = Status.CRASHED if seed in fallen else Status.OK
        again = training_record((1.0,), accuracy, seed=seed, status=status)
        pairs.append((original(training_record((1.0,), 0.8, seed=seed)), again))
    [replay] = compare_pairs(pairs, Level.STATISTICAL)
    assert replay.outcome is outcome
    assert note in replay.note


@pytest.mark.parametrize(
    ("after", "outcome"),
    [
        (Interval(0.501, 0.499, 0.503), Outcome.SAME),
        (Interval(0.4, 0.39, 0.41), Outcome.FASTER),
        (Interval(0.6, 0.59, 0.61), Outcome.SLOWER),
        (Interval(0.52, 0.4, 0.7), Outcome.AMBIGUOUS),
    ],
)
@pytest.mark.parametrize("implementation", ["numpy", "torch_native"])
def test_times_are_compared_by_their_ratios_to_what_was_measured_beside_them(
    after: Interval, outcome: Outcome, implementation: str
) -> None:
    replay = found(
        speed_record(Interval(0.5, 0.498, 0.502), implementation),
        speed_record(after, implementation),
        Level.STATISTICAL,
    )
    assert replay.outcome is outcome
    assert "of the ratio that it had" in replay.note


def test_a_flag_forbids_a_verdict_on_times() -> None:
    replay = found(
        speed_record(Interval(0.5, 0.49, 0.51)),
        speed_record(Interval(0.3, 0.29, 0.31), flags=(Flag.DISTURBED,)),
        Level.STATISTICAL,
    )
    assert replay.outcome is Outcome.AMBIGUOUS
    assert "DISTURBED" in replay.note


def test_half_widths_of_a_quotient_add_in_quadrature() -> None:
    wide = quotient(Interval(2.0, 2 / exp(0.3), 2 * exp(0.3)), Interval(1.0, exp(-0.4), exp(0.4)))
    assert wide.estimate == pytest.approx(2)
    assert log(wide.high / wide.estimate) == pytest.approx(sqrt(0.3**2 + 0.4**2))
    assert log(wide.estimate / wide.low) == pytest.approx(0.5)


def test_what_may_explain_a_difference_is_named() -> None:
    again = training_record(instruction_set="AVX512")
    identity = replace(again.identity, cell=replace(again.cell, threads=1))
    assert found(training_record(), replace(again, identity=identity)).differences == {
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
    record = training_record()
    replays = [Replay(original(record), record, outcome, "") for outcome in outcomes]
    assert exit_status(replays) == status


def test_a_level_that_a_task_does_not_have_is_refused() -> None:
    assert level_of("convergence", None) is Level.BITWISE
    assert level_of("throughput", None) is Level.STATISTICAL
    with pytest.raises(
        UsageError,
        match=r"--level bitwise is not available for task=throughput.*allowed: statistical",
    ):
        level_of("throughput", "bitwise")


def test_a_quotient_of_hopelessly_wide_ratios_is_one_too() -> None:
    endless = Interval(1.0, exp(-700), exp(700))
    found = quotient(endless, endless)
    assert 0 < found.low < 1e-300 < found.estimate < 1e300 < found.high < float("inf")
