"""Batch norm in JAX: a plug-in on arrays of another library, which cannot be changed in place.

    PYTHONPATH=examples bnbench check jax_bn.Jax

What it cannot do it declares as data: conformance then asks what is left, and tells the known
failures as declared.
"""

from functools import partial

import jax
import jax.numpy as jnp
import torch

from implementations.adapters import from_functions
from implementations.bridge import Bridge
from implementations.interface import Deviation, Gradients, Supports

# JAX computes in float32 unless it is told otherwise, and its arrays are contiguous.
SUPPORTS = Supports(dtypes=("float32",), memory_formats=("contiguous",), devices=("cpu",))
DEVIATIONS = {
    "data/subnormal*": Deviation(
        "JAX reads subnormal numbers as 0 on the CPU, and has no switch for it",
        "seen with JAX 0.10.2 on x86-64 by this suite",
    )
}


def forward(input, residual, weight, bias, running_mean, running_var, options, out=None):
    """The output, what the backward needs, and the running statistics as new arrays.

    What the compiler has to know in advance goes by name; momentum, which may differ from call to
    call, does not.
    """
    static = options._replace(momentum=None)
    made = compiled_forward(
        input, residual, weight, bias, running_mean, running_var, options.momentum, options=static
    )
    # JAX returns before it is done; a bridge's `synchronize` would have no array to wait for
    output, mean, invstd, statistics = jax.block_until_ready(made)
    saved = (input, output if options.activation else None, residual, weight, bias, mean, invstd)
    return output, saved, statistics


def backward(grad_output, saved, options, out=None):
    made = compiled_backward(grad_output, *saved, training=options.training)
    return Gradients(*jax.block_until_ready(made))


@partial(jax.jit, static_argnames="options")
def compiled_forward(x, residual, weight, bias, running_mean, running_var, momentum, *, options):
    axes = (0, *range(2, x.ndim))
    if options.training:
        mean = jnp.mean(x, axes)
        var = jnp.mean(jnp.square(x - column(mean, x)), axes)
    else:
        mean, var = running_mean, running_var
    if options.training and running_mean is not None:
        n = x.size // x.shape[1]
        running_mean = (1 - momentum) * running_mean + momentum * mean
        running_var = (1 - momentum) * running_var + momentum * var * (n / (n - 1))
    invstd = 1 / jnp.sqrt(var + options.eps)
    z = (x - column(mean, x)) * column(invstd if weight is None else invstd * weight, x)
    z = z if bias is None else z + column(bias, x)
    z = z if residual is None else z + residual
    output = jnp.maximum(z, 0) if options.activation else z
    return output, mean, invstd, (running_mean, running_var)


@partial(jax.jit, static_argnames="training")
def compiled_backward(grad_output, x, output, residual, weight, bias, mean, invstd, *, training):
    axes = (0, *range(2, x.ndim))
    dz = grad_output if output is None else jnp.where(output > 0, grad_output, 0)
    normalized = (x - column(mean, x)) * column(invstd, x)
    dbias, dweight = jnp.sum(dz, axes), jnp.sum(dz * normalized, axes)
    dx = dz
    if training:
        n = x.size // x.shape[1]
        dx = dz - column(dbias / n, x) - normalized * column(dweight / n, x)
    return (
        dx * column(invstd if weight is None else invstd * weight, x),
        None if residual is None else dz,
        None if weight is None else dweight,
        None if bias is None else dbias,
    )


def column(values, like):
    return values.reshape(-1, *[1] * (like.ndim - 2))


def to_native(tensor):
    """An array on the tensor's memory. JAX has none of broadcast ones: those are copied."""
    return jnp.from_dlpack(tensor.detach().contiguous())


Jax = from_functions(
    forward,
    backward,
    supports=SUPPORTS,
    deviations=DEVIATIONS,
    bridge=Bridge(to_native=to_native, to_torch=torch.from_dlpack, immutable=True),
    name="jax",
)
