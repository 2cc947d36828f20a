"""Whether implementations train the same network, as a table and in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isinf
from statistics import median
from typing import assert_never

from harness import formatting
from harness.analysis.equivalence import (
    LEAST_SEEDS,
    EquivalenceVerdict,
    NetworkComparison,
    PartlyWithin,
    TooFewSeeds,
    UndecidedReason,
    UnpairedSeeds,
    VerdictWithdrawn,
    compare_networks,
)
from harness.analysis.training_groups import TrainingGroup
from harness.statistics import POINT

MARGIN = f"±{100 * POINT:g} point"
ROUNDING = ", **more than rounding**"


def table(group: TrainingGroup) -> str | None:
    """A row an implementation: accuracies, verdict, and where losses part. None where there is
    nothing to compare.
    """
    header = [
        "arm",
        "seeds",
        f"test accuracy, points [{confidence(group)}]",
        f"within {MARGIN}",
        "losses first differ at step",
        "by, in ulp",
    ]
    rows = [_row(one) for one in compare_networks(group)]
    return formatting.columns(header, rows, right=(1, 2)) if rows else None


def confidence(group: TrainingGroup) -> str:
    """Of the interval that two one-sided tests go by: 90 %."""
    return formatting.percent(1 - 2 * group.alpha)


def sentence(group: TrainingGroup, one: NetworkComparison) -> str:
    """The verdict, and where losses part, in part of a sentence."""
    within = "by more than" if one.verdict is EquivalenceVerdict.DIFFERENT else "within"
    evidence = []
    if one.test:
        difference = formatting.points(one.test.difference)
        evidence.append(f"{difference} points, {confidence(group)} interval")
    if one.reason:
        evidence.append(reason_text(one.reason))
    text = f"test accuracies **{one.verdict}** {within} {MARGIN} ({'; '.join(evidence)})"
    return f"{text}{_losses(one)}"


def steps_text(one: NetworkComparison) -> str:
    """The step at which losses first differ, its median and range over seeds."""
    if not one.divergences:
        return formatting.ABSENT
    if not any(one.divergences):
        return f"never in {formatting.counted(one.steps, 'step')}"
    return _spread([found.step if found else inf for found in one.divergences])


def ulps_text(one: NetworkComparison) -> str:
    """How far losses are apart there, its median and range over seeds; or that there one run had
    ended.
    """
    ended = sum(found is not None and found.ulps is None for found in one.divergences)
    parts = [_spread(one.ulps)] if one.ulps else []
    if ended:
        parts.append(f"one run ends in {formatting.counted(ended, 'seed')}")
    return "; ".join(parts) or formatting.ABSENT


def reason_text(reason: UndecidedReason) -> str:
    """Why there is no verdict."""
    match reason:
        case UnpairedSeeds(diverged, failed):
            seeds = {"diverged": diverged, "failed": failed}
            parts = [
                f"{event} at seed {formatting.listed(map(str, own))}"
                for event, own in seeds.items()
                if own
            ]
            return f"one alone {formatting.listed(parts)}"
        case TooFewSeeds(count):
            return f"{formatting.counted(count, 'seed')}, a verdict takes {LEAST_SEEDS}"
        case PartlyWithin():
            return "the interval is partly within"
        case VerdictWithdrawn(verdict):
            return f"not {verdict} after Holm's correction"
        case _:
            assert_never(reason)


def _row(one: NetworkComparison) -> list[str]:
    return [
        formatting.code(one.implementation),
        str(one.seeds),
        formatting.points(one.test.difference) if one.test else formatting.ABSENT,
        f"**{one.verdict}**" + (f": {reason_text(one.reason)}" if one.reason else ""),
        steps_text(one),
        ulps_text(one) + (ROUNDING if one.beyond_rounding else ""),
    ]


def _losses(one: NetworkComparison) -> str:
    """Where losses part, as the rest of a sentence."""
    if not one.divergences:
        return ""
    if not any(one.divergences):
        return f"; losses never differ in {formatting.counted(one.steps, 'step')}"
    by = f", by {ulps_text(one)} ulp" if one.ulps else ""
    rounding = ROUNDING if one.beyond_rounding else ""
    return f"; losses first differ at step {steps_text(one)}{by}{rounding}"


def _spread(values: Sequence[float]) -> str:
    low, middle, high = (_number(value) for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _number(value: float) -> str:
    return "never" if isinf(value) else f"{value:,.1f}".removesuffix(".0")
