"""A sampler whose clock the test sets."""

from __future__ import annotations

from collections import Counter

from harness.timing.messages import TimingResult


class FakeSampler:
    """An arm's call lasts as long as its name says, in seconds, times what ``slower`` makes of the
    calls made before.
    """

    def __init__(self, slower=lambda made: 1.0, **seconds):
        self.seconds, self.slower, self.made, self.asked = seconds, slower, Counter(), []

    def sample(self, arm, calls, untimed):
        self.asked.append((arm, calls, untimed))
        self.made[arm] += untimed
        seconds = sum(
            self.seconds[arm] * self.slower(self.made[arm] + call)
            for call in range(min(calls, 1000))
        )
        self.made[arm] += calls
        return TimingResult(seconds * max(calls / 1000, 1))
