"""The conformance cases, as data. A name is ``group/what``; a report has a row for each group.

    phases, layouts, dtypes, shapes, data    numbers: what one phase of a problem leaves behind, against the oracle
    samples, edges, strided, errors          one call of `batch_norm`, against `torch.nn.functional.batch_norm`
    module                                   the life of a `BatchNorm`, against `torch.nn.BatchNorm1d`, 2d and 3d

Problems are shared between cases where that loses nothing, since a compiler pays for each. This module imports no array
library: a plan needs names only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from implementations.interface import Face, Outputs, Phase, Problem

OF_INPUT = -1  # as many elements as the input has channels


@dataclass(frozen=True)
class NumbersCase:
    """One phase of one problem.

    The input is normal with ``mean`` and deviation ``scale``. Channel 0 is all ``fill``, a number as `float` reads it.
    """

    name: str
    problem: Problem
    phase: Phase = Phase.TRAINING_STEP
    face: Face = "layer"
    outputs: Outputs = "fresh"
    mean: float = 0.0
    scale: float = 1.0
    fill: str | None = None
    momentum: float = 0.1
    eps: float = 1e-5


@dataclass(frozen=True)
class CallCase:
    """Arguments of `batch_norm`. Parameters are given by their length, None being absent.

    ``view`` says how the input lies in memory; with ``gradients`` those are compared too.
    """

    name: str
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
    gradients: bool = False


@dataclass(frozen=True)
class ModuleCase:
    """Arguments of `BatchNorm`, whose channels are the shape's, and for each call whether the module is training."""

    name: str
    shape: tuple[int, ...]
    calls: tuple[bool, ...] = (True, True, False, True)
    eps: float = 1e-5
    momentum: float | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    gradients: bool = False


Case = NumbersCase | CallCase | ModuleCase

# 19 channels and 63 values of space leave a tail whatever the width of a vector.
PLAIN = Problem((4, 19, 7, 9), activation="relu", residual=True)
CHANNELS_LAST = replace(PLAIN, memory_format="channels_last")
CHANNELS_LAST_3D = Problem((2, 9, 3, 5, 4), memory_format="channels_last", weight=False)
TWO_WAYS: tuple[tuple[Face, Outputs], ...] = (("layer", "fresh"), ("kernel", "reused"))
WAYS: tuple[tuple[Face, Outputs], ...] = (*TWO_WAYS, ("kernel", "fresh"))

PHASES = tuple(
    NumbersCase(f"phases/{phase},{face},{outputs}", PLAIN, phase, face, outputs)
    for phase in Phase for face, outputs in WAYS)
LAYOUTS = (
    *(NumbersCase(f"layouts/{name},{face},{outputs}", problem, face=face, outputs=outputs)
      for name, problem in (("channels_last", CHANNELS_LAST), ("channels_last_3d", CHANNELS_LAST_3D))
      for face, outputs in TWO_WAYS),
    NumbersCase("layouts/channels_last,inference", CHANNELS_LAST, Phase.INFERENCE),
)
DTYPES = tuple(
    NumbersCase(f"dtypes/{name},{face},{outputs}", problem, face=face, outputs=outputs)
    for name, problem in (
        ("float64", Problem((67, 13), "float64", activation="relu", residual=True)),
        ("bfloat16", Problem((3, 6, 3, 5, 7), "bfloat16", memory_format="channels_last", residual=True)),
        ("float16", Problem((16, 6, 17, 19), "float16", activation="relu")),
        ("bfloat16,float32", Problem((8, 24, 11, 5), "bfloat16", "float32", "channels_last", "relu", residual=True)),
        ("float16,float32", Problem((6, 5, 31), "float16", "float32", activation="relu", bias=False)),
    )
    for face, outputs in TWO_WAYS)
