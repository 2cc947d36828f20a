"""The oracle against values worked out by hand, and against torch's own float64 differentiation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from harness.problems.inputs import make_arrays
from implementations import oracle
from implementations.interface import Arrays, Phase, Problem

FOUR = Problem((4, 1), "float64")
RESIDUAL = Problem((4, 1), "float64", activation="relu", residual=True)


def by_hand(residual=None):
    """Mean 1 and variance 1, so that x̂ is -1, -1, 1, 1 for eps = 0."""

    def column(*values):
        return torch.tensor(values, dtype=torch.float64).reshape(-1, 1)

    def one(value):
        return torch.tensor([value], dtype=torch.float64)

    return Arrays(
        column(0, 0, 2, 2),
        column(1, 2, 3, 6),
        None if residual is None else column(*residual),
        one(2.0),
        one(1.0),
        one(3.0),
        one(1.0),
        momentum=0.5,
        eps=0.0,
    )


def test_a_training_step_by_hand():
    found = oracle.evaluate(FOUR, Phase.TRAINING_STEP, by_hand())
    assert found.output.ravel().tolist() == [-1, -1, 3, 3]
    assert (found.running_mean.tolist(), found.running_var.tolist()) == ([2.0], [0.5 + 0.5 * 4 / 3])
    assert (found.grad_bias.tolist(), found.grad_weight.tolist()) == ([12.0], [6.0])
    assert found.grad_input.ravel().tolist() == [-1, 1, -3, 3]
    assert found.grad_residual is None


def test_relu_and_residual_by_hand():
    found = oracle.evaluate(RESIDUAL, Phase.TRAINING_STEP, by_hand(residual=(0, 2, -3, -4)))
    assert found.z.ravel().tolist() == [-1, 1, 0, -1]
    assert found.output.ravel().tolist() == [0, 1, 0, 0]
    assert found.grad_residual.ravel().tolist() == [0, 2, 0, 0]  # relu'(0) = 0
    assert (found.grad_bias.tolist(), found.grad_weight.tolist()) == ([2.0], [-2.0])
    assert found.grad_input.ravel().tolist() == [-2, 2, 0, 0]


def test_inference_by_hand():
    found = oracle.evaluate(FOUR, Phase.BACKWARD_INFERENCE, by_hand())
    assert found.output.ravel().tolist() == [-5, -5, -1, -1]
    assert (found.running_mean.tolist(), found.running_var.tolist()) == ([3.0], [1.0])
    assert found.grad_weight.tolist() == [-18.0]
    assert found.grad_input.ravel().tolist() == [2, 4, 6, 12]


def test_phases_without_a_backward_have_no_gradients():
    found = oracle.evaluate(FOUR, Phase.FORWARD_TRAINING, by_hand())
    assert [found.grad_input, found.grad_weight, found.grad_bias, found.grad_z] == [None] * 4


PROBLEMS = (
    Problem((7, 3), "float64"),
    Problem((4, 5, 6), "float64", activation="relu", bias=False),
    Problem((3, 4, 5, 2), "float64", memory_format="channels_last", residual=True, weight=False),
    Problem((2, 3, 2, 3, 4), "float64", activation="relu", residual=True),
    Problem((6, 4, 3), "bfloat16", activation="relu", residual=True),
    Problem((6, 4, 3), "float16", "float32"),
)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("problem", PROBLEMS, ids=str)
def test_it_agrees_with_autograd_in_float64(problem, phase):
    arrays = make_arrays(problem, 3, mean=0.5)
    found = oracle.evaluate(problem, phase, arrays)
    given = {name: getattr(arrays, name) for name in ("input", "residual", "weight", "bias")}
    operands = {
        name: tensor.double().requires_grad_()
        for name, tensor in given.items()
        if tensor is not None
    }
    running_mean, running_var = arrays.running_mean.double(), arrays.running_var.double()
    z = torch.nn.functional.batch_norm(
        operands["input"],
        running_mean,
        running_var,
        operands.get("weight"),
        operands.get("bias"),
        phase.training,
        arrays.momentum,
        arrays.eps,
    )
    z = z + operands["residual"] if problem.residual else z
    output = torch.relu(z) if problem.activation else z
    agree(found.output, oracle.matrix(output))
    agree(found.running_mean, running_mean.numpy())
    agree(found.running_var, running_var.numpy())
    if phase.has_backward:
        gradients = torch.autograd.grad(
            output, list(operands.values()), arrays.grad_output.double()
        )
        for name, gradient in zip(operands, gradients, strict=True):
            agree(
                getattr(found, f"grad_{name}"),
                oracle.matrix(gradient) if gradient.dim() > 1 else gradient.numpy(),
            )


def agree(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("channels", [range(2, 5), [6, 0, 3]])
def test_some_channels_are_those_of_the_whole(channels):
    problem = Problem((5, 7, 3, 2), activation="relu", residual=True)
    arrays = make_arrays(problem, 0)
    whole = oracle.evaluate(problem, Phase.TRAINING_STEP, arrays)
    some = oracle.evaluate(problem, Phase.TRAINING_STEP, arrays, channels=channels)
    assert np.array_equal(some.grad_input, whole.grad_input[:, list(channels)])
    assert np.array_equal(some.running_var, whole.running_var[list(channels)])


def test_a_mean_of_a_billion_costs_no_accuracy():
    near = np.array([[-3.0], [1.0], [2.0], [5.0], [7.0], [-1.0], [4.0]])
    mean, var, centred = oracle.moments(near + 2.0**52)
    assert mean == pytest.approx(near.mean() + 2.0**52, rel=1e-16)
    assert var == pytest.approx(near.var(), rel=1e-15)
    np.testing.assert_allclose(centred, near - near.mean(), rtol=1e-14)


def test_the_mask_of_the_backward_can_be_given():
    mask = np.array([[True], [False], [True], [False]])
    found = oracle.evaluate(
        RESIDUAL, Phase.TRAINING_STEP, by_hand(residual=(0, 0, 0, 0)), mask=mask
    )
    assert found.grad_residual.ravel().tolist() == [1, 0, 3, 0]
    assert found.grad_bias.tolist() == [4.0]


def test_one_value_a_channel_cannot_be_trained_on():
    problem = Problem((1, 3, 1, 1))
    with pytest.raises(ValueError, match="one value a channel"):
        oracle.evaluate(problem, Phase.FORWARD_TRAINING, make_arrays(problem, 0))
    assert oracle.evaluate(problem, Phase.INFERENCE, make_arrays(problem, 0)).output.shape == (1, 3)


def test_infinities_stay_in_their_channel_without_a_warning():
    problem = Problem((4, 3, 2))
    arrays = make_arrays(problem, 0)
    broken = arrays.input.clone()
    broken[0, 1, 0] = torch.inf
    found = oracle.evaluate(problem, Phase.TRAINING_STEP, replace(arrays, input=broken))
    assert np.isnan(found.output).any(0).tolist() == [False, True, False]
    assert np.isnan(found.grad_input).any(0).tolist() == [False, True, False]


@pytest.mark.parametrize("sign", [1, -1])
@np.errstate(invalid="ignore")
def test_the_mean_of_infinite_values_is_infinite_and_what_is_centred_about_it_is_nan(sign):
    mean, var, centred = oracle.moments(
        np.array([[sign * np.inf, 1.0], [sign * np.inf, 3.0], [sign * np.inf, 5.0]])
    )
    assert mean.tolist() == [sign * np.inf, 3.0]
    assert np.isnan(var).tolist() == [True, False]
    assert np.isnan(centred).all(0).tolist() == [True, False]


@np.errstate(invalid="ignore")
def test_one_infinite_value_makes_the_mean_infinite_and_two_of_both_signs_make_it_nan():
    mean, _, _ = oracle.moments(
        np.array([[np.inf, np.inf, np.nan], [1.0, -np.inf, 1.0], [2.0, 2.0, 2.0]])
    )
    assert mean[0] == np.inf
    assert np.isnan(mean[1:]).all()


def test_the_running_mean_takes_an_infinite_mean_over_as_pytorch_s_does():
    problem = Problem((4, 3, 2))
    arrays = make_arrays(problem, 0)
    broken = arrays.input.clone()
    broken[:, 1] = -torch.inf
    found = oracle.evaluate(problem, Phase.FORWARD_TRAINING, replace(arrays, input=broken))
    mean, var = arrays.running_mean.double(), arrays.running_var.double()
    torch.nn.functional.batch_norm(broken.double(), mean, var, training=True)
    assert found.running_mean[1] == mean[1].item() == -np.inf
    assert np.isnan([found.running_var[1], var[1].item()]).all()
    agree(found.running_mean[[0, 2]], mean[[0, 2]].numpy())


def test_a_matrix_has_a_row_for_every_observation_and_a_column_for_every_channel():
    tensor = torch.arange(24.0).reshape(2, 3, 2, 2).to(torch.bfloat16)
    assert oracle.matrix(tensor).shape == (8, 3)
    assert oracle.matrix(tensor)[:, 1].tolist() == [4, 5, 6, 7, 16, 17, 18, 19]
    assert oracle.matrix(tensor.contiguous(memory_format=torch.channels_last), [1])[
        :, 0
    ].tolist() == [4, 5, 6, 7, 16, 17, 18, 19]
