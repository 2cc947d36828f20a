"""What the baseline against itself, A/A, says of the noise of a section's ratios."""

from __future__ import annotations

from dataclasses import dataclass

from harness import statistics
from harness.analysis.sections import Section
from harness.records import Verdict

DECIDED = (Verdict.FASTER, Verdict.SLOWER)


@dataclass(frozen=True)
class CanaryNoise:
    """In how many cells the canary was measured, and its interval includes 1, or lies inside the
    margin; and the labels of the cells in which it lies beyond.
    """

    measured: int
    including_1: int
    inside: int
    beyond: tuple[str, ...]


def canary_noise(section: Section) -> CanaryNoise:
    canaries = [(cell.label, cell.canary) for cell in section.cells if cell.canary]
    verdicts = [(label, statistics.verdict(ratio, section.margin)) for label, ratio in canaries]
    return CanaryNoise(
        measured=len(canaries),
        including_1=sum(ratio.low <= 1 <= ratio.high for _, ratio in canaries),
        inside=sum(verdict is Verdict.SAME for _, verdict in verdicts),
        beyond=tuple(label for label, verdict in verdicts if verdict in DECIDED),
    )
