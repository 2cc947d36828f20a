"""Each implementation becomes a pair of arms, of the two packages that were built and of nothing
else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.analysis.gate_facts import GatePair, GateTree
from harness.config import Config, UsageError
from harness.gate.pairs import implementations_of, pairs_of
from harness.gate.sides import Side
from harness.gate.undecided import UndecidedError
from harness.isolation import Arm, WorkerUnavailable
from harness.isolation.place_facts import PlaceFacts

TARGET = {"_target_": "my_bn.Mine"}
POINTS = "[bnbench.implementations]\n{} = my_bn:Mine\n[console_scripts]\nx = y:z\n"
CONFIG = Config()


@pytest.fixture
def sides(tmp_path: Path) -> Sequence[Side]:
    made = []
    for label in ("base", "head"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "my_bn.py").touch()
        made.append(Side(label, GateTree(label, "c", label), tmp_path / label))
    return made


def register(side: Side, name: str) -> None:
    folder = side.path / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(POINTS.format(name))


def answer(arm: Arm, **changes: Any) -> PlaceFacts:
    """Of a worker with the arm's own package."""
    files = (str(Path(arm.place.path) / "my_bn.py"), arm.place.path)
    return replace(PlaceFacts({}, {}, "source", None, files), **changes)


def test_one_implementation_is_base_and_head_in_the_folders_that_were_built(sides):
    [made] = pairs_of([TARGET], CONFIG, sides, answer)
    assert made.pair == GatePair("my_bn.Mine", "base", "head")
    assert made.items == tuple(
        {**TARGET, "label": side.label, "path": str(side.path)} for side in sides
    )


def test_several_have_their_names_in_their_labels(sides):
    made = pairs_of(["mine", {**TARGET, "label": "other"}], CONFIG, sides, answer)
    assert [one.pair for one in made] == [
        GatePair("mine", "base mine", "head mine"),
        GatePair("other", "base other", "head other"),
    ]


def test_variables_of_an_item_are_those_of_both_arms(sides):
    item = {**TARGET, "variables": {"MINE": "1"}}
    [made] = pairs_of([item], CONFIG, sides, answer)
    assert [one["variables"] for one in made.items] == [{"MINE": "1"}] * 2


@pytest.mark.parametrize(
    ("missing", "pair"),
    [("base", GatePair("mine", None, "head")), ("head", GatePair("mine", "base", None))],
)
def test_the_side_that_lacks_an_implementation_has_no_arm(sides, missing, pair):
    def ask(arm: Arm) -> PlaceFacts:
        absent = "there is no implementation 'mine'" if arm.place.path.endswith(missing) else None
        return answer(arm, mistake=absent)

    [made] = pairs_of(["mine"], CONFIG, sides, ask)
    assert made.pair == pair
    assert len(made.items) == 1


def test_what_the_environment_has_is_not_taken_for_what_was_built(sides):
    """A working tree is often installed in the environment, and would stand in for the base."""

    def ask(arm: Arm) -> PlaceFacts:
        elsewhere = ("/usr/lib/python3/my_bn.py", arm.place.path)
        return answer(arm, files=elsewhere) if arm.place.path.endswith("base") else answer(arm)

    [made] = pairs_of(["mine"], CONFIG, sides, ask)
    assert made.pair == GatePair("mine", None, "head")


def test_what_neither_has_is_refused_with_both_reasons(sides):
    def ask(arm: Arm) -> PlaceFacts:
        return answer(arm, mistake="there is no module 'my_bm'")

    with pytest.raises(UsageError, match=r"in base, there is no module .*; in head, there is no"):
        pairs_of([{"_target_": "my_bm.Mine"}], CONFIG, sides, ask)


def test_a_bnbench_that_cannot_be_talked_to_leaves_the_gate_undecided(sides):
    def ask(arm: Arm) -> PlaceFacts:
        raise WorkerUnavailable("it speaks version 0 of the protocol")

    with pytest.raises(UndecidedError, match="base cannot be measured: it speaks version 0"):
        pairs_of(["mine"], CONFIG, sides, ask)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["mine", "mine"], "lists 'mine' twice"),
        (["m" * 70 + "a", "m" * 70 + "b"], "whose name begins like it"),
        ([{**TARGET, "path": "."}], "path says where its code is, which a gate does"),
        ([{"nmae": "x"}], "there is no _target_ and no name"),
    ],
)
def test_items_that_make_no_pairs_are_refused(sides, items, message):
    with pytest.raises(UsageError, match=message):
        pairs_of(items, CONFIG, sides, answer)


def test_what_is_not_listed_is_all_that_either_package_registers(sides):
    register(sides[0], "old")
    register(sides[1], "new")
    assert implementations_of(CONFIG, sides) == ["new", "old"]


def test_what_is_listed_is_taken(sides):
    register(sides[0], "old")
    assert implementations_of(replace(CONFIG, implementations=["mine"]), sides) == ["mine"]


def test_packages_that_register_nothing_need_a_list(sides):
    with pytest.raises(UsageError, match="which implementations\\?"):
        implementations_of(CONFIG, sides)
