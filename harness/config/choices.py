"""The choices that the configuration offers by name, each spelled once.

The schema allows what stands here, and a table that says what a choice means (``ALLOCATORS``,
``OPTIMIZERS``, ...) has these types as its keys. Faces, outputs, phases, dtypes and memory formats
are the contract's own: `implementations.interface`.
"""

from __future__ import annotations

from typing import Literal, get_args

Device = Literal["cpu", "cuda"]
Allocator = Literal["retaining", "default"]
WaitPolicy = Literal["brief", "default", "passive"]
HugePages = Literal["default", "asked"]

Cache = Literal["warm", "cold"]
Inputs = Literal["normal", "rectified", "large_mean", "denormal"]

DatasetName = Literal["digits", "mnist1d", "fashion_mnist"]
Model = Literal["mlp", "cnn", "resnet20"]
TrainingActivation = Literal["relu", "sigmoid", "tanh"]
Optimizer = Literal["sgd", "momentum", "rmsprop", "adam"]

# Arms of a training that are no implementation of batch norm.
Alternative = Literal["none", "group_norm", "layer_norm", "ghost_batch_norm"]
ALTERNATIVES: tuple[Alternative, ...] = get_args(Alternative)
WITHOUT: Alternative = "none"
GROUP: Alternative = "group_norm"
LAYER: Alternative = "layer_norm"
GHOST: Alternative = "ghost_batch_norm"
