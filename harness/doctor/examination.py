"""From readings to findings, and from findings to plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from harness.doctor.abilities import ABILITIES
from harness.doctor.disturbances import DISTURBANCES
from harness.doctor.finding import Finding
from harness.doctor.readings import Readings, take


def examine(readings: Readings | None = None) -> list[Finding]:
    """All that is found in the readings, abilities first. Where none are given they are taken: half
    a second.
    """
    seen = take() if readings is None else readings
    return [finding for check in (*ABILITIES, *DISTURBANCES) for finding in check(seen)]


def to_data(findings: Iterable[Finding]) -> list[dict[str, str | None]]:
    """Plain data, ready for JSON, with the keys subject, state, said and remedy."""
    return [asdict(finding) for finding in findings]
