"""What changed under a label between two sessions is found, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

from harness.analysis.arm_settings import arm_differences
from harness.records import CANARY, ArmSetting, ThroughputRecord
from tests.helpers.records import throughput_record

OLD = ArmSetting("torch_native", python="../env/bin/python", versions={"torch": "2.12"})
NEW = replace(OLD, versions={"torch": "2.14"})


def arm(name: str, setting: ArmSetting | None) -> ThroughputRecord:
    record = throughput_record(name)
    made: ThroughputRecord = replace(record, identity=replace(record.identity, arm=setting))
    return made


def test_another_version_under_the_same_label_is_told() -> None:
    before = [arm("numpy", None), arm("other", OLD), arm("gone", OLD), arm(CANARY, OLD)]
    after = [arm("numpy", None), arm("other", NEW), arm("new", NEW), arm(CANARY, NEW)]
    assert arm_differences(before, after) == {"other": {"versions.torch": ("2.12", "2.14")}}
    assert arm_differences(before, before) == {}


def test_a_name_that_has_come_to_stand_for_an_arm_elsewhere_is_told() -> None:
    found = arm_differences([arm("torch_native", None)], [arm("torch_native", NEW)])
    assert found["torch_native"]["versions.torch"] == (None, "2.14")
