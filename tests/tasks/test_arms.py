"""What a user may write for an arm; what cannot be is refused before anything is written."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.config import Config, DeviceConfig, TaskConfig, UsageError, composition
from harness.isolation import Arm, Place
from harness.isolation.settings import VARIABLES_SET
from harness.tasks.arms import arms_of

TARGET = "troublesome_bn.Scaled"


def config(*items: Any, baseline: str = "torch_native") -> Config:
    return Config(
        task=TaskConfig(), device=DeviceConfig(), implementations=list(items), baseline=baseline
    )


def test_an_arm_is_known_by_its_label_and_runs_where_it_says(tmp_path: Path) -> None:
    v3 = {"name": "fused_cpu", "label": "v3", "variables": {"BNBENCH_ISA": "v3"}}
    base = {"_target_": TARGET, "factor": 2, "label": "my base", "path": str(tmp_path)}
    other = {"name": "torch_native", "label": "other", "python": sys.executable}
    assert arms_of(config("fused_cpu", v3, base, other)) == {
        "torch_native": Arm("torch_native"),
        "fused_cpu": Arm("fused_cpu"),
        "v3": Arm("fused_cpu", Place(variables=(("BNBENCH_ISA", "v3"),))),
        "my base": Arm({"_target_": TARGET, "factor": 2}, Place(path=str(tmp_path))),
        "other": Arm("torch_native", Place(python=sys.executable)),
    }


def test_a_mapping_that_only_names_an_implementation_is_that_implementation() -> None:
    assert arms_of(config({"name": "numpy"})) == arms_of(config("numpy"))


def test_the_baseline_may_be_a_label() -> None:
    labelled = {"name": "numpy", "label": "reference"}
    assert list(arms_of(config(labelled, baseline="reference"))) == ["reference"]


def test_a_name_that_only_another_environment_knows_is_left_to_it(tmp_path: Path) -> None:
    [_, arm] = arms_of(config({"name": "theirs", "path": str(tmp_path)})).values()
    assert arm.implementation == "theirs"


def test_the_command_line_takes_arms_as_hydra_writes_mappings() -> None:
    composition.register()
    word = "implementations=[numpy,{name:fused_cpu,label:v 3,variables:{BNBENCH_ISA:v3}}]"
    [made] = composition.composed([word]).configs
    assert set(arms_of(made)) == {"torch_native", "numpy", "v 3"}


def test_credentials_in_a_variable_reach_the_arm_and_no_word_for_hydra() -> None:
    composition.register()
    word = "implementations=[{name:numpy,label:x,variables:{HUB:'http://me:pw@host'}}]"
    made = composition.composed([word])
    assert "pw@" not in " ".join(made.overrides)
    arm = arms_of(made.first)["x"]
    assert dict(arm.place.variables) == {"HUB": "http://me:pw@host"}


def numpy(**parts: Any) -> dict[str, Any]:
    return {"name": "numpy", "label": "x", **parts}


REFUSED = {
    "an unknown part": (numpy(varibles={}), "no part 'varibles'; did you mean 'variables'?"),
    "a name and a target": (numpy(_target_=TARGET), "both a name and a _target_"),
    "neither": ({"label": "x"}, "there is no _target_ and no name"),
    "an unknown name": ({"name": "nump"}, "did you mean 'numpy'"),
    "the canary's name, elsewhere": ({"name": "canary", "path": "."}, "choose another label"),
    "a name that is none": ({"name": "a b", "path": "."}, "there is no implementation 'a b'"),
    "a name that is a number": ({"name": 7}, "there is no implementation 7"),
    "a label that is a number": (numpy(label=2.12), "quote it, as label: '2.12'"),
    "an empty label": (numpy(label=""), "a label has 1 to 60 characters"),
    "a long label": (numpy(label="x" * 61), "a label has 1 to 60 characters"),
    "a label with a line": (numpy(label="a\nb"), "leave out control characters"),
    "a label with a password": (numpy(label="http://me:pw@host"), "and credentials"),
    "another's name": (numpy(label="torch_native"), "'torch_native' is another implementation"),
    "the canary's": (numpy(label="canary"), "the baseline's second run; choose another label"),
    "an alternative's": (numpy(label="none"), "one of task.alternatives; choose another label"),
    "a probe's": (numpy(label="floor/ordinary"), "is a bandwidth probe"),
    "a python that is not there": (
        numpy(python="nope/bin/python"),
        "python=nope/bin/python is not",
    ),
    "a command": (numpy(python="sh"), "did you mean"),
    "a python that is a folder": (numpy(python=os.sep), "name the interpreter in it"),
    "a python that is a text": (numpy(python=__file__), "no program that can be executed"),
    "a python that is a number": (numpy(python=3.12), "python is 3.12, and a text is wanted"),
    "a path that is not there": (numpy(path="nope"), "path=nope is not there, and a folder is"),
    "a path that is a file": (numpy(path=__file__), "is a file, and a folder is wanted"),
    "variables that are none": (numpy(variables="x"), "write {NAME: value}"),
    "a variable that is a number": (numpy(variables={"A": 1}), "quote it, as A: '1'"),
    "a variable's name with a sign": (numpy(variables={"A=B": "1"}), "letters, digits and _"),
    "a zero byte": (numpy(variables={"A": "\0"}), "zero byte"),
    "an import path": (numpy(variables={"PYTHONPATH": "."}), "path and python are for that"),
    "a preloaded library": (numpy(variables={"LD_PRELOAD": "x.so"}), "replaces the allocator"),
    "bnbench's own": (numpy(variables={"BNBENCH_SESSION": "x"}), "sets its own variables"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(name: str) -> None:
    item, message = REFUSED[name]
    with pytest.raises(UsageError) as refused:
        arms_of(config(item))
    assert message in str(refused.value)
    assert "pw@" not in str(refused.value)


@pytest.mark.parametrize("name", sorted(VARIABLES_SET))
def test_no_arm_sets_what_the_harness_sets_for_all(name: str) -> None:
    with pytest.raises(UsageError, match=r"device\.threads, \.allocator|what the worker imports"):
        arms_of(config(numpy(variables={name: "1"})))


@pytest.mark.parametrize(
    ("first", "second", "advice"),
    [
        ("numpy", {"name": "numpy", "variables": {"A": "b"}}, "or tell them apart by a label"),
        (numpy(), numpy(), "choose another label"),
    ],
)
def test_two_arms_of_one_name_are_refused(first: Any, second: Any, advice: str) -> None:
    with pytest.raises(UsageError, match=advice):
        arms_of(config(first, second))
