"""An outside kernel's package, as small as can be: what a gate builds and measures."""

from __future__ import annotations

from torch.nn import functional

from implementations.adapters import from_differentiable


def layer(input, residual, weight, bias, running_mean, running_var, options):
    normalized = functional.batch_norm(
        input,
        running_mean,
        running_var,
        weight,
        bias,
        options.training,
        options.momentum,
        options.eps,
    )
    output = normalized if residual is None else normalized + residual
    return output.relu() if options.activation else output


Mine = from_differentiable(layer)
