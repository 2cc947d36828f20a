"""Raw observations, kept so that figures can be derived from them again."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.records.plain_data import OMIT_NONE
from harness.records.statuses import Doubt
from harness.records.units import Seconds


@dataclass(frozen=True)
class TimedSample:
    """One timed group of calls of an arm, in one block of one launch.

    ``seconds`` are those of all ``calls`` together, ``untimed`` those of the calls before them.
    ``waited`` is how long threads of the process, ready to run, waited for a CPU, as a share of
    both; None where the kernel does not tell. ``preempted`` counts how often one was put off a CPU.
    ``device_seconds`` is CUDA's own account. ``doubts`` are the reasons for which the block is in
    doubt; where ``set_aside`` the sample enters no figure, and where ``retaken`` another was taken
    in its place.
    """

    launch: int
    block: int
    calls: int
    seconds: Seconds
    untimed: Seconds = Seconds(0.0)
    waited: float | None = None
    preempted: int = 0
    device_seconds: Seconds | None = None
    doubts: tuple[Doubt, ...] = ()
    set_aside: bool = False
    retaken: bool = False


@dataclass(frozen=True)
class BlockConditions:
    """What the machine did around one block of a launch.

    ``stolen`` is the share of the CPUs' time that the hypervisor gave to others, ``elsewhere`` the
    number of CPUs that other processes used, ``frequency`` in MHz before and after.
    """

    launch: int
    doubts: tuple[Doubt, ...] = ()
    set_aside: bool = False
    stolen: float = 0.0
    stolen_ticks: int = 0
    throttled: int = 0
    elsewhere: float = 0.0
    load: float = 0.0
    frequency: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True)
class TrainingStep:
    """One update of a training, counted from 1.

    ``seconds`` are its own, None where arms ran side by side. ``gradient_norm`` is of all gradients
    before the update and ``weight_norm`` of all parameters after it, both Euclidean, and None where
    they are not finite. Where the network was evaluated after the update, ``accuracy`` is the
    validation split's, from 0 to 1, and ``running_lag`` as in `training.metrics`.
    """

    step: int
    loss: float
    seconds: Seconds | None
    gradient_norm: float | None = None
    weight_norm: float | None = None
    accuracy: float | None = None
    running_lag: float | None = None


@dataclass(frozen=True)
class ComparedQuantity:
    """One quantity of a conformance case, compared with what it should be.

    ``ratio`` is the worst error over its tolerance; ``index``, ``got``, ``expected`` and ``ulp``
    are of that element. Numbers that are not finite are None. ``fault`` is what is wrong beyond a
    number.
    """

    quantity: str
    passed: bool
    ratio: float | None = None
    index: tuple[int, ...] = ()
    got: float | None = None
    expected: float | None = None
    ulp: float | None = None
    fault: str | None = None
    mistrusted: bool = False


@dataclass(frozen=True)
class Cost:
    """Seconds that are not the measurement; None where there were none of that kind.

    ``lock_wait_seconds`` is how long it waited for others of this machine to be done.
    """

    prepare_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)
    compile_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)
    first_call_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)
    warm_up_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)
    check_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)
    evaluate_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)
    lock_wait_seconds: Seconds | None = field(default=None, metadata=OMIT_NONE)


Sample = TimedSample | TrainingStep | ComparedQuantity
