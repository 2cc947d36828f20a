"""`BatchNorm` over the C++ behaves as PyTorch's own in a user's hands."""

from __future__ import annotations

import copy
import io

import pytest
import torch

from implementations import BatchNorm, batch_norm
from implementations.fused_cpu import kernels, library

SHAPE = (8, 6, 9, 9)


def fused(activation="relu", **keywords):
    return BatchNorm(SHAPE[1], implementation="fused_cpu", activation=activation, **keywords)


def native():
    torch.manual_seed(0)
    made = torch.nn.BatchNorm2d(SHAPE[1])
    with torch.no_grad():
        made.weight.uniform_(0.5, 1.5)
        made.bias.uniform_(-0.5, 0.5)
    return made


def data(*, channels_last=False):
    x, residual, grad = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(1)).unbind()
    form = torch.channels_last if channels_last else torch.contiguous_format
    return [each.contiguous(memory_format=form) for each in (x, residual, grad)]


@pytest.fixture
def compiler():
    """The compiler gives up on a function that it has compiled eight times, and all layers share
    theirs.
    """
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("with_residual", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_a_step_compiled_is_the_step_in_eager_mode(channels_last, with_residual, training):
    x, residual, grad = data(channels_last=channels_last)
    eager, compiled = fused(), fused()
    compiled.load_state_dict(eager.state_dict())
    eager.train(training), compiled.train(training)
    step = torch.compile(compiled, fullgraph=True)
    found = []
    for module in (eager, step):
        operands = [
            x.clone().requires_grad_(),
            *([residual.clone().requires_grad_()] if with_residual else []),
        ]
        output = module(*operands)
        output.backward(grad)
        found.append([output, *(operand.grad for operand in operands)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(eager.state_dict().values(), compiled.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(eager.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_the_operator_passes_pytorchs_own_checks():
    x, residual = torch.randn(2, 4, 8, 6, 6, generator=torch.Generator().manual_seed(2)).unbind()
    weight, bias = torch.ones(8, requires_grad=True), torch.zeros(8, requires_grad=True)
    given = (
        x.requires_grad_(),
        residual.requires_grad_(),
        weight,
        bias,
        torch.zeros(8),
        torch.ones(8),
        True,
        0.1,
        1e-5,
        True,
    )
    torch.library.opcheck(torch.ops.bnbench.fused_cpu.default, given)


def test_a_copy_and_a_checkpoint_compute_the_same():
    x = data()[0]
    first = fused()
    first.load_state_dict(native().state_dict())
    second, file = copy.deepcopy(first), io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    third = fused()
    third.load_state_dict(torch.load(file, weights_only=True))
    outputs = [module(x) for module in (first, second, third)]
    assert torch.equal(outputs[0], outputs[1])
    assert torch.equal(outputs[0], outputs[2])


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(
    ("eps", "x"),
    [
        (0.5, 1e-6 * torch.arange(96.0, dtype=torch.float64).reshape(8, 4, 3).sin()),
        (1e-3, torch.full((8, 4, 3), 0.3, dtype=torch.float64)),
    ],
    ids=["small values", "constant channels"],
)
def test_compiled_running_statistics_are_those_of_eager_mode_to_the_bit(eps, x):
    eager, compiled = (
        BatchNorm(4, eps=eps, momentum=1.0, implementation="fused_cpu", dtype=torch.float64)
        for _ in range(2)
    )
    eager(x), torch.compile(compiled, fullgraph=True, backend="aot_eager")(x)
    torch.testing.assert_close(eager.running_var, x.var((0, 2)), rtol=1e-12, atol=0)
    for one, other in zip(eager.buffers(), compiled.buffers(), strict=True):
        assert torch.equal(one, other)


def test_without_gradients_nothing_is_saved(monkeypatch):
    monkeypatch.setattr(kernels, "forward", None)
    with torch.no_grad():
        output = fused()(data()[0])
    assert output.grad_fn is None


@pytest.mark.parametrize(
    "change",
    [lambda t: t[:, :, ::2], lambda t: t.transpose(2, 3), lambda t: t.expand(3, *t.shape)[1]],
)
def test_input_that_is_strided_is_made_contiguous(change):
    x = change(data()[0])
    weight, bias = torch.rand(SHAPE[1]), torch.rand(SHAPE[1])
    found = batch_norm(x, None, None, weight, bias, True, implementation="fused_cpu")
    torch.testing.assert_close(
        found, torch.nn.functional.batch_norm(x, None, None, weight, bias, True)
    )


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_gradient_that_is_one_number_expanded_is_read_as_what_it_is(channels_last):
    x = data(channels_last=channels_last)[0].requires_grad_()
    own, other = native(), fused(None)
    other.load_state_dict(own.state_dict())
    for module in (own, other):
        module(x).pow(1).sum().backward()
    torch.testing.assert_close(other.bias.grad, own.bias.grad)


def test_parameters_and_statistics_that_are_strided_are_read_and_updated():
    x, wide = data()[0], torch.arange(2.0 * SHAPE[1])
    mean, var = wide.clone()[::2], wide.clone()[::2] + 1
    plain_mean, plain_var = wide[::2].contiguous(), wide[::2] + 1
    found = batch_norm(x, mean, var, wide[::2], wide[1::2], True, implementation="fused_cpu")
    expected = torch.nn.functional.batch_norm(
        x, plain_mean, plain_var, wide[::2].contiguous(), wide[1::2].contiguous(), True
    )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(mean, plain_mean)
    torch.testing.assert_close(var, plain_var)


def test_the_threads_are_torchs(monkeypatch):
    asked = []
    real = library.native()

    class Recording:
        def __getattr__(self, name):
            return lambda *given: asked.append(given[-1]) or getattr(real, name)(*given)

    monkeypatch.setattr(kernels, "native", Recording)
    had = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            fused()(data()[0].requires_grad_()).sum().backward()
    finally:
        torch.set_num_threads(had)
    assert asked == [1, 1, 2, 2]
