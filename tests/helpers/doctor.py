"""Measurements of a machine's noise, made up for tests of the doctor."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from harness.doctor.bandwidth import Bandwidth, summary
from harness.doctor.measurement import Measurement
from harness.doctor.noise import TIMES, Noise
from harness.doctor.power_planning import SamplingCost, best_plan
from harness.records import Interval
from harness.statistics import Components

ALPHA, MARGIN = 0.05, 0.03


def noisy(means: Sequence[float], spread: float = 0.03, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return [mean * draw.lognormvariate(0.0, spread) for mean in means]


def calm_noise(**changes: Any) -> Noise:
    cost = SamplingCost(1.0, 0.5, 0.1)
    components = changes.pop("components", Components(0.005, 0.005))
    plans = {seconds: best_plan(components, cost, seconds, ALPHA, MARGIN) for seconds in TIMES}
    made = Noise(
        "small call",
        (64, 100),
        102400,
        5e-5,
        components,
        Interval(1.0, 0.99, 1.01),
        8,
        40,
        40,
        {},
        cost,
        plans,
        plans,
    )
    return replace(made, **changes)


def steady_bandwidth(means: Sequence[float] = (20e9,) * 100) -> Bandwidth:
    return summary(
        "copy", "beyond cache", 1 << 27, [index * 0.1 for index in range(len(means))], noisy(means)
    )


def measured(
    *, noises: Sequence[Noise] = (), bandwidths: Sequence[Bandwidth] = (), **absent: str
) -> Measurement:
    return Measurement(
        2, (0, 1), "torch_native", ALPHA, MARGIN, 61.0, tuple(noises), tuple(bandwidths), absent
    )
