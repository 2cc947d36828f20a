"""What the arms stand for that have a label, or run elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import CANARY, AnyRecord, ArmSetting


def arm_settings(records: Iterable[AnyRecord]) -> dict[str, list[ArmSetting]]:
    """By the arm's name, each once, in the order of the records: another session, or another
    version of what is there, may have measured an arm of the same label.
    """
    found: dict[str, list[ArmSetting]] = {}
    for record in records:
        setting = record.identity.arm
        known = found.get(record.implementation, [])
        if setting is not None and record.implementation != CANARY and setting not in known:
            found[record.implementation] = [*known, setting]
    return found
