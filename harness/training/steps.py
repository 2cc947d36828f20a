"""What a training leaves: its steps, and what they say about reaching a target."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import NamedTuple


class Step(NamedTuple):
    """One update. ``seconds`` are its own; ``gradient_norm`` is of all gradients together, before
    it, ``weight_norm`` of all parameters after it, both Euclidean, and None where they are not
    finite.

    Where the network was evaluated after it, ``accuracy`` is the validation split's, from 0 to 1,
    and ``running_lag`` as in `training.observing`.
    """

    step: int
    loss: float
    seconds: float
    gradient_norm: float | None = None
    weight_norm: float | None = None
    accuracy: float | None = None
    running_lag: float | None = None


@dataclass(frozen=True)
class Training:
    """What a run did. ``steps`` end before the loss was first not finite, which was at
    ``diverged_at`` if it was.

    ``resumed_after`` are the steps after which it was interrupted and went on in another process.
    """

    steps: tuple[Step, ...]
    diverged_at: int | None
    test_accuracy: float | None
    evaluation_seconds: float
    resumed_after: tuple[int, ...] = ()

    def steps_to(self, target: float) -> int | None:
        """After how many steps an evaluation first met the target; None where none did."""
        return next(
            (
                step.step
                for step in self.steps
                if step.accuracy is not None and step.accuracy >= target
            ),
            None,
        )

    def seconds_to(self, target: float) -> float | None:
        """The same in seconds, all steps at the median's pace: neither compilation nor a busy
        machine counts.
        """
        reached = self.steps_to(target)
        return None if reached is None else reached * self.seconds_per_step

    @property
    def seconds_per_step(self) -> float:
        """The median, without the first step of each process where there are others. Needs at least
        one step.
        """
        warm = [
            step.seconds for step in self.steps if step.step - 1 not in {0, *self.resumed_after}
        ]
        return median(warm or [step.seconds for step in self.steps])
