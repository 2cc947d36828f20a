"""The byte model of batch norm: what is known of it, and the laws that a lower bound has to
keep.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.bandwidth import Stream, Traffic, cache_bytes, traffic
from harness.environment.machine import Processor
from implementations.interface import Outputs, Phase, Problem

ENOUGH = 2**50  # of cache, so that nothing is read twice
LARGE = Problem((64, 64, 112, 112))
FORWARD, BACKWARD, STEP = Phase.FORWARD_TRAINING, Phase.BACKWARD, Phase.TRAINING_STEP
TWICE = (FORWARD, BACKWARD, STEP)


def bytes_of(problem, phase, *, outputs="fresh", cache=ENOUGH):
    return traffic(problem, phase, face="kernel", outputs=outputs, cache_bytes=cache).bytes


def names(found: Traffic) -> tuple[list[str], list[str]]:
    reads = [stream.name for one in found.passes for stream in one.reads]
    return reads, [stream.name for one in found.passes for stream in one.writes]


@st.composite
def problems(
    draw,
    memory_formats=("contiguous", "channels_last"),
    dtypes=("float32", "float64", "bfloat16", "float16"),
):
    rank = draw(st.integers(2, 5))
    dtype = draw(st.sampled_from(dtypes))
    mixed = draw(st.booleans()) and dtype in ("bfloat16", "float16")
    return Problem(
        tuple(draw(st.integers(1, 40)) for _ in range(rank)),
        dtype,
        "float32" if mixed else None,
        draw(st.sampled_from(memory_formats)) if rank > 3 else "contiguous",
        draw(st.sampled_from((None, "relu"))),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
    )


phases, outputs, caches = (
    st.sampled_from(Phase),
    st.sampled_from(("fresh", "reused")),
    st.integers(0, 2**18),
)


@pytest.mark.parametrize(
    ("phase", "changes", "expected"),
    [
        (FORWARD, {}, 8),
        (FORWARD, {"activation": "relu"}, 8),
        (FORWARD, {"activation": "relu", "residual": True}, 12),
        (FORWARD, {"dtype": "bfloat16"}, 4),
        (BACKWARD, {}, 12),
        (BACKWARD, {"activation": "relu"}, 12),
        (BACKWARD, {"residual": True}, 12),
        (BACKWARD, {"activation": "relu", "residual": True}, 16 + 1 / 8),
        (BACKWARD, {"weight": False}, 12),
        (STEP, {}, 20),
        (STEP, {"activation": "relu", "residual": True}, 28 + 2 / 8),
        (Phase.INFERENCE, {"activation": "relu"}, 8),
        (Phase.BACKWARD_INFERENCE, {}, 12),
        (Phase.BACKWARD_INFERENCE, {"weight": False}, 8),
        (Phase.BACKWARD_INFERENCE, {"weight": False, "activation": "relu"}, 8 + 1 / 8),
    ],
    ids=str,
)
def test_a_large_tensor_moves_as_many_bytes_an_element_as_the_laws_need(phase, changes, expected):
    problem = replace(LARGE, parameter_dtype=None, **changes)
    assert bytes_of(problem, phase) / problem.size == pytest.approx(expected, rel=1e-4)


def test_a_forward_in_training_reads_its_operands_and_writes_output_and_statistics():
    found = traffic(
        replace(LARGE, residual=True), FORWARD, face="layer", outputs="fresh", cache_bytes=ENOUGH
    )
    assert names(found) == (
        ["input", "residual", "weight", "bias", "running_mean", "running_var"],
        ["output", "running_mean", "running_var"],
    )


def test_a_backward_recomputes_the_mask_from_what_it_reads_anyway():
    found = traffic(
        replace(LARGE, activation="relu"),
        BACKWARD,
        face="layer",
        outputs="fresh",
        cache_bytes=ENOUGH,
    )
    assert names(found) == (
        ["grad_output", "input", "saved_mean", "saved_invstd", "weight"],
        ["grad_input", "grad_weight", "grad_bias"],
    )


def test_a_mask_that_cannot_be_recomputed_is_written_once_and_read_once_in_a_training_step():
    problem = replace(LARGE, activation="relu", residual=True)
    reads, writes = names(traffic(problem, STEP, face="layer", outputs="fresh", cache_bytes=0))
    assert (reads.count("mask"), writes.count("mask")) == (1, 1)
    reads, writes = names(traffic(problem, BACKWARD, face="layer", outputs="fresh", cache_bytes=0))
    assert (reads.count("mask"), writes.count("mask")) == (1, 0)


def test_the_residuals_gradient_is_written_where_it_is_no_other_array():
    plain, rectified = (
        replace(LARGE, residual=True),
        replace(LARGE, residual=True, activation="relu"),
    )
    cases: list[tuple[Problem, Outputs, bool]] = [
        (plain, "fresh", False),
        (plain, "reused", True),
        (rectified, "fresh", True),
    ]
    for problem, outputs, written in cases:
        found = traffic(problem, BACKWARD, face="kernel", outputs=outputs, cache_bytes=ENOUGH)
        assert ("grad_residual" in names(found)[1]) is written


@pytest.mark.parametrize(
    ("problem", "unit"),
    [
        (Problem((8, 64, 16, 16)), 8 * 16 * 16 * 4),  # a channel
        # a line of channels
        (Problem((8, 64, 16, 16), memory_format="channels_last"), 8 * 16 * 16 * 64),
        (Problem((100, 64)), 100 * 64),
        (Problem((100, 64, 2, 2)), 100 * 64),  # whole lines: a channel has 16 bytes a row
        (Problem((100, 3)), 100 * 3 * 4),  # all: a row has less than a line
    ],
    ids=str,
)
def test_what_exceeds_the_cache_of_a_unit_is_read_again(problem, unit):
    for phase, arrays in ((FORWARD, 1), (BACKWARD, 2)):
        once = bytes_of(problem, phase)
        assert bytes_of(problem, phase, cache=arrays * unit) == once
        assert bytes_of(problem, phase, cache=0) == once + arrays * problem.size * 4
        assert (
            bytes_of(problem, phase, cache=arrays * unit // 2)
            == once + arrays * problem.size * 4 // 2
        )


def test_what_is_read_again_is_read_in_a_pass_of_its_own_with_all_that_is_written():
    first, second = traffic(LARGE, FORWARD, face="kernel", outputs="fresh", cache_bytes=0).passes
    assert first.reads == (Stream("input", LARGE.size * 4),)
    assert first.writes == ()
    assert second.reads[0] == first.reads[0]
    assert "output" in [stream.name for stream in second.writes]


def test_frozen_statistics_need_no_second_reading():
    for phase in (Phase.INFERENCE, Phase.BACKWARD_INFERENCE):
        assert bytes_of(LARGE, phase, cache=0) == bytes_of(LARGE, phase)


def test_a_layer_does_not_reuse_outputs():
    with pytest.raises(ValueError, match=r"allowed: outputs='fresh', or face='kernel'"):
        traffic(LARGE, FORWARD, face="layer", outputs="reused", cache_bytes=0)


@given(problems(), phases, outputs, caches, caches)
def test_more_cache_never_moves_more(problem, phase, outputs, one, other):
    less, more = sorted((one, other))
    assert bytes_of(problem, phase, outputs=outputs, cache=more) <= bytes_of(
        problem, phase, outputs=outputs, cache=less
    )


@given(problems(), phases, outputs, caches, st.data())
def test_a_larger_problem_moves_more(problem, phase, outputs, cache, data):
    axis = data.draw(st.integers(0, len(problem.shape) - 1))
    shape = list(problem.shape)
    shape[axis] += data.draw(st.integers(1, 40))
    assert bytes_of(
        replace(problem, shape=tuple(shape)), phase, outputs=outputs, cache=cache
    ) > bytes_of(problem, phase, outputs=outputs, cache=cache)


@given(problems(), phases, outputs, caches)
def test_a_residual_and_an_activation_never_move_less(problem, phase, outputs, cache):
    plain, with_residual = replace(problem, residual=False), replace(problem, residual=True)
    assert bytes_of(plain, phase, outputs=outputs, cache=cache) <= bytes_of(
        with_residual, phase, outputs=outputs, cache=cache
    )
    linear = replace(problem, activation=None)
    assert bytes_of(linear, phase, outputs=outputs, cache=cache) <= bytes_of(
        problem, phase, outputs=outputs, cache=cache
    )


@given(problems(), outputs, caches)
def test_a_training_step_is_its_two_parts_and_the_mask_that_it_writes(problem, outputs, cache):
    forward, backward, step = (
        bytes_of(problem, phase, outputs=outputs, cache=cache) for phase in TWICE
    )
    mask = -(-problem.size // 8) if problem.activation and problem.residual else 0
    assert step == forward + backward + mask


@given(problems(dtypes=("float32",)), phases, outputs)
def test_half_the_bytes_an_element_are_half_the_bytes_of_data(problem, phase, outputs):
    data = {"input", "residual", "output", "grad_output", "grad_input", "grad_residual"}
    whole, half = (
        traffic(
            replace(problem, dtype=dtype), phase, face="kernel", outputs=outputs, cache_bytes=ENOUGH
        )
        for dtype in ("float32", "bfloat16")
    )
    for one, other in zip(whole.passes, half.passes, strict=True):
        for stream, narrow in zip(
            (*one.reads, *one.writes), (*other.reads, *other.writes), strict=True
        ):
            assert stream.bytes == (2 if stream.name in data else 1) * narrow.bytes


@given(problems(), phases, outputs, caches)
def test_the_bytes_are_those_of_the_streams_each_at_most_twice_read_and_once_written(
    problem, phase, outputs, cache
):
    found = traffic(problem, phase, face="kernel", outputs=outputs, cache_bytes=cache)
    streams = [stream for one in found.passes for stream in (*one.reads, *one.writes)]
    assert found.bytes == sum(stream.bytes for stream in streams)
    assert min(stream.bytes for stream in streams) > 0
    for one in found.passes:
        assert len({stream.name for stream in one.reads}) == len(one.reads)
        assert len({stream.name for stream in one.writes}) == len(one.writes)
    assert len(set(names(found)[1])) == len(names(found)[1])


def processor(**caches: str) -> Processor:
    return Processor("A CPU", "x86_64", False, [], 4, 4, None, caches)


@pytest.mark.parametrize(
    ("caches", "expected"),
    [
        ({"L1d": "32K", "L2": "1024K", "L3": "32768K"}, 34 * 2**20),
        ({"L2": "2M", "L3": "1G"}, 2**30 + 4 * 2**20),
        ({"L1d": "32K", "L2": "512K"}, 2**20),
        ({"L1d": "32K"}, 36 * 2**20),
        ({}, 36 * 2**20),
    ],
    ids=str,
)
def test_what_two_threads_can_keep_is_the_last_cache_and_their_second_level_ones(caches, expected):
    assert cache_bytes(processor(**caches), 2) == expected


def test_a_size_that_the_kernel_would_not_write_is_refused():
    with pytest.raises(ValueError, match="'much' is no size of a cache"):
        cache_bytes(processor(L2="much"), 1)
