"""One step of a layer, asked for as users ask: `batch_norm` and autograd, whose plans a compiler
makes once a problem.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from implementations import batch_norm
from implementations.interface import Arrays, Gradients, Implementation, Problem, Results

Tensor = torch.Tensor


@dataclass(frozen=True)
class Step:
    """A forward whose graph is there still: its output, the operands that it can be differentiated
    by, the statistics.
    """

    output: Tensor
    operands: Gradients  # absent ones are None
    running_mean: Tensor
    running_var: Tensor
    grad_output: Tensor

    def differentiated(self, *, retain: bool = False) -> Gradients:
        """The operands' gradients towards the arrays' ``grad_output``."""
        wanted = [operand for operand in self.operands if operand is not None]
        found = iter(
            torch.autograd.grad(self.output, wanted, self.grad_output, retain_graph=retain)
        )
        return Gradients(*(None if operand is None else next(found) for operand in self.operands))

    def results(self) -> Results:
        """Everything as `compare_with_oracle` takes it. Spends the graph."""
        gradients = self.differentiated()
        return Results(
            self.output.detach(),
            self.running_mean,
            self.running_var,
            gradients.input,
            gradients.residual,
            gradients.weight,
            gradients.bias,
        )


def step(
    implementation: Implementation, problem: Problem, arrays: Arrays, *, training: bool = True
) -> Step:
    """Call the layer on the arrays, which stay as they are. Raises ``Unsupported``."""
    operands = Gradients(
        *(
            None if given is None else given.detach().requires_grad_()
            for given in (arrays.input, arrays.residual, arrays.weight, arrays.bias)
        )
    )
    mean, var = arrays.running_mean.clone(), arrays.running_var.clone()
    return Step(
        call(implementation, problem, arrays, operands, mean, var, training=training),
        operands,
        mean,
        var,
        arrays.grad_output,
    )


def call(
    implementation: Implementation,
    problem: Problem,
    arrays: Arrays,
    operands: Gradients,
    running_mean: Tensor,
    running_var: Tensor,
    *,
    training: bool,
) -> Tensor:
    """`batch_norm` on the given operands in the place of the arrays' own."""
    return batch_norm(
        operands.input,
        running_mean,
        running_var,
        operands.weight,
        operands.bias,
        training,
        arrays.momentum,
        arrays.eps,
        implementation=implementation,
        activation=problem.activation,
        residual=operands.residual,
    )
