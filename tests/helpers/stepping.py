"""What a step leaves, to hold one model's against another's."""

from __future__ import annotations


def stepped(model, x):
    """Output, gradients and buffers after a forward and a backward on ``x``, which takes a gradient
    too.
    """
    output = model(x)
    output.square().sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {"output": output, "x": x.grad, **gradients, **dict(model.named_buffers())}