SHAPES = (
    NumbersCase("shapes/two_values_a_channel", Problem((2, 37), weight=False, bias=False), momentum=1.0, eps=0.1),
    NumbersCase("shapes/one_long_channel", Problem((37, 1, 1031), activation="relu"), momentum=0.0, eps=0.6),
)
DATA = (
    NumbersCase("data/large_mean", PLAIN, mean=1e3),
    NumbersCase("data/very_large_mean", PLAIN, mean=1e4),
    NumbersCase("data/very_large_mean,channels_last", CHANNELS_LAST, mean=1e4),
    NumbersCase("data/variance_below_eps", PLAIN, scale=1e-3),
    NumbersCase("data/subnormal", PLAIN, scale=1e-39),
    NumbersCase("data/constant_channel", PLAIN, fill="0.5"),
    NumbersCase("data/nan_in_one_channel", CHANNELS_LAST_3D, fill="nan"),
)
# The sample inputs of torch/testing/_internal/common_methods_invocations.py, sample_inputs_batch_norm, with S = 5.
SAMPLES = (
    CallCase("samples/rank_3", (5, 5, 5), training=True, momentum=0.5, eps=0.6),
    CallCase("samples/inference,rank_3", (3, 2, 4), momentum=-1.2),
    CallCase("samples/momentum_0", (3, 1), training=True, momentum=0.0),
    CallCase("samples/rank_1,training", (0,), training=True, weight=None, bias=None),
    CallCase("samples/rank_1", (0,), weight=None, bias=None),
    CallCase("samples/negative_momentum", (3, 2, 3, 4), training=True, momentum=-1.0, eps=0.5),
    CallCase("samples/inference,negative_momentum", (3, 2, 3, 4), momentum=-1.0, eps=0.5),
    CallCase("samples/defaults", (2, 1)),
    CallCase("samples/defaults,training", (2, 1), training=True),
    CallCase("samples/input_alone", (1, 2, 3), training=True,
             running_mean=None, running_var=None, weight=None, bias=None),
)
EDGES = (
    CallCase("edges/empty_batch,training", (0, 3, 2), training=True),
    CallCase("edges/empty_batch", (0, 3, 2)),
    CallCase("edges/empty_space,training", (2, 3, 0), training=True),
    CallCase("edges/no_channels,training", (2, 0, 2), training=True, weight=None, bias=None),
    CallCase("edges/one_value_a_channel", (1, 3, 1, 1)),
    CallCase("edges/rank_6", (5, 5, 1, 5, 1, 1), training=True, momentum=0.5, eps=0.6),
)
STRIDED = tuple(
    CallCase(f"strided/{view}", (4, 6, 5, 3), training=True, view=view, gradients=True)
    for view in ("sliced", "permuted", "expanded"))
ERRORS = (
    CallCase("errors/one_value_a_channel,training", (1, 3, 1, 1), training=True),
    CallCase("errors/running_mean_of_wrong_length", (4, 3, 5), training=True, running_mean=2),
    CallCase("errors/running_var_of_wrong_length", (4, 3, 5), running_var=4),
    CallCase("errors/weight_of_wrong_length", (4, 3, 5), training=True, weight=2),
    CallCase("errors/bias_of_wrong_length", (4, 3, 5), bias=4),
    CallCase("errors/inference_without_statistics", (4, 3, 5), running_mean=None, running_var=None),
    CallCase("errors/inference_without_running_var", (4, 3, 5), running_var=None),
    CallCase("errors/running_var_alone,training", (4, 3, 5), training=True, running_mean=None),
    CallCase("errors/running_mean_alone,training", (4, 3, 5), training=True, running_var=None),
    CallCase("errors/negative_eps", (4, 3, 5), eps=-1.0),
    CallCase("errors/eps_0,training", (4, 3, 5), training=True, eps=0.0),
    CallCase("errors/momentum_none", (4, 3, 5), training=True, momentum=None),
    CallCase("errors/integers", (4, 3, 5), dtype="int64"),
    CallCase("errors/parameters_narrower_than_data", (4, 3, 5), training=True, dtype="float64"),
    CallCase("errors/scalar,training", (), training=True),
    CallCase("errors/rank_1", (3,), running_mean=3, running_var=3, weight=None, bias=None),
)
MODULE = (
    ModuleCase("module/defaults", (4, 6, 5, 3), gradients=True),
    # Each batch has a weight of its own: a compiler that specializes on it gives up after eight.
    ModuleCase("module/cumulative_average", (4, 6), (True,) * 10, momentum=None),
    ModuleCase("module/not_affine", (3, 4, 2, 3, 2), (True, False), eps=1e-3, momentum=0.3, affine=False),
    ModuleCase("module/statistics_not_tracked", (4, 5, 3), (True, False), eps=1e-3, track_running_stats=False),
    ModuleCase("module/empty_batch", (0, 5, 9), (True, False), momentum=0.3, affine=False),
)
CASES: tuple[Case, ...] = (*PHASES, *LAYOUTS, *DTYPES, *SHAPES, *DATA, *SAMPLES, *EDGES, *STRIDED, *ERRORS, *MODULE)


def matching(pattern: str) -> list[Case]:
    """The cases whose names match a glob, in their order."""
    return [case for case in CASES if fnmatchcase(case.name, pattern)]


def named(name: str) -> Case:
    """The case of that name. Raises KeyError where there is none."""
    return {case.name: case for case in CASES}[name]


def described(case: Case) -> dict[str, Any]:
    """All that defines a case, as plain data; its name under ``case``."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(case)))
    return {"case": data.pop("name"), **data}
