"""Batch norm in float32 with replaceable parts: ``Plugin()`` is right, each of ``WRONG`` is wrong in one thing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from implementations.interface import Gradients, Implementation
from implementations.preparing import pair_layer, prepare_with


def two_pass(x):
    mean = x.mean(axes(x), keepdim=True)
    return mean, (x - mean).square().mean(axes(x), keepdim=True)


def inside_the_root(var, eps):
    return torch.rsqrt(var + eps)


def unbiased(var, count):
    return var * (count / (count - 1))


def moved(running, batch, momentum):
    return (1 - momentum) * running + momentum * batch


def masked(gradient, output):
    return gradient * (output > 0)


@dataclass(frozen=True)
class Recipe:
    """The parts. ``touch`` sees the operands before anything is computed; ``residual`` is dresidual from (g, dz)."""

    moments: Callable[..., Any] = two_pass
    rstd: Callable[..., Any] = inside_the_root
    corrected: Callable[..., Any] = unbiased
    moved: Callable[..., Any] = moved
    masked: Callable[..., Any] = masked
    residual: Callable[..., Any] = lambda gradient, dz: dz
    weight: Callable[..., Any] = lambda gradient: gradient
    touch: Callable[..., Any] = lambda x: None
    always_moves: bool = False


class Plugin(Implementation):
    runtime = "torch"

    def __init__(self, recipe=None):
        self.recipe = recipe or Recipe()

    def unsupported(self, problem, phase, device):
        return None if problem.dtype == problem.parameter_dtype == "float32" else "float32 only"

    def layer(self, problem):
        return pair_layer(*pair(self.recipe))

    def prepare(self, problem, phase, *, face, outputs, arrays):
        return prepare_with(face, self.layer(problem), *pair(self.recipe), problem, phase,
                            outputs=outputs, arrays=arrays)


def pair(recipe):
    def forward(x, residual, weight, bias, running_mean, running_var, options, out=None):
        recipe.touch(x)
        if options.training:
            mean, var = recipe.moments(x)
        else:
            mean, var = column(running_mean.clone(), x), column(running_var.clone(), x)
        if running_mean is not None and (options.training or recipe.always_moves):
            count = x.numel() // x.shape[1]
            running_mean.copy_(recipe.moved(running_mean, mean.flatten(), options.momentum))
            running_var.copy_(recipe.moved(running_var, recipe.corrected(var.flatten(), count), options.momentum))
        rstd = recipe.rstd(var, options.eps)
        normalized = (x - mean) * rstd
        z = normalized if weight is None else normalized * column(weight, x)
        z = z if bias is None else z + column(bias, x)
        z = z if residual is None else z + residual
        output = torch.relu(z) if options.activation else z
        output = output.clone() if output is normalized else output
        return delivered(output, out), (normalized, rstd, output, weight, bias, residual)

    def backward(gradient, saved, options, out=None):
        normalized, rstd, output, weight, bias, residual = saved
        dz = recipe.masked(gradient, output) if options.activation else gradient
        dbias, dweight = dz.sum(axes(dz)), (dz * normalized).sum(axes(dz))
        dx = dz
        if options.training:
            count = dz.numel() // dz.shape[1]
            dx = dz - column(dbias / count, dz) - normalized * column(dweight / count, dz)
        scale = rstd if weight is None else rstd * column(weight, dz)
        made = Gradients(dx * scale, None if residual is None else recipe.residual(gradient, dz),
                         None if weight is None else recipe.weight(dweight), None if bias is None else dbias)
        return Gradients(*map(delivered, made, out or (None,) * 4))

    return forward, backward


def axes(x):
    return [axis for axis in range(x.dim()) if axis != 1]


def column(values, like):
    return values.reshape(-1, *[1] * (like.dim() - 2))


def delivered(made, out):
    return made if made is None or out is None else out.copy_(made)


def one_pass(x):
    mean = x.mean(axes(x), keepdim=True)
    return mean, x.square().mean(axes(x), keepdim=True) - mean.square()


def of_storage_order(x):
    """Statistics of a buffer read as N, C, H, W, in whatever order it lies."""
    return two_pass(x.permute(0, *range(2, x.dim()), 1).reshape(x.shape)
                    if not x.is_contiguous() else x)


def without_the_tail(x):
    """Statistics of the whole vectors of eight, as if no remainder were left."""
    flat = x.movedim(1, 0).flatten(1)
    whole = flat[:, : flat.shape[1] // 8 * 8] if flat.shape[1] >= 8 else flat
    mean = whole.mean(1)
    return column(mean, x), column((whole - mean[:, None]).square().mean(1), x)


def leaking(x):
    """A NaN of one channel reaches the next."""
    mean, var = two_pass(x)
    return mean + 0 * mean.roll(1, 1), var


WRONG = {
    "biased running variance": Recipe(corrected=lambda var, count: var),
    "swapped momentum": Recipe(moved=lambda running, batch, momentum: moved(running, batch, 1 - momentum)),
    "statistics not updated": Recipe(moved=lambda running, batch, momentum: running),
    "statistics updated at inference": Recipe(always_moves=True),
    "eps outside the root": Recipe(rstd=lambda var, eps: 1 / (var.sqrt() + eps)),
    "mask missing in backward": Recipe(masked=lambda gradient, output: gradient),
    "mask shifted in backward": Recipe(masked=lambda gradient, output: gradient * (output.roll(1) > 0)),
    "residual's gradient unmasked": Recipe(residual=lambda gradient, dz: gradient),
    "one-pass variance": Recipe(moments=one_pass),
    "wrong channel axis in channels_last": Recipe(moments=of_storage_order),
    "wrong for odd tails": Recipe(moments=without_the_tail),
    "NaN leaks into the next channel": Recipe(moments=leaking),
    "mutated input": Recipe(touch=lambda x: x.mul_(1.5)),
    "no gradient of the weight": Recipe(weight=lambda gradient: None),
    "n - 1 in the batch's variance": Recipe(moments=lambda x: (
        two_pass(x)[0], unbiased(two_pass(x)[1], x.numel() // x.shape[1]))),
}


class Wrong(Plugin):
    """One of ``WRONG``, by name, so that it can be named on a command line."""

    def __init__(self, wrong):
        super().__init__(WRONG[wrong])


class DiesAsALayer(Plugin):
    def prepare(self, problem, phase, *, face, **keywords):
        if face == "layer":
            os._exit(3)
        return super().prepare(problem, phase, face=face, **keywords)


class WrongTheSecondTime(Plugin):
    """A layer that is right once; then its output is 1 % too large."""

    def layer(self, problem):
        right, calls = super().layer(problem), []

        def layer(*arguments):
            calls.append(None)
            output = right(*arguments)
            return output if len(calls) < 2 else output * 1.01

        return layer
