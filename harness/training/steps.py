"""What a training leaves: its steps, and what they say about reaching a target."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from harness.records import Seconds, TrainingStep


@dataclass(frozen=True)
class Training:
    """What a run did. ``steps`` end before the loss was first not finite, at ``diverged_at``.

    ``resumed_after`` are the steps after which it was interrupted and went on in another process.
    """

    steps: tuple[TrainingStep, ...]
    diverged_at: int | None
    test_accuracy: float | None
    evaluation_seconds: Seconds
    resumed_after: tuple[int, ...] = ()

    def steps_to(self, target: float) -> int | None:
        """After how many steps an evaluation first met the target; None where none did."""
        for step in self.steps:
            if step.accuracy is not None and step.accuracy >= target:
                return step.step
        return None

    def seconds_to(self, target: float) -> Seconds | None:
        """The same in seconds, all steps at the median's pace: neither compilation nor a busy
        machine counts.
        """
        reached, pace = self.steps_to(target), self.seconds_per_step
        return None if reached is None or pace is None else Seconds(reached * pace)

    @property
    def seconds_per_step(self) -> Seconds | None:
        """The median, without the first step of each process where there are others; None where no
        step was timed.
        """
        first = {0, *self.resumed_after}
        timed = {step.step: step.seconds for step in self.steps if step.seconds is not None}
        warm = [seconds for number, seconds in timed.items() if number - 1 not in first]
        return Seconds(median(warm or timed.values())) if timed else None
