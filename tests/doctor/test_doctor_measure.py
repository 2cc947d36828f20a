"""The doctor's measurement: states in made-up series, the best use of a time, and one short run of
everything.
"""

from __future__ import annotations

import io
import json
import random
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from harness.bandwidth import MissingNativeCode, cache_bytes, lacking
from harness.cli import main
from harness.cli.arguments import doctor_flags
from harness.config.usage import UsageError
from harness.doctor import measurement, telling
from harness.doctor.bandwidth import PROBES, Bandwidth, run, summary, working_sets
from harness.doctor.changepoints import Course, course, runs_score, split
from harness.doctor.judging import judge
from harness.doctor.measurement import Measurement, measure, settings_of
from harness.doctor.noise import TIMES, Noise, block_log_ratios, cost_of, noise, situations, work_on
from harness.doctor.power_planning import MOST, Cost, best_plan
from harness.environment import machine
from harness.isolation import Settings
from harness.records import Interval
from harness.statistics import Components, smallest_effect
from harness.timing.cell import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA, MARGIN = 0.05, 0.03
needs_probes = pytest.mark.skipif(
    lacking() is not None, reason="the bandwidth probes are not built"
)


def noisy(means: Sequence[float], spread: float = 0.03, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return [mean * draw.lognormvariate(0.0, spread) for mean in means]


def course_of(values: Sequence[float]) -> Course:
    return course([index * 0.1 for index in range(len(values))], values)


# States


@pytest.mark.parametrize("spread", [0.01, 0.05, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(20))
def test_noise_about_one_level_is_one_state(spread: float, seed: int) -> None:
    found = course_of(noisy([20.0] * 150, spread, seed))
    [level] = found.levels
    assert level.value == pytest.approx(20.0, rel=0.2)
    assert (level.share, level.stays, found.drift) == (1.0, 1, 0.0)


@pytest.mark.parametrize("spread", [0.01, 0.03, 0.06])
@pytest.mark.parametrize("seed", range(10))
def test_two_levels_that_last_are_two_states_with_their_share_and_stays(
    spread: float, seed: int
) -> None:
    low, high = course_of(
        noisy([10.0] * 30 + [14.0] * 60 + [10.0] * 20 + [14.0] * 40, spread, seed)
    ).levels
    assert (low.value, high.value) == (pytest.approx(10.0, rel=0.03), pytest.approx(14.0, rel=0.03))
    assert (low.share, high.share) == (
        pytest.approx(1 / 3, abs=0.03),
        pytest.approx(2 / 3, abs=0.03),
    )
    assert (low.stays, high.stays) == (2, 2)
    assert (low.seconds, high.seconds) == (pytest.approx(2.5, abs=0.2), pytest.approx(5.0, abs=0.3))


def test_one_step_in_the_middle_is_two_states_and_no_drift() -> None:
    found = course_of(noisy([10.0] * 75 + [20.0] * 75))
    assert [level.stays for level in found.levels] == [1, 1]
    assert found.drift == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_single_spikes_are_no_state(seed: int) -> None:
    draw = random.Random(seed)
    spiked = [5.0 if draw.random() < 0.07 else 20.0 for _ in range(150)]
    assert len(course_of(noisy(spiked, seed=seed)).levels) == 1


def test_a_single_disturbance_is_an_event_and_no_state() -> None:
    assert len(course_of(noisy([20.0] * 100 + [9.0] * 6 + [20.0] * 100)).levels) == 1


def test_levels_that_alternate_from_reading_to_reading_are_no_states() -> None:
    assert len(course_of(noisy([10.0, 20.0] * 75)).levels) == 1


@pytest.mark.parametrize("seed", range(10))
def test_levels_that_chance_picks_for_each_reading_are_no_states(seed: int) -> None:
    assert len(course_of(random.Random(seed).choices([10.0, 20.0], k=150)).levels) == 1


def test_levels_close_together_are_one_state() -> None:
    assert len(course_of(noisy(([10.0] * 25 + [11.0] * 25) * 3, 0.005)).levels) == 1


@pytest.mark.parametrize(("end", "told"), [(30.0, 0.5), (12.0, -0.4)])
def test_a_slow_change_is_a_drift_and_no_state(end: float, told: float) -> None:
    found = course_of(noisy([20.0 + (end - 20.0) * index / 149 for index in range(150)]))
    assert len(found.levels) == 1
    assert found.drift == pytest.approx(told, abs=0.08)


def test_too_few_readings_are_one_state() -> None:
    assert len(course_of([10.0] * 5 + [20.0] * 5).levels) == 1
    assert course([0.0], [3.0]).levels[0].share == 1.0


@pytest.mark.parametrize(("times", "values"), [([], []), ([0.0], [1.0, 2.0])])
def test_readings_without_times_are_refused(times: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 1, and a time for each"):
        course(times, values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1.0, 100.0), min_size=1, max_size=60))
def test_states_do_not_depend_on_the_unit_and_share_all_the_time(values: list[float]) -> None:
    found, larger = course_of(values), course_of([value * 2.0**30 for value in values])
    assert [level.stays for level in larger.levels] == [level.stays for level in found.levels]
    assert [level.value for level in larger.levels] == pytest.approx(
        [level.value * 2.0**30 for level in found.levels]
    )
    assert sum(level.share for level in found.levels) == pytest.approx(1.0)


@given(
    st.lists(st.floats(-5.0, 5.0), min_size=2, max_size=12).filter(
        lambda values: len(set(values)) > 1
    )
)
def test_no_other_threshold_explains_more_than_the_split(values: list[float]) -> None:
    def explained(threshold: float) -> float:
        classes = [
            [value for value in values if (value >= threshold) == upper] for upper in (False, True)
        ]
        mean = sum(values) / len(values)
        return sum(len(one) * (sum(one) / len(one) - mean) ** 2 for one in classes if one)

    threshold, share = split(values)
    assert 0 <= share <= 1 + 1e-9
    assert all(explained(threshold) >= explained(other) - 1e-9 for other in values)


def test_a_series_of_two_runs_has_fewer_than_chance_gives_and_an_alternating_one_more() -> None:
    assert runs_score([False] * 20 + [True] * 20) < -5
    assert runs_score([False, True] * 20) > 5
    assert runs_score([True] * 20) == 0


# What a time finds


@pytest.mark.parametrize(
    "components", [Components(0.05, 0.0), Components(0.02, 0.02), Components(0.0, 0.05)]
)
@pytest.mark.parametrize("cost", [Cost(2.0, 0.5, 0.1), Cost(0.0, 0.1, 0.3)])
@pytest.mark.parametrize("seconds", TIMES)
def test_no_other_split_of_the_time_finds_much_less(
    components: Components, cost: Cost, seconds: float
) -> None:
    plan = best_plan(components, cost, seconds, ALPHA, MARGIN)
    assert plan is not None
    assert plan.launches * (cost.start + cost.launch + plan.blocks * cost.block) <= seconds * (
        1 + 1e-9
    )
    for launches in range(2, min(int(seconds / (cost.start + cost.launch + cost.block)), MOST) + 1):
        blocks = int((seconds / launches - cost.start - cost.launch) / cost.block)
        blocks -= blocks % 2 == 0
        if blocks >= 1:
            assert plan.effect - MARGIN <= 1.02 * (
                smallest_effect(components, launches, blocks, ALPHA, MARGIN) - MARGIN
            )


def test_launches_that_do_not_differ_are_filled_with_blocks_and_others_are_multiplied() -> None:
    alike, unlike = (
        best_plan(Components(*spread), Cost(2.0, 1.0, 0.1), 60.0, ALPHA, MARGIN)
        for spread in ((0.05, 0.0), (0.005, 0.05))
    )
    assert alike is not None
    assert unlike is not None
    assert alike.launches < unlike.launches
    assert alike.blocks > unlike.blocks


def test_a_time_too_short_for_two_launches_finds_nothing() -> None:
    assert best_plan(Components(0.01, 0.01), Cost(2.0, 1.0, 0.1), 6.0, ALPHA, MARGIN) is None


# Noise


def sample(
    launch: int, block: int, seconds: float, *, calls: int = 1, set_aside: bool = False
) -> dict[str, Any]:
    return {
        "launch": launch,
        "block": block,
        "calls": calls,
        "seconds": seconds,
        "untimed": 0.5,
        "set_aside": set_aside,
    }


def measured_twice() -> Measured:
    """Two launches of three blocks, one set aside; the double takes 10 % more in the second
    launch.
    """
    places = [(launch, block) for launch in range(2) for block in range(3)]
    samples = {
        "torch_native": [
            sample(*place, seconds=1.0, set_aside=place == (0, 1)) for place in places
        ],
        "canary": [
            sample(
                launch,
                block,
                seconds=2.0 + 0.2 * launch,
                calls=2,
                set_aside=(launch, block) == (0, 1),
            )
            for launch, block in places
        ],
    }
    blocks = [{"doubts": ["waiting"] if place == (0, 1) else []} for place in places]
    return Measured(samples=samples, blocks=blocks, spent={"wall": 30.0, "starting": 4.0})


def test_log_ratios_are_of_a_call_by_launch_and_leave_out_what_is_set_aside() -> None:
    first, second = block_log_ratios(measured_twice().samples, "canary", "torch_native")
    assert first == pytest.approx([0.0, 0.0])
    assert second == pytest.approx([log(1.1)] * 3)


def test_a_comparison_costs_the_double_the_baseline_and_one_arm_more() -> None:
    cost = cost_of("torch_native", measured_twice(), 2, None)
    in_blocks = 6 * (1.0 + 0.5) + 3 * (2.0 + 0.5) + 3 * (2.2 + 0.5)
    assert cost.start == pytest.approx(2.0)
    assert cost.block == pytest.approx((in_blocks + 6 * 1.5) / 6)
    assert cost.launch == pytest.approx((30.0 - 4.0 - in_blocks) / 2 * 1.5)
    assert cost_of("torch_native", measured_twice(), 2, 7.0).start == 7.0


def test_the_noise_of_a_cell_is_that_of_its_log_ratios() -> None:
    problem = situations(1)["small call"]
    found = noise(
        "small call", problem, work_on(problem, Settings(1), 2, 1.0), measured_twice(), None
    )
    assert found.components.within == pytest.approx(0.0, abs=1e-9)
    assert found.components.between == pytest.approx(log(1.1) / 2**0.5)
    assert (found.launches, found.blocks, found.all_blocks, found.doubts) == (
        2,
        5,
        6,
        {"waiting": 1},
    )
    assert found.findable[10.0] is None
    assert found.findable[600.0] is not None


def test_the_largest_problem_outgrows_the_caches_and_the_middle_one_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = situations(2)
    arrays = {name: 4 * 4 * problem.size for name, problem in found.items()}
    assert arrays["small call"] < arrays["in cache"] < arrays["beyond cache"]
    monkeypatch.setattr("harness.doctor.noise.cache_bytes", lambda *_: 64 << 20)
    assert 128 << 20 <= 4 * 4 * situations(2)["beyond cache"].size < 256 << 20


# Findings


def calm_noise(**changes: Any) -> Noise:
    cost = Cost(1.0, 0.5, 0.1)
    components = changes.pop("components", Components(0.005, 0.005))
    plans = {seconds: best_plan(components, cost, seconds, ALPHA, MARGIN) for seconds in TIMES}
    made = Noise(
        "small call",
        (64, 100),
        102400,
        5e-5,
        components,
        Interval(1.0, 0.99, 1.01),
        8,
        40,
        40,
        {},
        cost,
        plans,
        plans,
    )
    return replace(made, **changes)


def steady_bandwidth(means: Sequence[float] = (20e9,) * 100) -> Bandwidth:
    return summary(
        "copy", "beyond cache", 1 << 27, [index * 0.1 for index in range(len(means))], noisy(means)
    )


def measured(
    *, noises: Sequence[Noise] = (), bandwidths: Sequence[Bandwidth] = (), **absent: str
) -> Measurement:
    return Measurement(
        2, (0, 1), "torch_native", ALPHA, MARGIN, 61.0, tuple(noises), tuple(bandwidths), absent
    )


def test_a_calm_measurement_gets_good_findings_alone() -> None:
    found = judge(measured(noises=[calm_noise()], bandwidths=[steady_bandwidth()]))
    assert [(finding.subject, finding.state) for finding in found] == [
        ("noise, small call", "good"),
        ("bandwidth beyond cache", "good"),
    ]


@pytest.mark.parametrize(
    ("given", "subject", "state", "said", "remedy"),
    [
        (
            {"noises": [calm_noise(components=Components(0.01, 0.06))]},
            "noise, small call",
            "notice",
            "6.0%",
            "task.launches",
        ),
        (
            {"noises": [calm_noise(components=Components(0.4, 0.0))]},
            "noise, small call",
            "notice",
            "40.0%",
            "task.blocks",
        ),
        (
            {"noises": [calm_noise(components=Components(0.01, 0.4))]},
            "noise, small call",
            "bad",
            "40.0%",
            "task.launches",
        ),
        (
            {"noises": [calm_noise(components=Components(0.01, 0.06), doubts={"steal": 3})]},
            "noise, small call",
            "notice",
            "6.0%",
            "quieter",
        ),
        (
            {"noises": [calm_noise(findable=dict.fromkeys(TIMES))]},
            "noise, small call",
            "bad",
            "do not fit",
            "quieter",
        ),
        (
            {"noises": [calm_noise(doubts={"waiting": 11})]},
            "disturbances, small call",
            "bad",
            "waiting in 11 of 40",
            "stop",
        ),
        (
            {"noises": [calm_noise(ratio=Interval(1.1, 1.05, 1.15))]},
            "same code, small call",
            "bad",
            "1.10 times",
            "quieter",
        ),
        (
            {"bandwidths": [steady_bandwidth(([10e9] * 25 + [20e9] * 25) * 2)]},
            "bandwidth beyond cache",
            "notice",
            "copy 10.0 (50% of the time, 2.5 s on end) and 20.",
            "ratios within a block",
        ),
        (
            {"bandwidths": [steady_bandwidth([10e9 + index * 1e8 for index in range(100)])]},
            "bandwidth beyond cache",
            "notice",
            "drifted in 10 s: copy +",
            "settles",
        ),
        (
            {"bandwidths": [steady_bandwidth([10e9, 20e9] * 50)]},
            "bandwidth beyond cache",
            "notice",
            "scatters",
            "quieter",
        ),
        (
            {"bandwidth": "not built"},
            "bandwidth",
            "bad",
            "not measured: not built",
            "BNBENCH_NATIVE=1",
        ),
    ],
)
def test_one_fault_is_found_with_its_remedy(
    given: dict[str, Any], subject: str, state: str, said: str, remedy: str
) -> None:
    [found] = [finding for finding in judge(measured(**given)) if finding.state != "good"]
    assert (found.subject, found.state) == (subject, state)
    assert said in found.said
    assert remedy in (found.remedy or "")


def test_a_measurement_is_told_in_tables_with_what_could_not_be_planned() -> None:
    out = io.StringIO()
    telling.tell_measurement(
        Console(width=120, file=out),
        measured(
            noises=[calm_noise(findable=dict.fromkeys(TIMES))],
            bandwidths=[steady_bandwidth(([10e9] * 25 + [20e9] * 25) * 2)],
        ),
    )
    text = out.getvalue()
    assert "61 s with 2 threads on CPU 0, 1" in text
    assert "64×100" in text
    assert "too short" in text
    assert "2 × 2.5 s" in text


@pytest.mark.parametrize(
    ("seconds", "said"), [(5e-5, "50 µs"), (0.0123, "12.3 ms"), (2.0, "2 s"), (3e-8, "30 ns")]
)
def test_a_duration_is_told_in_the_unit_that_suits(seconds: float, said: str) -> None:
    assert telling.duration(seconds) == said


# The command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seconds", "5"], "add --measure"),
        (["--threads", "1"], "add --measure"),
        (["--measure", "--seconds", "0"], "allowed"),
        (["--measure", "--seconds", "nan"], "allowed"),
        (["--measure", "--seconds", "long"], "invalid"),
        (["--loud"], "--loud"),
    ],
)
def test_what_the_doctor_does_not_take_is_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        doctor_flags(arguments)


