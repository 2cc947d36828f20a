"""A label, and what is in force elsewhere, are on a record and in its key; arms without either have
the identity that they always had.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.config import UsageError
from harness.isolation import Arm, Place, WorkerSettings
from harness.isolation.place_facts import PlaceFacts
from harness.records import ArmSetting, digest
from harness.tasks import arm_settings
from harness.tasks.arm_settings import ArmIdentity, identify
from implementations import registry

SETTINGS = WorkerSettings()
V3 = Place(variables=(("BNBENCH_ISA", "v3"), ("HUB", "http://me:pw@host")))
FACTS = PlaceFacts({"torch": "2.12"}, {"fused_cpu": "v3"}, "their source", None, ())


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[PlaceFacts | None]:
    """What workers elsewhere answer, one after the other."""
    queue: list[PlaceFacts | None] = []
    monkeypatch.setattr(arm_settings, "_asked", lambda *_: queue.pop(0))
    monkeypatch.setattr(arm_settings, "_FACTS", arm_settings._KnownFacts())
    return queue


def test_an_implementation_under_its_own_name_has_no_setting() -> None:
    assert identify("numpy", Arm("numpy"), SETTINGS) == ArmIdentity(registry.source_hash("numpy"))


def test_a_label_says_what_it_stands_for() -> None:
    made = identify("mine", Arm("numpy"), SETTINGS)
    assert made == ArmIdentity(registry.source_hash("numpy"), ArmSetting("numpy"))


def test_what_is_in_force_elsewhere_is_known_and_credentials_are_not(answers: Any) -> None:
    answers.append(FACTS)
    made = identify("v3", Arm("fused_cpu", V3), SETTINGS)
    assert made.source == "their source"
    assert made.setting == ArmSetting(
        "fused_cpu",
        variables={"BNBENCH_ISA": "v3", "HUB": "http://***@host"},
        versions={"torch": "2.12"},
        instruction_sets={"fused_cpu": "v3"},
    )


def test_a_place_that_does_not_answer_is_left_to_the_worker_that_is_to_measure(
    answers: Any,
) -> None:
    answers += [None, FACTS]
    made = identify("x", Arm("numpy", V3), SETTINGS)
    assert made.source == digest("numpy")
    assert made.setting is not None
    assert not made.setting.versions
    # it may have been mended since
    assert identify("x", Arm("numpy", V3), SETTINGS).source == "their source"


def test_it_is_asked_again_only_when_a_file_has_changed(answers: Any, tmp_path: Path) -> None:
    file = tmp_path / "kernel.py"
    file.write_text("")
    answers += [replace(FACTS, files=(str(file),)), replace(FACTS, source="edited")]
    arm = Arm("numpy", V3)
    assert [identify("x", arm, SETTINGS).source for _ in range(3)] == ["their source"] * 3
    file.unlink()
    assert identify("x", arm, SETTINGS).source == "edited"


def test_each_arm_of_a_place_is_asked_for(answers: Any) -> None:
    answers += [FACTS, replace(FACTS, source="another")]
    made = [identify("x", Arm(name, V3), SETTINGS).source for name in ("numpy", "torch_native")]
    assert made == ["their source", "another"]


def test_a_name_that_nobody_knows_is_wrong_usage_and_one_that_only_they_lack_is_not(
    answers: Any,
) -> None:
    answers += [replace(FACTS, mistake="there is no such implementation")] * 2
    identify("x", Arm("numpy", V3), SETTINGS)
    with pytest.raises(UsageError, match="x: there is no such implementation"):
        identify("x", Arm("nump", V3), SETTINGS)
