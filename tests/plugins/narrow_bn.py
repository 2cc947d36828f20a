"""Batch norms that refuse much and hide a fault behind it: what is refused is what most cases have,
or what the fault would otherwise be seen by.
"""

from __future__ import annotations

import torch
from plain_bn import Plugin, Recipe, centred, column, scaled, sums, two_pass

from implementations.interface import Phase, Supports

NO_RESIDUAL = Supports(residual=(False,))
NO_ACTIVATION = Supports(activations=(None,), residual=(False,))
NO_PARAMETERS = Supports(weight=(False,), bias=(False,), residual=(False,))
CHANNELS_LAST = Supports(memory_formats=("channels_last",))
SIXTEENS = Supports(channel_multiple=16)
SIXTEENS_OF_FLOAT32 = Supports(
    dtypes=("float32",), channel_multiple=16, residual=(False,), memory_formats=("channels_last",)
)
INFERENCE = Supports(phases=(Phase.INFERENCE,), residual=(False,))


class Narrow(Plugin):
    """A recipe's batch norm that takes what ``supports`` says, by data or in words of its own."""

    def __init__(self, fault="none", *, in_words=False):
        supports, recipe = FAULTS[fault]
        super().__init__(recipe if not isinstance(recipe, Recipe) else lambda: recipe)
        self.taken = supports
        if not in_words:
            self.supports = supports

    def unsupported(self, problem, phase, device):
        """The same, as one says it who declares nothing."""
        return self.taken.refusal(problem, phase, device)


def at_inference(**steps):
    """A recipe that takes other steps where statistics are frozen."""

    def make():
        frozen = []

        def used(mean, var, x, training):
            frozen[:] = [not training]
            return mean, var

        def chosen(name, step):
            right = getattr(Recipe, name)

            def either(*given):
                return (step if frozen and frozen[0] else right)(*given)

            return either

        return Recipe(used=used, **{name: chosen(name, step) for name, step in steps.items()})

    return make


def last(x):
    """Whether a tensor is channels_last, and not contiguous as well."""
    return not x.is_contiguous()


def no_bias_when(occasion):
    def affine(normalized, weight, bias):
        z = normalized if weight is None else normalized * weight
        return z if bias is None or occasion(normalized) else z + bias

    return affine


def unwritten(made, out):
    """A weight's gradient that was given an array stays as that was."""
    return made if made is None or out is None else out if out.dim() == 1 else out.copy_(made)


def swallowing(z):
    return torch.where(z > 0, z, 0)


def on_a_fast_path(multiple):
    """ReLU of whole vectors of channels takes NaN for 0, in channels_last."""
    return lambda z: swallowing(z) if last(z) and z.shape[1] % multiple == 0 else torch.relu(z)


def tail_unnormalized(width):
    def moments(x):
        mean, var = two_pass(x)
        whole = x.shape[1] // width * width
        keep = torch.arange(x.shape[1]).reshape(1, -1, *[1] * (x.dim() - 2)) < whole
        return torch.where(keep, mean, 0), torch.where(keep, var, 1)

    return moments


def without_the_last_value(occasion):
    def moments(x):
        if not occasion(x):
            return two_pass(x)
        values = x.movedim(1, 0).flatten(1)[:, :-1]
        mean = values.mean(1)
        return column(mean, x), column((values - mean[:, None]).square().mean(1), x)

    return moments


def kept_over(name):
    """A gradient in one buffer of the layer's own."""

    def make():
        buffers = []

        def gradients(made, gradient, saved):
            value = getattr(made, name)
            if value is None:
                return made
            buffers[:] = buffers or [torch.empty_like(value)]
            return made._replace(**{name: buffers[0].data.copy_(value)})

        return Recipe(gradients=gradients)

    return make


# Of each: what it takes, and its recipe.
FAULTS = {
    "none": (SIXTEENS_OF_FLOAT32, Recipe()),
    # It refuses a residual.
    "inference forgets its ReLU": (NO_RESIDUAL, at_inference(activated=lambda z: z)),
    "channels_last inference forgets the bias": (
        NO_RESIDUAL,
        at_inference(affine=no_bias_when(last)),
    ),
    "frozen backward ignores the ReLU": (
        NO_RESIDUAL,
        at_inference(masked=lambda gradient, z: gradient),
    ),
    "a reused weight gradient is never written": (NO_RESIDUAL, Recipe(delivered=unwritten)),
    "NaN is 0 under ReLU for channels in sixteens": (
        NO_RESIDUAL,
        Recipe(activated=on_a_fast_path(16)),
    ),
    "tail channels are not normalized": (NO_RESIDUAL, Recipe(moments=tail_unnormalized(8))),
    # It refuses an activation.
    "the mean is of all but one value": (
        NO_ACTIVATION,
        Recipe(moments=without_the_last_value(lambda x: x.numel() // x.shape[1] > 500)),
    ),
    "NaN is swallowed": (NO_ACTIVATION, Recipe(emitted=lambda output, x: output.nan_to_num())),
    "no gradient through the mean": (
        NO_ACTIVATION,
        Recipe(
            centred=lambda dz, normalized, dbias, dweight, training: centred(
                dz, normalized, 0 * dbias, dweight, training
            )
        ),
    ),
    "the input's gradient in one buffer": (NO_ACTIVATION, kept_over("input")),
    # It refuses affine parameters.
    "eps outside the root": (NO_PARAMETERS, Recipe(rstd=lambda var, eps: 1 / (var.sqrt() + eps))),
    "mask missing in the backward": (NO_PARAMETERS, Recipe(masked=lambda gradient, z: gradient)),
    "frozen gradient by training's formula": (
        NO_PARAMETERS,
        Recipe(
            centred=lambda dz, normalized, dbias, dweight, training: centred(
                dz, normalized, dbias, dweight, True
            )
        ),
    ),
    "running variance is biased": (NO_PARAMETERS, Recipe(corrected=lambda var, count: var)),
    # It refuses contiguous input.
    "one-pass variance": (
        CHANNELS_LAST,
        Recipe(
            moments=lambda x: (
                two_pass(x)[0],
                x.square().mean([0, *range(2, x.dim())], keepdim=True) - two_pass(x)[0].square(),
            )
        ),
    ),
    "the residual's gradient is unmasked": (
        CHANNELS_LAST,
        Recipe(residual=lambda gradient, dz: gradient),
    ),
    "contiguous output": (CHANNELS_LAST, Recipe(emitted=lambda output, x: output.contiguous())),
    # It refuses channels that are no multiple of 16.
    "a large plane loses its last value": (
        SIXTEENS,
        Recipe(moments=without_the_last_value(lambda x: x.shape[2:].numel() > 1000)),
    ),
    "NaN is 0 under ReLU": (SIXTEENS, Recipe(activated=swallowing)),
    "weight's gradient with the neighbour's values": (
        SIXTEENS_OF_FLOAT32,
        Recipe(sums=lambda dz, normalized: sums(dz, normalized.roll(1, 1))),
    ),
    "rstd forgotten in the input's gradient": (
        SIXTEENS_OF_FLOAT32,
        Recipe(scaled=lambda rstd, weight: scaled(torch.ones_like(rstd), weight)),
    ),
    # It does inference only.
    "the variance at inference is off by a thousandth": (
        INFERENCE,
        Recipe(used=lambda mean, var, x, training: (mean, var * 1.001)),
    ),
}
