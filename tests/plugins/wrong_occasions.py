"""Right in general, and wrong on some occasion: for some shapes, addresses, threads, or from the
second call on.
"""

from __future__ import annotations

import os
from math import prod

import torch
from plain_bn import Recipe, centred, column, scaled, two_pass


def without_the_last(x, width=1):
    """Statistics that leave out each channel's last values, those that fill no vector of ``width``,
    or else one.
    """
    values = x.movedim(1, 0).flatten(1)
    count = values.shape[1]
    values = values[:, : (count - 1) // width * width or count]
    mean = values.mean(1)
    return column(mean, x), column((values - mean[:, None]).square().mean(1), x)


def when(occasion):
    """Statistics without each channel's last value on that occasion."""
    return Recipe(moments=lambda x: without_the_last(x) if occasion(x) else two_pass(x))


def without_the_tail(x):
    """Statistics of whole vectors of eight."""
    return without_the_last(x, 8) if prod(x.shape) // x.shape[1] % 8 else two_pass(x)


def without_the_channels_tail(x):
    """The channels beyond whole vectors of eight are not normalized in channels_last."""
    mean, var = two_pass(x)
    whole = x.shape[1] // 8 * 8
    if x.is_contiguous() or whole == x.shape[1]:
        return mean, var
    keep = torch.arange(x.shape[1]).reshape(1, -1, *[1] * (x.dim() - 2)) < whole
    return torch.where(keep, mean, 0), torch.where(keep, var, 1)


def from_the_second_call():
    calls = []

    def moments(x):
        calls.append(x)
        return without_the_last(x) if len(calls) > 1 else two_pass(x)

    return Recipe(moments=moments)


def first_seen(step, place):
    """One argument of a step, at ``place``, is what it was in the first call: a compiler took it
    for a constant.
    """
    right = getattr(Recipe, step)

    def make():
        seen = []

        def constant(*arguments):
            seen[:] = seen or [
                arguments[place]
                if not isinstance(arguments[place], torch.Tensor)
                else arguments[place].detach().clone()
            ]
            return right(*arguments[:place], seen[0], *arguments[place + 1 :])

        return Recipe(**{step: constant})

    return make


def trembling(occasion=lambda: True):
    """Sums in an order of chance: the last bits differ from call to call."""

    def emitted(output, x):
        step = torch.finfo(output.dtype).eps
        tremor = torch.frombuffer(bytearray(os.urandom(output.numel())), dtype=torch.uint8) % 2
        return (
            output * (1 + step * tremor.reshape(output.shape).to(output.dtype))
            if occasion()
            else output
        )

    return Recipe(emitted=emitted)


def of_channel_0(made, x):
    """The first channel's values lose their last digits."""
    head = made[:, :1] * (1 + 1e-3)
    return torch.cat([head, made[:, 1:]], 1).contiguous(memory_format=torch.preserve_format)


def at_inference_when(occasion):
    """Another variance at inference, on that occasion."""
    return Recipe(
        used=lambda mean, var, x, training: (
            mean,
            var * 1.1 if not training and occasion(x) else var,
        )
    )


def frozen_when(occasion):
    """The input's gradient by training's formula although statistics are frozen, on that
    occasion.
    """
    return Recipe(
        centred=lambda dz, normalized, dbias, dweight, training: centred(
            dz, normalized, dbias, dweight, training or occasion(dz)
        )
    )


def alone(operand):
    """The operand's gradient is a by-product of the input's: without that, it is 0."""
    place = ("input", "residual", "weight", "bias").index(operand)

    def lazy(layer):
        def call(*operands):
            given = operands[place]
            if given is None or operands[0].requires_grad:
                return layer(*operands)
            return layer(*operands[:place], given.detach() + 0 * given, *operands[place + 1 :])

        return call

    return Recipe(layer=lazy)


def frozen_without_a_weight():
    """Without a weight the input's gradient forgets the factor too, where statistics are frozen."""
    frozen = []

    def bracket(dz, normalized, dbias, dweight, training):
        frozen[:] = [not training]
        return centred(dz, normalized, dbias, dweight, training)

    return Recipe(
        centred=bracket,
        scaled=lambda rstd, weight: (
            torch.ones_like(rstd) if weight is None and frozen[0] else scaled(rstd, weight)
        ),
    )


def refusing_inference_mode(layer):
    """Looks at the version that autograd counts, which tensors do not have in inference mode."""
    return lambda x, *others: layer(x, *others) if x._version >= 0 else None


def recording_only(layer):
    """Running statistics are updated only where autograd records."""

    def call(x, residual, weight, bias, running_mean, running_var, options):
        if not torch.is_grad_enabled() and running_mean is not None:
            running_mean, running_var = running_mean.clone(), running_var.clone()
        return layer(x, residual, weight, bias, running_mean, running_var, options)

    return call


class FirstCount:
    """n of the first batch that this implementation sees, whatever the problem."""

    def __init__(self):
        self.count = None

    def __call__(self):
        def corrected(var, count):
            self.count = self.count or count
            return var * (self.count / (self.count - 1))

        return Recipe(corrected=corrected)


OCCASIONS = {
    "wrong for odd tails": Recipe(moments=without_the_tail),
    "wrong for odd tails of channels": Recipe(moments=without_the_channels_tail),
    "wrong for rank 2": when(lambda x: x.dim() == 2),
    "wrong for rank 3": when(lambda x: x.dim() == 3),
    "wrong for rank 5": when(lambda x: x.dim() == 5),
    "wrong for a batch of one": when(lambda x: x.shape[0] == 1),
    "wrong for two values a channel": when(lambda x: x.numel() == 2 * x.shape[1]),
    "wrong for one channel": when(lambda x: x.shape[1] == 1),
    "wrong where space is 1 × 1": when(lambda x: x.dim() > 3 and prod(x.shape[2:]) == 1),
    "wrong for a thousand values a channel": when(lambda x: x.numel() > 1000 * x.shape[1]),
    "wrong for a thousand channels": when(lambda x: x.shape[1] > 1000),
    "wrong for misaligned input": when(lambda x: x.data_ptr() % 16),
    "wrong with two threads": when(lambda x: torch.get_num_threads() == 2),
    "wrong from the second call on": from_the_second_call,
    "the first call's momentum": first_seen("moved", 2),
    "the first call's eps": first_seen("rstd", 1),
    "the first call's weight": first_seen("affine", 1),
    "low bits at random": trembling(),
    "low bits at random with two threads": trembling(lambda: torch.get_num_threads() == 2),
    "channel 0 unlike the others": Recipe(normalized=of_channel_0),
    "no gradient of the weight alone": alone("weight"),
    "no gradient of the bias alone": alone("bias"),
    "no gradient of the residual alone": alone("residual"),
    "wrong for bfloat16 at inference": at_inference_when(lambda x: x.dtype == torch.bfloat16),
    "wrong for float16 at inference": at_inference_when(lambda x: x.dtype == torch.float16),
    "wrong for float64 at inference": at_inference_when(lambda x: x.dtype == torch.float64),
    "wrong for rank 2 at inference": at_inference_when(lambda x: x.dim() == 2),
    "wrong for rank 5 at inference": at_inference_when(lambda x: x.dim() == 5),
    "wrong with two threads at inference": at_inference_when(
        lambda x: torch.get_num_threads() == 2
    ),
    "wrong for misaligned input at inference": at_inference_when(lambda x: x.data_ptr() % 16),
    "wrong for channels_last with frozen statistics": frozen_when(
        lambda dz: not dz.is_contiguous()
    ),
    "wrong for rank 2 with frozen statistics": frozen_when(lambda dz: dz.dim() == 2),
    "wrong for rank 5 with frozen statistics": frozen_when(lambda dz: dz.dim() == 5),
    "statistics not updated under no_grad": Recipe(layer=recording_only),
    "without a weight wrong with frozen statistics": frozen_without_a_weight,
    "not in inference_mode": Recipe(layer=refusing_inference_mode),
    "n of the first problem": FirstCount,
}
