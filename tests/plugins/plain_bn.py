"""Batch norm written out in PyTorch, each step a part that can be replaced: ``Plugin()`` is
right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from implementations.autograd_pair import PairLayer
from implementations.interface import Gradients, Implementation
from implementations.prepared import Functions, prepare_functions


def read(x):
    """The input in the dtype that is computed in: float32 for bfloat16 and float16, its own
    otherwise.
    """
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def two_pass(x):
    mean = x.mean(axes(x), keepdim=True)
    return mean, (x - mean).square().mean(axes(x), keepdim=True)


def inside_the_root(var, eps):
    return torch.rsqrt(var + eps)


def unbiased(var, count):
    return var * (count / (count - 1))


def moved(running, batch, momentum):
    return (1 - momentum) * running + momentum * batch


def affine(normalized, weight, bias):
    z = normalized if weight is None else normalized * weight
    return z if bias is None else z + bias


def joined(z, residual):
    return z if residual is None else z + read(residual)


def masked(gradient, z):
    return gradient * (z > 0)


def sums(dz, normalized):
    return dz.sum(axes(dz)), (dz * normalized).sum(axes(dz))


def centred(dz, normalized, dbias, dweight, training):
    """The bracket of dinput."""
    if not training:
        return dz
    count = dz.numel() // dz.shape[1]
    return dz - column(dbias / count, dz) - normalized * column(dweight / count, dz)


def scaled(rstd, weight):
    return rstd if weight is None else rstd * weight


@dataclass(frozen=True)
class Recipe:
    """The steps of a forward and of a backward, in their order."""

    touch: Callable[..., Any] = lambda x, residual, weight: None
    read: Callable[..., Any] = read
    moments: Callable[..., Any] = two_pass
    about: Callable[..., Any] = lambda mean, var, x, running_mean: (mean, var)
    used: Callable[..., Any] = lambda mean, var, x, training: (mean, var)
    moves: Callable[..., Any] = lambda training: training
    moved: Callable[..., Any] = moved
    corrected: Callable[..., Any] = unbiased
    rstd: Callable[..., Any] = inside_the_root
    normalized: Callable[..., Any] = lambda normalized, x: normalized
    affine: Callable[..., Any] = affine
    joined: Callable[..., Any] = joined
    activated: Callable[..., Any] = torch.relu
    emitted: Callable[..., Any] = lambda output, x: output
    parted: Callable[..., Any] = lambda output, normalized: (
        output.clone() if output is normalized else output
    )
    kept: Callable[..., Any] = lambda output: None

    towards: Callable[..., Any] = lambda gradient, normalized: gradient
    masked: Callable[..., Any] = masked
    sums: Callable[..., Any] = sums
    centred: Callable[..., Any] = centred
    scaled: Callable[..., Any] = scaled
    residual: Callable[..., Any] = lambda gradient, dz: dz
    gradients: Callable[..., Any] = lambda gradients, gradient, saved: gradients

    delivered: Callable[..., Any] = lambda made, out: (
        made if made is None or out is None else out.copy_(made)
    )
    layer: Callable[..., Any] = lambda layer: layer


class Plugin(Implementation):
    """A recipe's batch norm. ``make`` makes it anew for each layer and each preparation, so that it
    may remember calls.
    """

    def __init__(self, make=Recipe):
        self.make = make

    def unsupported(self, problem, phase, device):
        return None

    def layer(self, problem):
        recipe = self.make()
        return recipe.layer(PairLayer(*pair(recipe)))

    def prepare(self, problem, phase, *, face, outputs, arrays):
        layer = self.layer(problem)
        forward, backward = pair(self.make())
        return prepare_functions(
            Functions(forward, backward, layer),
            problem,
            phase,
            face=face,
            outputs=outputs,
            arrays=arrays,
        )


def pair(recipe):
    def forward(x, residual, weight, bias, running_mean, running_var, options, out=None):
        recipe.touch(x, residual, weight)
        values = recipe.read(x)
        if options.training:
            mean, var = recipe.about(*recipe.moments(values), values, running_mean)
        else:
            mean, var = (
                column(read(running).clone(), x) for running in (running_mean, running_var)
            )
        mean, var = recipe.used(mean, var, x, options.training)
        if running_mean is not None and recipe.moves(options.training):
            count = x.numel() // x.shape[1]
            for running, batch in (
                (running_mean, mean.flatten()),
                (running_var, recipe.corrected(var.flatten(), count)),
            ):
                running.copy_(recipe.moved(read(running), batch, options.momentum))
        rstd = recipe.rstd(var, options.eps)
        normalized = recipe.normalized((values - mean) * rstd, x)
        z = recipe.joined(recipe.affine(normalized, column(weight, x), column(bias, x)), residual)
        output = recipe.emitted((recipe.activated(z) if options.activation else z).to(x.dtype), x)
        output = recipe.parted(output, normalized)
        # What the backward does not read its users may change: the output above all, which a ReLU
        # in place overwrites.
        kept = (
            z if options.activation else None,
            recipe.kept(output),
            *map(token, (residual, bias)),
        )
        return recipe.delivered(output, out), (normalized, rstd, weight, *kept)

    def backward(gradient, saved, options, out=None):
        normalized, rstd, weight, z, _, residual, bias = saved
        gradient = recipe.towards(gradient, normalized)
        dz = read(gradient)
        dz = recipe.masked(dz, z) if options.activation else dz
        dbias, dweight = recipe.sums(dz, normalized)
        dx = recipe.centred(dz, normalized, dbias, dweight, options.training) * recipe.scaled(
            rstd, column(weight, dz)
        )
        made = Gradients(
            dx.to(gradient.dtype),
            None if residual is None else recipe.residual(read(gradient), dz).to(gradient.dtype),
            None if weight is None else dweight.to(weight.dtype),
            None if bias is None else dbias.to(bias.dtype),
        )
        return Gradients(
            *map(recipe.delivered, recipe.gradients(made, gradient, saved), out or (None,) * 4)
        )

    return forward, backward


def axes(x):
    return [axis for axis in range(x.dim()) if axis != 1]


def token(operand):
    """That there is such an operand, and its dtype."""
    return None if operand is None else operand.new_empty(0)


def column(values, like):
    return None if values is None else values.reshape(-1, *[1] * (like.dim() - 2))
