"""What the arms stand for that have a label, or run elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from harness.records import CANARY, AnyRecord, ArmSetting, Plain, differing, plain_fields


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


def arm_differences(
    before: Iterable[AnyRecord], after: Iterable[AnyRecord]
) -> dict[str, dict[str, tuple[object, object]]]:
    """By the name of each arm of both sessions, where what it stands for differs: dotted name to
    values before and after, None where absent.
    """
    older, newer = _latest(before), _latest(after)
    found = {name: differing(older[name], newer[name]) for name in older if name in newer}
    return {name: differences for name, differences in found.items() if differences}


def _latest(records: Iterable[AnyRecord]) -> dict[str, dict[str, Plain]]:
    """What each arm's last record says of it; nothing of an implementation under its own name."""
    return {
        record.implementation: plain_fields(record.identity.arm) if record.identity.arm else {}
        for record in records
        if record.implementation != CANARY
    }
