"""The command beside a failure repeats that case: it says all that its result depends on, and
nothing else.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest

from harness.analysis.rerun_command import rerun_command
from harness.cli import check, run
from harness.config import Config, composition
from harness.records import ArmSetting, Status
from harness.tasks.arms import arms_of, name_of
from implementations import registry
from tests.helpers.synthetic import case

ARGUMENTS = {
    "_target_": "troublesome_bn.Wrong",
    "blocks": 4,
    "mode": "fast",
    "sizes": [1, 2],
    "exact": True,
    "seed": None,
}


def composed(monkeypatch: pytest.MonkeyPatch, line: str) -> Config:
    """What the command would run with."""
    program, name, *arguments = shlex.split(line)
    assert program == "bnbench"
    taken: list[list[str]] = []
    monkeypatch.setattr(run, "main", taken.append)
    {"run": run.main, "check": check.main}[name](arguments)
    composition.register()
    return composition.composed(taken[0]).configs[0]


def test_a_command_names_the_implementation_the_case_and_the_threads() -> None:
    record = case(
        "numpy",
        "data/large_mean",
        Status.WRONG,
        threads=2,
        allocator="retaining",
        wait_policy="brief",
    )
    assert (
        rerun_command(record) == "bnbench check numpy task.cases=data/large_mean device.threads=2"
    )


def test_what_differs_from_the_defaults_is_said() -> None:
    record = case(
        "numpy",
        "data/nan",
        device="cuda",
        threads=1,
        allocator="default",
        wait_policy="passive",
        huge_pages="asked",
    )
    assert rerun_command(record).partition("data/nan ")[2] == (
        "device.name=cuda device.threads=1 device.allocator=default device.wait_policy=passive "
        "device.huge_pages=asked"
    )


def test_threads_that_the_case_fixes_itself_are_not_asked_for() -> None:
    assert "threads" not in rerun_command(case("numpy", "data/nan", fixed_threads=2))
    assert "device.threads=2" in rerun_command(case("numpy", "data/nan", fixed_threads=None))


def test_a_thorough_case_is_asked_for_thoroughly() -> None:
    assert " task.thorough=true " in rerun_command(case("numpy", "data/nan", thorough=True))
    assert "thorough" not in rerun_command(case("numpy", "data/nan", thorough=False))


def test_what_an_old_record_lacks_was_the_default_and_is_left_out() -> None:
    assert rerun_command(case("numpy", "data/nan", threads=1)) == (
        "bnbench check numpy task.cases=data/nan device.threads=1"
    )


@pytest.mark.parametrize(
    "specification", ["numpy", {"_target_": "troublesome_bn.Wrong"}, ARGUMENTS]
)
def test_the_command_means_the_same_implementation(
    monkeypatch: pytest.MonkeyPatch, specification: Any
) -> None:
    name = registry.name_of(specification)
    config = composed(
        monkeypatch, rerun_command(case(name, "data/large_mean", threads=1, wait_policy="passive"))
    )
    assert name in arms_of(config)
    assert config.implementations in (["numpy"], [specification])
    assert (config.task.name, config.task.cases) == ("conformance", "data/large_mean")  # type: ignore[attr-defined]
    assert (config.device.threads, config.device.wait_policy) == (1, "passive")


ARMS: list[dict[str, Any]] = [
    {"name": "numpy", "label": "2.12"},
    {"name": "fused_cpu", "label": "v3, 'quoted'", "variables": {"BNBENCH_ISA": "v3", "A": "1 2"}},
    {"name": "numpy", "variables": {"A": "${seed}", "B": "true"}},
    {**ARGUMENTS, "label": "mine", "path": "."},
]


@pytest.mark.parametrize("item", ARMS)
def test_the_command_means_the_same_arm(monkeypatch: pytest.MonkeyPatch, item: Any) -> None:
    [(name, arm)] = arms_of(Config(implementations=[item], baseline=name_of(item))).items()
    setting = ArmSetting(
        registry.name_of(arm.implementation),
        path=arm.place.path,
        variables=dict(arm.place.variables),
    )
    record = case(name, "data/large_mean")
    record = replace(record, identity=replace(record.identity, arm=setting))
    config = composed(monkeypatch, rerun_command(record))
    assert arms_of(config)[name] == arm


@pytest.mark.parametrize("name", ["samples/rank_1,training", "nan/stays in its channel"])
def test_an_old_name_survives_the_shell_and_hydra(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    config = composed(monkeypatch, rerun_command(case("numpy", name)))
    assert config.task.cases == name  # type: ignore[attr-defined]
