"""Every built-in implementation, through both faces: the contract's own laws, on every kind of
problem it accepts.
"""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

import implementations
from harness.conformance.compare import compare_with_oracle
from harness.problems.inputs import make_arrays
from implementations.interface import Phase, Problem, Unsupported, refusal

EAGER = ("numpy", "torch_native", "torch_unfused")
PROBLEMS = [
    Problem((6, 5)),
    Problem((4, 3, 7), activation="relu", residual=True),
    Problem((4, 3, 5, 6), memory_format="channels_last", activation="relu", residual=True),
    Problem((2, 3, 4, 3, 2), dtype="float64", memory_format="channels_last", weight=False),
    Problem(
        (4, 3, 5, 6), dtype="bfloat16", parameter_dtype="float32", activation="relu", residual=True
    ),
    Problem((4, 3, 5, 6), dtype="float16", bias=False),
]


def prepared(name, problem, phase, face="layer", outputs="fresh"):
    """An implementation on the bench, or a skip with its own reason."""
    implementation = implementations.load(name)
    reason = refusal(implementation, problem, phase, "cpu")
    if reason is not None:
        pytest.skip(reason)
    arrays = make_arrays(problem, 0)
    try:
        return implementation.prepare(
            problem, phase, face=face, outputs=outputs, arrays=arrays
        ), arrays
    except Unsupported as error:
        pytest.skip(str(error))


def called(prepared, times=1):
    prepared.arm(times)
    for _ in range(times):
        prepared()
    prepared.synchronize()
    return prepared.results()


def same(results, others):
    for name in (field.name for field in fields(results)):
        mine, other = getattr(results, name), getattr(others, name)
        assert (mine is None) == (other is None), name
        assert mine is None or torch.equal(mine, other), name


@pytest.mark.parametrize("name", EAGER)
@pytest.mark.parametrize("face", ["layer", "kernel"])
@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_results_have_the_shapes_dtypes_and_layouts_of_their_operands(name, face, phase, problem):
    ready, arrays = prepared(name, problem, phase, face)
    results = called(ready)
    assert (results.output.shape, results.output.dtype) == (arrays.input.shape, arrays.input.dtype)
    assert results.output.stride() == arrays.input.stride()
    for operand in ("input", "residual", "weight", "bias"):
        gradient, given = getattr(results, f"grad_{operand}"), getattr(arrays, operand)
        assert (gradient is not None) == (phase.has_backward and given is not None), operand
        assert gradient is None or (gradient.shape, gradient.dtype) == (given.shape, given.dtype), (
            operand
        )


@pytest.mark.parametrize("name", EAGER)
@pytest.mark.parametrize("face", ["layer", "kernel"])
@pytest.mark.parametrize("phase", Phase)
def test_a_call_changes_none_of_the_arrays_that_it_was_given(name, face, phase):
    ready, arrays = prepared(name, PROBLEMS[2], phase, face)
    before = {field.name: getattr(arrays, field.name) for field in fields(arrays)}
    copies = {
        key: value.clone() for key, value in before.items() if isinstance(value, torch.Tensor)
    }
    called(ready, 2)
    assert all(torch.equal(copies[key], before[key]) for key in copies)


@pytest.mark.parametrize("name", EAGER)
@pytest.mark.parametrize("face", ["layer", "kernel"])
@pytest.mark.parametrize("phase", Phase)
def test_arming_makes_the_next_call_the_first_again(name, face, phase):
    ready, _ = prepared(name, PROBLEMS[2], phase, face)
    first = called(ready)
    called(ready, 3)
    same(called(ready), first)


@pytest.mark.parametrize("name", EAGER)
@pytest.mark.parametrize("phase", Phase)
def test_reused_outputs_hold_what_fresh_ones_would(name, phase):
    reused, _ = prepared(name, PROBLEMS[2], phase, "kernel", "reused")
    fresh, _ = prepared(name, PROBLEMS[2], phase, "kernel", "fresh")
    same(called(reused), called(fresh))


def test_reused_outputs_are_written_to_in_place():
    ready, _ = prepared("numpy", PROBLEMS[1], Phase.TRAINING_STEP, "kernel", "reused")
    first = called(ready)
    second = called(ready)
    assert first.output.data_ptr() == second.output.data_ptr()
    assert first.grad_input.data_ptr() == second.grad_input.data_ptr()


@pytest.mark.parametrize("name", EAGER)
def test_a_layer_has_no_reused_outputs_and_says_so(name):
    with pytest.raises(Unsupported, match="autograd allocates"):
        implementations.load(name).prepare(
            PROBLEMS[0],
            Phase.INFERENCE,
            face="layer",
            outputs="reused",
            arrays=make_arrays(PROBLEMS[0], 0),
        )


@pytest.mark.parametrize("face", ["layer", "kernel"])
@pytest.mark.parametrize("problem", [PROBLEMS[2], PROBLEMS[3]], ids=str)
def test_the_compiled_implementation_is_right_too(face, problem):
    ready, arrays = prepared("torch_compile", problem, Phase.TRAINING_STEP, face)
    assert not [
        str(found)
        for found in compare_with_oracle(called(ready), problem, Phase.TRAINING_STEP, arrays)
        if not found.passed
    ]


def test_the_compiled_layer_takes_any_number_of_momenta():
    ours = implementations.BatchNorm(
        3, momentum=None, implementation="torch_compile", dtype=torch.float64
    )
    theirs = torch.nn.BatchNorm1d(3, momentum=None, dtype=torch.float64)
    for seed in range(12):
        batch = torch.randn(
            4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
        )
        torch.testing.assert_close(ours(batch), theirs(batch))
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", (3,)),
        ("shape", (1, 2, 3, 4, 5, 6)),
        ("shape", (2, 0)),
        ("dtype", "float8"),
        ("parameter_dtype", "float64"),
        ("memory_format", "channels_last"),
        ("activation", "gelu"),
    ],
)
def test_an_impossible_problem_says_what_is_allowed(field, value):
    with pytest.raises(ValueError, match=rf"Problem\({field}=.*allowed"):
        Problem(**{"shape": (4, 3), field: value})
