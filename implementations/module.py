"""`BatchNorm`: a drop-in for torch.nn.BatchNorm1d, 2d and 3d over any implementation."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from implementations import registry
from implementations.arguments import check_activation, has_form_of
from implementations.functional import add_and_activate, batch_norm, resolve
from implementations.interface import RANKS, Implementation, Unsupported
from implementations.refusals import refuse_fx_tracing


class BatchNorm(_BatchNorm):
    """Normalizes input of shape (N, C, *spatial), of rank 2 to 5, where C is ``num_features``.

    Parameters, buffers and ``state_dict`` are those of `torch.nn.BatchNorm2d`, so that checkpoints
    go both ways, and it is one to `isinstance`, so that tools which look for batch norm find it.
    ``momentum=None`` averages over all batches. ``forward(input, residual)`` adds the residual
    before the activation; a residual of another shape or dtype than the input's is added as ``+``
    does, in an operation of its own.

    With an activation ``eps`` cannot be read, so that no tool takes the module for a plain batch
    norm and drops its ReLU.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        implementation: registry.Specification | Implementation,
        activation: str | None = None,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        check_activation(activation)
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype
        )
        if not bias:
            # PyTorch's own argument of that name came with 2.13
            self.register_parameter("bias", None)
        self.implementation = implementation
        self._resolved = resolve(implementation)
        self.activation = activation

    @property
    def eps(self) -> float:
        """What is added to the variance. Raises ``Unsupported`` where the module also computes a
        ReLU: code that reads the eps of a batch norm puts something else in its place.
        """
        if self.activation is not None:
            raise Unsupported(
                f"this BatchNorm also computes a ReLU (activation={self.activation!r}), which "
                "SyncBatchNorm.convert_sync_batchnorm, fuse_conv_bn_eval and others that read its "
                "eps would drop; give them a batch norm with activation=None and a ReLU after it, "
                "or read vars(module)['eps']"
            )
        return self._eps

    @eps.setter
    def eps(self, value: float) -> None:
        vars(self)["eps"] = value

    @property
    def _eps(self) -> float:
        value: float = vars(self)["eps"]
        return value

    def __dir__(self) -> list[str]:
        # `torch.jit.trace` and `inspect` read all that is listed
        listed: list[str] = super().__dir__()  # type: ignore[no-untyped-call]  # torch's own
        return [name for name in listed if name != "eps" or self.activation is None]

    def forward(self, input: torch.Tensor, residual: torch.Tensor | None = None) -> torch.Tensor:
        self._check_input_dim(input)
        use_batch = self.training or (self.running_mean is None and self.running_var is None)
        update = self.training and self.track_running_stats
        # As in PyTorch, buffers that are not tracked serve inference only.
        keep = not self.training or self.track_running_stats
        is_fused = residual is None or has_form_of(residual, input)
        output = batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            use_batch,
            self._average_factor(update),
            self._eps,
            implementation=self._resolved,
            activation=self.activation if is_fused else None,
            residual=residual if is_fused else None,
        )
        return output if is_fused else add_and_activate(output, residual, self.activation)

    def _average_factor(self, update: bool) -> float:
        """The weight of this batch in the running statistics; counts the batch."""
        if update and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                return 1.0 / float(self.num_batches_tracked)
        return 0.0 if self.momentum is None else float(self.momentum)

    def _check_input_dim(self, input: torch.Tensor) -> None:
        refuse_fx_tracing(input)
        if input.dim() not in RANKS:
            raise ValueError(f"expected 2D to 5D input (got {input.dim()}D input)")

    def extra_repr(self) -> str:
        given = self.implementation
        name = given if isinstance(given, Implementation) else registry.name_of(given)
        return (
            f"{self.num_features}, eps={self._eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}, "
            f"implementation={name}, activation={self.activation}"
        )
