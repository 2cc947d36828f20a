"""What is computed is right; where it is read from, written to or kept is not.

Kernels write behind autograd's back, hence ``.data``: what autograd counts as a change it notices
by itself.
"""

from __future__ import annotations

import torch
from plain_bn import Recipe, two_pass


def as_if_contiguous(gradient, like):
    """The gradient's memory from its first element on, in the output's order; a short memory is
    read round and round.
    """
    length = gradient.untyped_storage().nbytes() // gradient.element_size()
    places = (gradient.storage_offset() + torch.arange(gradient.numel())) % length
    return torch.as_strided(gradient, (length,), (1,), 0)[places].as_strided(
        like.shape, like.stride()
    )


def as_if_channels_last(gradient, like):
    return gradient if like.is_contiguous() else as_if_contiguous(gradient, like)


def packed(values):
    """The values that lie in memory one after the other from the first on."""
    return None if values is None else values.as_strided(values.shape, (1,))


def kept(step, operand=None):
    """A recipe whose ``step``, or whose gradient of an operand, is in a buffer of the layer's own,
    made at the first call.
    """

    def make():
        buffers = []

        def copied(made):
            buffers[:] = buffers or [torch.empty_like(made)]
            return buffers[0].data.copy_(made)

        def gradients(made, gradient, saved):
            return (
                made
                if getattr(made, operand) is None
                else made._replace(**{operand: copied(getattr(made, operand))})
            )

        return (
            Recipe(gradients=gradients)
            if operand
            else Recipe(**{step: lambda made, x: copied(made)})
        )

    return make


def accumulated():
    """The bias's gradient is added to that of the call before."""
    totals = []

    def gradients(made, gradient, saved):
        totals.extend([] if made.bias is None else [made.bias.clone()])
        return made._replace(bias=sum(totals[1:], totals[0]) if totals else None)

    return Recipe(gradients=gradients)


def of_the_batch_before():
    """Each batch is normalized with the statistics of the one before, as a kernel in a pipeline may
    have them.
    """
    known = []

    def moments(x):
        known.append(two_pass(x))
        return known[max(len(known) - 2, 0)]

    return Recipe(moments=moments)


def in_place(dz, z):
    dz.data.mul_(z > 0)
    return dz


def spent(made, gradient, saved):
    saved[0].data.zero_()
    return made


WRITES = {
    "mutated input": Recipe(touch=lambda x, residual, weight: x.data.mul_(1.5)),
    "mutated residual": Recipe(
        touch=lambda x, residual, weight: residual is None or residual.data.relu_()
    ),
    "mutated weight": Recipe(
        touch=lambda x, residual, weight: weight is None or weight.data.mul_(1.5)
    ),
    "output over the input": Recipe(emitted=lambda output, x: x.data.copy_(output)),
    "output in one buffer": kept("emitted"),
    "input's gradient in one buffer": kept("gradients", "input"),
    "weight's gradient in one buffer": kept("gradients", "weight"),
    "saved tensors in one buffer": kept("normalized"),
    "input's gradient over the output": Recipe(
        kept=lambda output: output,
        gradients=lambda made, gradient, saved: made._replace(
            input=saved[4].data.copy_(made.input)
        ),
    ),
    "output kept as what it is without weight and bias": Recipe(
        parted=lambda output, normalized: output.data
    ),
    "input's gradient over the output's": Recipe(
        gradients=lambda made, gradient, saved: made._replace(input=gradient.data.copy_(made.input))
    ),
    "output's gradient masked in place": Recipe(masked=in_place),
    "saved tensors spent by the backward": Recipe(gradients=spent),
    "fresh outputs for given ones": Recipe(delivered=lambda made, out: made),
    "added to the given output": Recipe(
        delivered=lambda made, out: made if made is None or out is None else out.add_(made)
    ),
    "gradient not begun at 0": accumulated,
    "statistics of the batch before": of_the_batch_before,
}
READS = {
    "gradient read as if contiguous": Recipe(towards=as_if_contiguous),
    "gradient read as if channels_last": Recipe(towards=as_if_channels_last),
    "parameters read as if contiguous": Recipe(
        layer=lambda layer: (
            lambda x, residual, weight, bias, *others: layer(
                x, residual, packed(weight), packed(bias), *others
            )
        )
    ),
    "statistics read as if contiguous": Recipe(
        layer=lambda layer: (
            lambda *operands: layer(
                *operands[:4],
                *(operands[4:6] if operands[6].training else map(packed, operands[4:6])),
                operands[6],
            )
        )
    ),
}
MEMORY = {**WRITES, **READS}
