"""Steps of batch norm computed by a wrong formula, or by one that loses too much."""

from __future__ import annotations

import torch
from plain_bn import (
    Recipe,
    affine,
    axes,
    centred,
    column,
    moved,
    read,
    scaled,
    sums,
    two_pass,
    unbiased,
)

# Statistics and normalization
# ----------------------------------------------------------------------------------------


def one_pass(x):
    mean = x.mean(axes(x), keepdim=True)
    return mean, x.square().mean(axes(x), keepdim=True) - mean.square()


def with_bessel_s_correction(x):
    mean, var = two_pass(x)
    return mean, unbiased(var, x.numel() // x.shape[1])


def of_storage_order(x):
    """Statistics of a buffer read as N, C, H, W, in whatever order it lies."""
    return two_pass(
        x.permute(0, *range(2, x.dim()), 1).reshape(x.shape) if not x.is_contiguous() else x
    )


def leaking(x):
    """A NaN of one channel reaches the next."""
    mean, var = two_pass(x)
    return mean + 0 * mean.roll(1, 1), var


def leaking_gradients(dz, normalized, dbias, dweight, training):
    """A NaN of one channel's gradient reaches the next."""
    return centred(dz, normalized, dbias, dweight + 0 * dweight.roll(1), training)


def about_the_running_mean(mean, var, x, running_mean):
    """One pass over the input less the running mean, which is near the batch's, or it is not."""
    if running_mean is None:
        return mean, var
    shift = column(read(running_mean), x)
    mean, var = one_pass(x - shift)
    return mean + shift, var


def leaking_sums(dz, normalized):
    dbias, dweight = sums(dz, normalized)
    return dbias + 0 * dbias.roll(1), dweight


def narrowly_summed(x):
    """The mean of a sum that is kept in the data's dtype, one value added after the other."""
    rows = x.movedim(1, 0).flatten(1).T
    total = torch.zeros_like(rows[0])
    for row in rows:
        total += row
    mean = column(total.float() / len(rows), x)
    return mean, (x - mean).square().mean(axes(x), keepdim=True)


def of_row_means(x):
    """The variance about each observation's own mean over space: instance norm's, averaged."""
    if x.dim() == 2:
        return two_pass(x)
    space = list(range(2, x.dim()))
    return two_pass(x)[0], x.var(space, correction=0, keepdim=True).mean(0, keepdim=True)


STATISTICS = {
    "one-pass variance": Recipe(moments=one_pass),
    "one-pass variance about the running mean": Recipe(about=about_the_running_mean),
    "n - 1 in the batch's variance": Recipe(moments=with_bessel_s_correction),
    "biased running variance": Recipe(corrected=lambda var, count: var),
    "running variance made unbiased twice": Recipe(
        corrected=lambda var, count: unbiased(unbiased(var, count), count)
    ),
    "variance within observations only": Recipe(moments=of_row_means),
    "wrong channel axis in channels_last": Recipe(moments=of_storage_order),
    "NaN leaks into the next channel": Recipe(moments=leaking),
    "float16 accumulation": Recipe(
        read=lambda x: x if x.dtype == torch.float16 else read(x),
        moments=lambda x: narrowly_summed(x) if x.dtype == torch.float16 else two_pass(x),
    ),
    "mean rounded to the data's dtype": Recipe(
        used=lambda mean, var, x, training: (read(mean.to(x.dtype)) if training else mean, var)
    ),
    "swapped momentum": Recipe(
        moved=lambda running, batch, momentum: moved(running, batch, 1 - momentum)
    ),
    "momentum 0 taken for none": Recipe(
        moved=lambda running, batch, momentum: moved(running, batch, momentum or 0.1)
    ),
    "momentum held to 0 to 1": Recipe(
        moved=lambda running, batch, momentum: moved(running, batch, min(max(momentum, 0.0), 1.0))
    ),
    "statistics not updated": Recipe(moves=lambda training: False),
    "statistics updated at inference": Recipe(moves=lambda training: True),
    "eps outside the root": Recipe(rstd=lambda var, eps: 1 / (var.sqrt() + eps)),
    "eps as the variance's least": Recipe(rstd=lambda var, eps: torch.rsqrt(var.clamp(min=eps))),
    "eps forgotten": Recipe(rstd=lambda var, eps: torch.rsqrt(var)),
    "eps rounded to float32": Recipe(
        rstd=lambda var, eps: torch.rsqrt(var + torch.tensor(eps).to(var))
    ),
    "variance off by 8e-6": Recipe(moments=lambda x: (two_pass(x)[0], two_pass(x)[1] * (1 + 8e-6))),
    "float64 computed in float32": Recipe(read=torch.Tensor.float),
    "normalized values rounded to the data's dtype": Recipe(
        normalized=lambda normalized, x: read(normalized.to(x.dtype))
    ),
}

# What follows the normalization
# --------------------------------------------------------------------------------------


def bias_with_weight_only(normalized, weight, bias):
    return affine(normalized, weight, None if weight is None else bias)


EPILOGUE = {
    "weight's sign lost": Recipe(
        affine=lambda normalized, weight, bias: affine(
            normalized, None if weight is None else weight.abs(), bias
        )
    ),
    "bias forgotten without a weight": Recipe(affine=bias_with_weight_only),
    "bias scaled by the weight": Recipe(
        affine=lambda normalized, weight, bias: affine(
            normalized if bias is None else normalized + bias, weight, None
        )
    ),
    "residual forgotten": Recipe(joined=lambda z, residual: z),
    "NaN swallowed": Recipe(emitted=lambda output, x: torch.nan_to_num(output)),
    "NaN swallowed by ReLU": Recipe(activated=lambda z: torch.where(z > 0, z, 0)),
    "infinity read as the greatest number": Recipe(
        read=lambda x: torch.nan_to_num(read(x), nan=torch.nan)
    ),
    "subnormal input read as 0": Recipe(
        read=lambda x: torch.where(read(x).abs() < torch.finfo(torch.float32).tiny, 0, read(x))
    ),
    "contiguous output for channels_last": Recipe(emitted=lambda output, x: output.contiguous()),
}

# Gradients
# ------------------------------------------------------------------------------


def with_n_less_one(dz, normalized, dbias, dweight, training):
    count = dz.numel() // dz.shape[1]
    return centred(
        dz, normalized, dbias * count / (count - 1), dweight * count / (count - 1), training
    )


def nothing(dbias):
    return torch.zeros_like(dbias)


GRADIENTS = {
    "gradient of the sum": Recipe(towards=lambda gradient, output: torch.ones_like(gradient)),
    "mask missing in backward": Recipe(masked=lambda gradient, z: gradient),
    "mask shifted in backward": Recipe(masked=lambda gradient, z: gradient * (z.roll(1) > 0)),
    "slope of ReLU at 0 is 1": Recipe(masked=lambda gradient, z: gradient * (z >= 0)),
    "residual's gradient unmasked": Recipe(residual=lambda gradient, dz: gradient),
    "no gradient through the mean": Recipe(
        centred=lambda dz, normalized, dbias, dweight, training: centred(
            dz, normalized, nothing(dbias), dweight, training
        )
    ),
    "no gradient through the variance": Recipe(
        centred=lambda dz, normalized, dbias, dweight, training: centred(
            dz, normalized, dbias, nothing(dweight), training
        )
    ),
    "NaN leaks into the next channel's gradient": Recipe(centred=leaking_gradients),
    "NaN of the output's gradient leaks into the next channel": Recipe(sums=leaking_sums),
    "n - 1 in the input's gradient": Recipe(centred=with_n_less_one),
    "frozen statistics' gradient by training's formula": Recipe(
        centred=lambda dz, normalized, dbias, dweight, training: centred(
            dz, normalized, dbias, dweight, True
        )
    ),
    "training's gradient by the formula of frozen statistics": Recipe(
        centred=lambda dz, normalized, dbias, dweight, training: dz
    ),
    "weight forgotten in the input's gradient": Recipe(scaled=lambda rstd, weight: rstd),
    "rstd forgotten in the input's gradient": Recipe(
        scaled=lambda rstd, weight: scaled(torch.ones_like(rstd), weight)
    ),
    "weight's gradient with the neighbour's values": Recipe(
        sums=lambda dz, normalized: (sums(dz, normalized)[0], sums(dz, normalized.roll(1, 1))[1])
    ),
    "no gradient of the weight": Recipe(
        gradients=lambda made, gradient, saved: made._replace(weight=None)
    ),
    "no gradient of the weight where that is 0": Recipe(
        gradients=lambda made, gradient, saved: made._replace(
            weight=None if made.weight is None else made.weight * (saved[2] != 0)
        )
    ),
    "no gradient of the bias": Recipe(
        gradients=lambda made, gradient, saved: made._replace(bias=None)
    ),
    "no gradient of the residual": Recipe(
        gradients=lambda made, gradient, saved: made._replace(residual=None)
    ),
    "parameters' gradients in float64": Recipe(
        gradients=lambda made, gradient, saved: made._replace(
            weight=None if made.weight is None else made.weight.double(),
            bias=None if made.bias is None else made.bias.double(),
        )
    ),
    "parameters' gradients rounded to the data's dtype": Recipe(
        gradients=lambda made, gradient, saved: made._replace(
            weight=None if made.weight is None else made.weight.to(gradient.dtype).to(made.weight),
            bias=None if made.bias is None else made.bias.to(gradient.dtype).to(made.bias),
        )
    ),
    "input's gradient contiguous for channels_last": Recipe(
        gradients=lambda made, gradient, saved: made._replace(input=made.input.contiguous())
    ),
}