@pytest.mark.parametrize("threads", [0, 10**6])
def test_more_threads_than_cpus_are_refused_with_what_is_allowed(threads: int) -> None:
    with pytest.raises(ValueError, match="allowed: 1 to"):
        settings_of(threads)
    assert main.main(["doctor", "--measure", "--threads", str(threads)]) == 2


def test_without_the_probes_the_rest_is_measured_and_bandwidth_is_absent_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        measurement, "lacking", lambda: MissingNativeCode("it is not built", "build it")
    )
    monkeypatch.setattr(measurement, "_noises", lambda *_: [calm_noise()])
    found = measure(Settings(1), 1.0, lambda _: None)
    assert found.noises
    assert found.absent == {"bandwidth": "it is not built"}


def test_working_sets_fit_the_caches_and_outgrow_them() -> None:
    sizes = working_sets(1)
    assert sizes["in cache"] < cache_bytes(machine.processor(), 1) < sizes["beyond cache"]


@needs_probes
def test_probes_are_read_in_turn_and_tell_bytes_per_second() -> None:
    told: list[Any] = []
    first, second = run(told.append, seconds=0.05, probes=[("read", 1 << 16), ("copy", 1 << 16)])
    assert len(first["at"]) == len(second["at"]) == len(first["rate"]) == len(told) >= 2
    assert all(one < other for one, other in zip(first["at"], second["at"], strict=True))
    assert min(first["rate"]) > 0


@needs_probes
def test_a_short_measurement_through_the_command_has_noise_and_bandwidth(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = situations(1)["small call"]
    monkeypatch.setattr(measurement, "situations", lambda _: {"small call": small})
    assert main.main(["doctor", "--measure", "--json", "--seconds", "2", "--threads", "1"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    [found] = data["measurement"]["noises"]
    assert found["launches"] >= 2
    assert found["components"]["within"] >= 0
    assert [plan["seconds"] for plan in found["findable"]] == list(TIMES)
    assert {of["probe"] for of in data["measurement"]["bandwidths"]} == set(PROBES)
    assert {"noise, small call"} <= {finding["subject"] for finding in data["findings"]}
    assert "measuring bandwidth" in captured.err
