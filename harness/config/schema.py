"""The schema: every configuration key with its type, its default, its meaning and its allowed
values.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from omegaconf import MISSING

from harness.config import choices
from harness.config.choices import ALTERNATIVES
from implementations.interface import ACTIVATIONS, DTYPES, MEMORY_FORMATS, Face, Outputs, Phase

FACES: tuple[Face, ...] = get_args(Face)
OUTPUTS: tuple[Outputs, ...] = get_args(Outputs)

if TYPE_CHECKING:
    from harness.config.choices import (
        Allocator,
        Alternative,
        Cache,
        DatasetName,
        Device,
        HugePages,
        Inputs,
        Model,
        Optimizer,
        TrainingActivation,
        WaitPolicy,
    )
else:
    # OmegaConf, which reads these annotations, knows no Literal: to it such a key is a text, and
    # `harness.config.validation` holds it against ``allowed``.
    Allocator = Alternative = Cache = DatasetName = Device = Face = HugePages = Inputs = str
    Model = Optimizer = Outputs = TrainingActivation = WaitPolicy = str


# These three return Any, since a field's default stands where its value does, of whatever type.


def one_of(allowed: Collection[object], default: object) -> Any:
    """A key, or each item of a list key, that is one of ``allowed``."""
    metadata = {"allowed": tuple(allowed)}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def none_or_some_of(allowed: Collection[object], default: list[str]) -> Any:
    """A list key each item of which is one of ``allowed``, and which may be empty."""
    return field(
        default_factory=lambda: list(default),
        metadata={"allowed": tuple(allowed), "may_be_empty": True},
    )


def between(least: float, most: float, default: float | None) -> Any:
    """A number within bounds, both included; None passes where the type has it."""
    return field(default=default, metadata={"least": least, "most": most})


@dataclass
class ProblemConfig:
    """Which problems: a named suite at a batch size, or the user's own ``shapes``, each
    (N, C, *spatial).
    """

    suite: str | None = None
    shapes: list[Any] | None = None  # OmegaConf has no type for "a list or a text"
    batch: int = between(1, 1 << 20, 32)
    dtype: str = one_of(DTYPES, "float32")
    parameter_dtype: str | None = one_of((None, *DTYPES), None)  # None: the data's
    memory_format: str = one_of(MEMORY_FORMATS, "contiguous")
    activation: str | None = one_of(ACTIVATIONS, "relu")
    residual: bool = False
    weight: bool = True
    bias: bool = True


@dataclass
class DeviceConfig:
    """Where: the device and how the worker processes are set up for it."""

    name: Device = one_of(get_args(choices.Device), "cpu")
    # None: as many as the CPUs that this process may use, or as its quota of CPU time allows
    threads: int | None = between(1, 4096, None)
    # "default" is the C library's own behaviour
    allocator: Allocator = one_of(get_args(choices.Allocator), "retaining")
    # OpenMP's idle threads spin for 1 ms, 16 ms, not at all
    wait_policy: WaitPolicy = one_of(get_args(choices.WaitPolicy), "brief")
    # asked: the C library asks the kernel for them
    huge_pages: HugePages = one_of(get_args(choices.HugePages), "default")


@dataclass
class TaskConfig:
    """What one run does."""

    name: str = MISSING
    timeout: float = between(1, 1e6, 600.0)  # seconds that one answer of a worker may take


@dataclass
class ConformanceConfig(TaskConfig):
    """Outputs, gradients and statistics against the float64 oracle; errors and buffers against
    PyTorch.
    """

    name: str = "conformance"
    cases: str = "*"  # a glob over the names of cases
    # also the cases that take longer: every tail, all of ResNet-50, problems drawn at random
    thorough: bool = False


@dataclass
class ThroughputConfig(TaskConfig):
    """Paired timing in isolated workers."""

    name: str = "throughput"
    phases: list[str] = one_of(tuple(Phase), [Phase.TRAINING_STEP.value])
    faces: list[Face] = one_of(FACES, ["layer"])
    outputs: Outputs = one_of(OUTPUTS, "fresh")
    # cold: calls go round more arrays than the last-level cache holds
    cache: Cache = one_of(get_args(choices.Cache), "warm")
    inputs: Inputs = one_of(get_args(choices.Inputs), "normal")
    # worker processes, the unit of replication: they decide how many more it takes
    launches: int = between(1, 1000, 8)
    # in all, at most; None: twice the launches above
    most_launches: int | None = between(1, 1000, None)
    blocks: int = between(1, 1000, 5)  # interleaved passes over the arms in a launch
    sample_seconds: float = between(1e-5, 60, 0.01)  # least length of a timed group of calls
    # budget of warming up and sampling, without preparing and checking: past it there is no more
    # than two launches of two blocks. What one cell leaves serves the job's others
    cell_seconds: float = between(0, 1e6, 60.0)
    # relative error against float64 beyond which an arm is INACCURATE and has no verdict
    accuracy: float | None = between(1e-18, 1, None)


@dataclass
class ConvergenceConfig(TaskConfig):
    """Training a small network with each implementation, paired by seed. ``timeout`` counts from
    the last sign of progress.
    """

    name: str = "convergence"
    dataset: DatasetName = one_of(get_args(choices.DatasetName), "digits")
    # with its files; None: where `bnbench data` finds them. What is in them is hashed
    data_folder: str | None = None
    model: Model = one_of(get_args(choices.Model), "mlp")
    # hidden layers of the mlp; None, here and below: the model's own
    depth: int | None = between(1, 1000, None)
    width: int | None = between(1, 1 << 20, None)  # features of each
    activation: TrainingActivation | None = one_of(
        (None, *get_args(choices.TrainingActivation)), None
    )
    memory_format: str | None = one_of((None, *MEMORY_FORMATS), None)  # of convolutions
    # layers before a normalization have a bias, which it takes away again
    redundant_bias: bool = False
    initial_scale: float = between(0, 1e6, 1.0)  # of all initial weights
    # arms beside the implementations
    alternatives: list[Alternative] = none_or_some_of(ALTERNATIVES, ["none"])
    ghost_batch: int = between(2, 1 << 20, 16)  # samples that ghost_batch_norm normalizes together
    optimizer: Optimizer = one_of(get_args(choices.Optimizer), "sgd")
    learning_rate: float | None = between(0, 1e3, None)  # None: one that suits the optimizer
    batch: int = between(2, 1 << 20, 64)
    steps: int = between(1, 10**7, 300)
    evaluate_every: int = between(1, 10**7, 5)
    # validation accuracy; None: the data set's own, which its networks reach
    target: float | None = between(0, 1, None)
    stop_at_target: bool = False
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    # one after the other, each with the machine for itself; else side by side, and without times
    timed: bool = True
    # between two; 0: after each step. resume=true goes on from the last
    checkpoint_seconds: float = between(0, 1e6, 30.0)


@dataclass
class TrackingConfig:
    """MLflow. Without a ``uri`` runs go where MLFLOW_TRACKING_URI says, or else to sqlite in the
    ``results`` folder; without an ``experiment`` to that of MLFLOW_EXPERIMENT_NAME, or to bnbench.
    """

    enabled: bool = True
    uri: str | None = None
    experiment: str | None = None


@dataclass
class GateConfig:
    """What `bnbench gate` does, and by what any run fails."""

    # a shell's, run in the folder of each tree; it puts the package to import into {folder}
    build: str = "pip install --no-deps --target {folder} ."
    # built trees are kept here, by their hash; None: in the user's cache folder
    cache: str | None = None
    # of warming up and sampling, for all cells together
    seconds: float = between(1, 1e6, 300.0)
    # of gates of two equal trees, the share that may raise an alarm
    alarms: float = between(1e-6, 0.5, 0.01)
    # count instructions under valgrind too, in some minutes
    instructions: bool = False
    # of a run: status 1 where an arm is slower than the baseline
    fail_if: str | None = one_of((None, "slower"), None)


@dataclass
class Config:
    """The root. ``results`` holds the journal, reports and MLflow's store, unless those are put
    elsewhere.
    """

    task: TaskConfig = MISSING
    problem: ProblemConfig = MISSING
    device: DeviceConfig = MISSING
    tracking: TrackingConfig = MISSING
    gate: GateConfig = field(default_factory=GateConfig)
    # names, or mappings with a name or _target_, a label, and path, python or variables
    implementations: list[Any] = field(  # OmegaConf has no type for "a text or a mapping"
        default_factory=lambda: [
            "torch_native",
            "fused_cpu",
            "torch_compile",
            "torch_unfused",
            "numpy",
        ]
    )
    baseline: str = "torch_native"
    margin: float = between(1e-4, 1, 0.03)  # the smallest relative difference of practical interest
    alpha: float = between(1e-6, 0.5, 0.05)  # 1 - confidence of every interval
    seed: int = between(0, 2**63 - 1, 0)
    resume: bool = False  # measure only what the journal has no record of, or a failed one
    results: str = "bnbench-results"
    journal: str = "${results}/journal"
    report: str = "${results}/reports"


TASKS = (ConformanceConfig, ThroughputConfig, ConvergenceConfig)
