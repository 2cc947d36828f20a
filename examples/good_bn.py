"""Batch norm on torch tensors, with all that the contract knows.

    PYTHONPATH=examples bnbench check good_bn.Good

bfloat16 and float16 are computed in float32, as PyTorch's own kernels do.
"""

import torch

from implementations.adapters import from_functions
from implementations.interface import Gradients, Supports

SUPPORTS = Supports(devices=("cpu",))


def forward(input, residual, weight, bias, running_mean, running_var, options, out=None):
    axes = (0, *range(2, input.dim()))
    x = wide(input)
    if options.training:
        mean = x.mean(axes)
        var = (x - column(mean, x)).square_().mean(axes)
    else:
        mean, var = wide(running_mean).clone(), wide(running_var)
    if options.training and running_mean is not None:
        n = input.numel() // input.shape[1]
        move(running_mean, mean, options.momentum)
        move(running_var, var * (n / (n - 1)), options.momentum)
    invstd = torch.rsqrt(var + options.eps)

    z = (x - column(mean, x)).mul_(column(scale(invstd, weight), x))
    z = z if bias is None else z.add_(column(wide(bias), x))
    z = z if residual is None else z.add_(wide(residual))
    z = z.relu_() if options.activation else z
    output = z.to(input.dtype) if out is None else out.copy_(z)
    if not options.backward_follows:
        return output, ()
    mask = output if options.activation else None
    return output, (input, mask, sign_of(residual), weight, sign_of(bias), mean, invstd)


def backward(grad_output, saved, options, out=None):
    input, mask, residual, weight, bias, mean, invstd = saved
    axes = (0, *range(2, input.dim()))
    dz = wide(grad_output)
    dz = dz if mask is None else dz * (mask > 0)
    x = wide(input)
    normalized = (x - column(mean, x)).mul_(column(invstd, x))
    dbias, dweight = dz.sum(axes), (dz * normalized).sum(axes)
    dx = dz
    if options.training:
        n = input.numel() // input.shape[1]
        dx = dz - normalized.mul_(column(dweight / n, x)).add_(column(dbias / n, x))
    dx = dx * column(scale(invstd, weight), x)
    made = (dx, dz, dweight, dbias)
    given = out or (None, None, None, None)
    wanted = (input, residual, weight, bias)
    return Gradients(*map(delivered, made, wanted, given))


def delivered(gradient, operand, out):
    """The gradient in the operand's dtype, in ``out`` where that is given; None where there is no
    operand.
    """
    if operand is None:
        return None
    return gradient.to(operand.dtype) if out is None else out.copy_(gradient)


def sign_of(operand):
    """An empty array of the operand's dtype, which says that there is one and keeps no memory."""
    return None if operand is None else operand.new_empty(0)


def move(running, batch, momentum):
    running.copy_((1 - momentum) * wide(running) + momentum * batch)


def scale(invstd, weight):
    return invstd if weight is None else invstd * wide(weight)


def wide(tensor):
    """The tensor in the dtype that is computed in."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor


def column(values, like):
    """(C,) values, shaped to broadcast against ``like``."""
    return values.reshape(-1, *[1] * (like.dim() - 2))


Good = from_functions(forward, backward, supports=SUPPORTS)
