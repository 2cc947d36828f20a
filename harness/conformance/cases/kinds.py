"""The kinds of case, as plain data. Each is checked by the file of `harness.conformance.checks`
that bears its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from implementations.interface import Face, Outputs, Phase, Problem

Distribution = Literal[
    "normal", "rectified", "ternary"
]  # of `harness.problems.inputs`, which imports array libraries
OF_INPUT = -1  # as many elements as the input has channels


@dataclass(frozen=True)
class Common:
    """What every case has. Its worker has ``fixed_threads``, or as many threads as the
    configuration says.

    ``about`` names what the case is there to ask: attributes of a problem, "rank", "channels",
    "row" (the last size), "phase", "face" or "outputs". They stay where a case is fitted to what an
    implementation supports. A case about an "error" is not fitted at all.
    """

    name: str
    fixed_threads: int | None = field(default=None, kw_only=True)
    # left out unless thoroughness, or the case itself, is asked for
    thorough: bool = field(default=False, kw_only=True)
    about: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class NumbersCase(Common):
    """What one phase of a problem leaves behind, against the float64 oracle.

    ``distribution``, ``mean`` and ``scale`` are `inputs.make_arrays`'s. Channel 0 is all ``fill``,
    a number as `float` reads it, and the output's gradient there ``fill_gradient``; its weight is 0
    with ``zero_weight``, as the last one of a residual block is at first. The data's arrays begin
    ``offset`` elements past where an allocator would put them. Where ``odd_strides`` name the
    input or the output's gradient, the strides of its sizes of 1 are other than usual, so that it
    is dense in two layouts.

    ``refills`` are further values that channel 0 of the input is filled with, in place, each before
    another call.
    """

    problem: Problem
    phase: Phase = Phase.TRAINING_STEP
    face: Face = "layer"
    outputs: Outputs = "fresh"
    distribution: Distribution = "normal"
    mean: float = 0.0
    scale: float = 1.0
    fill: str | None = None
    fill_gradient: str | None = None
    zero_weight: bool = False
    momentum: float = 0.1
    eps: float = 1e-5
    offset: int = 0
    odd_strides: tuple[str, ...] = ()
    refills: tuple[str, ...] = ()


@dataclass(frozen=True)
class CallCase(Common):
    """One call of `batch_norm`, made twice, against `torch.nn.functional.batch_norm`.

    Parameters are given by their length, None being absent. ``view`` says how the input lies in
    memory, ``towards`` how the output's gradient does and ``parameters`` how the others do; with
    ``gradients`` those are compared too. ``mode`` is autograd's: "grad", "no_grad", as where
    statistics alone are renewed, or "inference_mode".
    """

    shape: tuple[int, ...]
    training: bool = False
    momentum: float | None = 0.1
    eps: float = 1e-5
    running_mean: int | None = OF_INPUT
    running_var: int | None = OF_INPUT
    weight: int | None = OF_INPUT
    bias: int | None = OF_INPUT
    dtype: str = "float32"
    parameter_dtype: str = "float32"
    view: str = "plain"
    towards: str = "plain"
    parameters: str = "plain"
    gradients: bool = False
    mode: str = "grad"


@dataclass(frozen=True)
class ModuleCase(Common):
    """The life of a `BatchNorm`, against `torch.nn.BatchNorm1d`, 2d and 3d.

    The module's channels are the shape's; ``calls`` tells for each call whether it is training.
    Between being made and being called, ``untracked`` sets ``track_running_stats`` to False, and
    ``old`` loads a checkpoint of PyTorch before 1.0, which counts no batches.
    """

    shape: tuple[int, ...]
    calls: tuple[bool, ...] = (True, True, False, True)
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True
    untracked: bool = False
    old: bool = False
    gradients: bool = False
    dtype: str = "float32"
    memory_format: str = "contiguous"


@dataclass(frozen=True)
class OnnxCase(Common):
    """A call of ONNX's BatchNormalization-15, whose momentum and variance are conventions of its
    own. Without ``affine`` its scale is 1 and its bias 0, and no such operands are given.
    """

    shape: tuple[int, ...]
    training: bool = False
    momentum: float = 0.9
    eps: float = 1e-5
    affine: bool = True
    dtype: str = "float32"
    memory_format: str = "contiguous"


@dataclass(frozen=True)
class DifferencesCase(Common):
    """Gradients against differences of the implementation's own outputs, in float64.

    ``method`` is "gradcheck", every element of the layer's Jacobian by `torch.autograd.gradcheck`;
    "directions", derivatives along random directions, which also reaches the kernel face; or
    "penalty", the derivative of the gradient's square, which may be refused.
    """

    problem: Problem
    method: str
    phase: Phase = Phase.TRAINING_STEP
    face: Face = "layer"


@dataclass(frozen=True)
class LawCase(Common):
    """A law of `interface`, named by ``law``, on as many ``examples`` as hypothesis draws from
    ``seed``.

    Examples are data of one ``problem``; where it is None, problems are drawn too.
    """

    law: str
    problem: Problem | None
    examples: int = 12
    seed: int = 0


@dataclass(frozen=True)
class RepeatsCase(Common):
    """What successive calls may not do to each other, to their operands or to what autograd keeps.

    ``what`` names the check.
    """

    what: str
    problem: Problem
    face: Face = "layer"


Case = NumbersCase | CallCase | ModuleCase | OnnxCase | DifferencesCase | LawCase | RepeatsCase
