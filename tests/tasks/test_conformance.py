"""The task: a record for every implementation and case, whatever becomes of the worker."""

from __future__ import annotations

import pytest

import harness
from harness import api
from harness.config import (
    Config,
    ConformanceConfig,
    DeviceConfig,
    ProblemConfig,
    TrackingConfig,
    UsageError,
)
from harness.config.validation import validated
from harness.environment import Environment, capture
from harness.records import Status
from harness.tasks.conformance import plan

TWO = "phases/inference/*/fresh"  # two cases


def plugin(name):
    return {"_target_": f"troublesome_bn.{name}"}


def checked(specification, cases=TWO):
    return harness.check(specification, cases=cases, threads=1)


def test_a_right_implementation_has_an_ok_record_for_every_case():
    records = checked("torch_native")
    assert [record.cell.case for record in records] == [
        "phases/inference/layer/fresh",
        "phases/inference/kernel/fresh",
    ]
    assert {record.status for record in records} == {Status.OK}
    for record in records:
        assert 0 < record.figures.worst <= 1
        assert record.figures.quantity == "output"
        assert record.cell.definition["problem"]["shape"] == [4, 19, 7, 9]
        assert record.task == "conformance"


def test_the_baseline_is_checked_only_where_it_is_listed():
    assert {record.implementation for record in checked("numpy")} == {"numpy"}


def test_an_arm_elsewhere_is_checked_there_under_its_label():
    item = {"name": "fused_cpu", "label": "old", "variables": {"BNBENCH_ISA": "baseline"}}
    records = checked(item)
    assert {(record.implementation, record.status) for record in records} == {("old", Status.OK)}
    for record in records:
        assert record.identity.arm.instruction_sets["fused_cpu"] == "baseline"


def test_a_folder_that_lacks_the_implementation_makes_it_unavailable(tmp_path):
    (tmp_path / "implementations").mkdir()
    (tmp_path / "implementations" / "__init__.py").write_text("")
    [reason] = {record.reason for record in checked({"name": "numpy", "path": str(tmp_path)})}
    assert reason.startswith(f"no worker starts with path={tmp_path}: the worker died")


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("Crashing", Status.CRASHED, "SIGSEGV"),
        ("Raising", Status.CRASHED, "AttributeError"),
        ("Refusing", Status.UNSUPPORTED, "it is Sunday"),
        ("Absent", Status.UNAVAILABLE, "a machine that is not here"),
    ],
)
def test_each_case_is_asked_whatever_became_of_the_one_before(name, status, reason):
    records = checked(plugin(name))
    assert [record.status for record in records] == [status, status]
    assert all(reason in record.reason and record.figures is None for record in records)


@pytest.mark.slow
def test_a_worker_that_died_is_replaced():
    died, alive = checked({"_target_": "wrong_bn.DiesAsALayer"})
    assert (died.status, alive.status) == (Status.CRASHED, Status.OK)
    assert "exit status 3" in died.reason


def test_a_hang_is_a_timeout(monkeypatch):
    monkeypatch.setattr(
        api, "ConformanceConfig", lambda **keywords: ConformanceConfig(**keywords, timeout=2.0)
    )
    (record,) = checked(plugin("Hanging"), "phases/inference/layer/fresh")
    assert record.status is Status.TIMEOUT


def test_a_glob_that_matches_nothing_says_what_there_is():
    with pytest.raises(
        UsageError, match=r"did you mean 'data/large_mean'\?; allowed: .* such as phases/\*"
    ):
        checked("numpy", "data/large_meen")


def test_one_case_is_one_cell_whoever_is_asked():
    config = validated(
        Config(
            ConformanceConfig(cases=TWO),
            ProblemConfig(),
            DeviceConfig(threads=1),
            TrackingConfig(),
            implementations=["numpy", "torch_unfused"],
        )
    )
    identities = plan(config, capture())
    assert len({identity.key for identity in identities}) == 4
    assert len({identity.cell_key for identity in identities}) == 2


def test_huge_pages_asked_for_make_other_cells():
    plans = []
    for pages in ("default", "asked"):
        device = DeviceConfig(threads=1, huge_pages=pages)
        config = Config(
            task=ConformanceConfig(cases=TWO),
            problem=ProblemConfig(),
            device=device,
            tracking=TrackingConfig(),
            implementations=["numpy"],
        )
        plans.append(plan(config, Environment()))
    assert [{identity.cell.huge_pages for identity in one} for one in plans] == [
        {"default"},
        {"asked"},
    ]
    assert not {identity.key for identity in plans[0]} & {identity.key for identity in plans[1]}
