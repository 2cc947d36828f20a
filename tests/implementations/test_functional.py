"""`batch_norm` agrees with torch.nn.functional.batch_norm in what it returns, updates and
refuses.
"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import implementations
from implementations import Unavailable, Unsupported, batch_norm
from implementations.adapters import from_differentiable
from implementations.interface import Implementation

EAGER = ("numpy", "torch_native", "torch_unfused")
everywhere = pytest.mark.parametrize("name", EAGER)


def operands(channels=3, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    mean, weight, bias = (torch.randn(channels, generator=generator, dtype=dtype) for _ in range(3))
    return mean, mean.abs() + 0.5, weight, bias


@everywhere
@pytest.mark.parametrize(
    "view",
    [
        lambda x: x,
        lambda x: x[:, :, ::2],
        lambda x: x.permute(0, 1, 3, 2),
        lambda x: x[:1].expand(4, -1, -1, -1),
        lambda x: x.to(memory_format=torch.channels_last),
        lambda x: x[:, :, 0],
        lambda x: x[:, :, 0, 0],
        lambda x: x.flatten(2).reshape(4, 3, 1, 2, 3, 6),
    ],
    ids=["plain", "sliced", "permuted", "expanded", "channels_last", "rank 3", "rank 2", "rank 6"],
)
def test_values_statistics_and_strides_are_pytorchs_for_any_view(name, view):
    x = view(
        torch.randn(4, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    )
    (mean, var, weight, bias), (mean_, var_, _, _) = operands(), operands()
    expected = F.batch_norm(x, mean, var, weight, bias, training=True, momentum=0.3)
    output = batch_norm(
        x, mean_, var_, weight, bias, training=True, momentum=0.3, implementation=name
    )
    torch.testing.assert_close(output, expected)
    assert output.stride() == expected.stride()
    torch.testing.assert_close((mean_, var_), (mean, var))


@everywhere
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("with_residual", [False, True])
def test_gradients_pass_gradcheck(name, training, activation, with_residual):
    mean, var, weight, bias = operands()
    x, residual = (
        torch.randn(4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 2)
    )
    leaves = [leaf.requires_grad_() for leaf in (x, residual, weight, bias)]

    def function(x, residual, weight, bias):
        return batch_norm(
            x,
            mean.clone(),
            var.clone(),
            weight,
            bias,
            training,
            implementation=name,
            activation=activation,
            residual=residual if with_residual else None,
        )

    assert torch.autograd.gradcheck(function, leaves)


@everywhere
@pytest.mark.parametrize(
    ("shape", "arguments", "keywords"),
    [
        ((1, 3), (None, None), {"training": True}),
        ((1, 3, 1), (None, None), {"training": True}),
        ((2, 3), (None, None), {}),
        ((2, 3), (torch.zeros(3), None), {}),
        ((2, 3), (torch.zeros(3), None), {"training": True}),
        ((2, 3), (torch.zeros(4), torch.ones(3)), {"training": True}),
        ((2, 3), (torch.zeros(3), torch.ones(3), torch.ones(2)), {"training": True}),
        ((2, 3), (torch.zeros(3), torch.ones(3)), {"training": True, "eps": -1.0}),
        ((2, 3), (torch.zeros(3), torch.ones(3)), {"training": True, "momentum": None}),
        ((3,), (None, None), {"training": True}),
        ((2, 3), (torch.zeros(3, requires_grad=True), torch.ones(3)), {"training": True}),
        (
            (2, 3),
            (torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)),
            {"training": True},
        ),
    ],
    ids=str,
)
def test_what_pytorch_refuses_is_refused_with_its_exception(name, shape, arguments, keywords):
    x = torch.ones(shape)
    with pytest.raises(Exception) as theirs:
        F.batch_norm(x, *arguments, **keywords)
    with pytest.raises(type(theirs.value)) as ours:
        batch_norm(x, *arguments, **keywords, implementation=name)
    assert type(ours.value) is type(theirs.value)


@pytest.mark.parametrize("training", [True, False])
def test_empty_input_reaches_no_implementation(training):
    def layer(*operands):
        raise AssertionError("it is called")

    made = from_differentiable(layer)()
    output = batch_norm(
        torch.empty(0, 3, 2), torch.zeros(3), torch.ones(3), training=training, implementation=made
    )
    assert output.shape == (0, 3, 2)


@everywhere
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 3, 0), (2, 0, 3)])
def test_empty_input_gives_what_pytorch_gives(name, shape):
    x = torch.empty(shape, requires_grad=True)
    output = batch_norm(x, None, None, training=True, implementation=name)
    assert output.shape == F.batch_norm(x, None, None, training=True).shape
    output.sum().backward()
    assert x.grad.shape == x.shape


@everywhere
def test_a_refused_call_leaves_the_running_statistics_alone(name):
    mean, var = torch.zeros(3), torch.ones(3)
    with pytest.raises(RuntimeError):
        batch_norm(torch.ones(2, 3), mean, var, torch.ones(2), training=True, implementation=name)
    assert torch.equal(mean, torch.zeros(3))
    assert torch.equal(var, torch.ones(3))


@everywhere
def test_an_operand_changed_after_the_forward_is_noticed_in_the_backward(name):
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(3, dtype=torch.float64, requires_grad=True)
    output = batch_norm(
        x, None, None, weight, training=True, activation="relu", implementation=name
    )
    with torch.no_grad():
        weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@pytest.mark.slow
def test_more_than_eight_shapes_do_not_exhaust_the_compiler():
    for count in range(2, 12):
        x = torch.randn(count, 3, generator=torch.Generator().manual_seed(count))
        output = batch_norm(x, None, None, training=True, implementation="torch_compile")
        torch.testing.assert_close(output, F.batch_norm(x, None, None, training=True))


def test_a_refusal_is_raised_with_its_reason():
    with pytest.raises(Unsupported, match=r"it takes data of .*, not bfloat16"):
        batch_norm(torch.ones(2, 3).bfloat16(), None, None, training=True, implementation="numpy")


def test_an_unknown_implementation_is_unavailable_with_a_suggestion():
    with pytest.raises(Unavailable, match="did you mean 'numpy'"):
        batch_norm(torch.ones(2, 3), None, None, training=True, implementation="nunpy")


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"activation": "gelu"}, "allowed: None or 'relu'"),
        ({"residual": torch.ones(2, 4)}, "must be as the input"),
    ],
)
def test_a_bad_epilogue_is_a_value_error(keywords, message):
    with pytest.raises(ValueError, match=message):
        batch_norm(torch.ones(2, 3), None, None, training=True, implementation="numpy", **keywords)


def test_an_instance_or_a_target_serves_as_well_as_a_name():
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    instance = implementations.load("numpy")
    assert isinstance(instance, Implementation)
    target = {"_target_": "implementations.builtin.numpy_vectorized.NumpyVectorized"}
    outputs = [
        batch_norm(x, None, None, training=True, implementation=given)
        for given in ("numpy", instance, target)
    ]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])
