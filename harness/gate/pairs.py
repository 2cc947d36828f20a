"""Each implementation of a gate as a pair of arms: the same one from the tree of base and from that
of head.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from harness.analysis.gate_facts import GatePair
from harness.config import Config, UsageError
from harness.gate.sides import BASE, HEAD, Side
from harness.gate.undecided import UndecidedError
from harness.isolation import Arm
from harness.isolation.failures import WORKER_FAILURES, failure_reason
from harness.isolation.place_facts import PlaceFacts
from harness.tasks.arms import LONGEST_LABEL, arms_of, name_of
from implementations.entry_points import GROUP

LONGEST_ENDING = LONGEST_LABEL - len(BASE)  # of a label that begins with its side
Item = str | dict[str, Any]  # of the key `implementations`
Ask = Callable[[Arm], PlaceFacts]  # what is in force where an arm runs; raises WORKER_FAILURES


@dataclass(frozen=True)
class MeasuredPair:
    """A pair, and its arms as the key ``implementations`` takes them, with a label and a path."""

    pair: GatePair
    items: tuple[dict[str, Any], ...]


def implementations_of(config: Config, sides: Sequence[Side]) -> Sequence[Item]:
    """What to gate: those that are listed, or else all that the built packages register.

    Raises ``UsageError`` where there is none.
    """
    if config.implementations != Config().implementations:
        return list(config.implementations)
    found = dict.fromkeys(name for side in sides for name in _registered(side.path))
    if not found:
        raise UsageError(
            "which implementations? What gate.build has built registers none in the entry-point "
            f"group {GROUP}; name them, as in 'implementations=[{{_target_: my_bn.Mine}}]'"
        )
    return sorted(found)


def pairs_of(
    items: Sequence[Item], config: Config, sides: Sequence[Side], ask: Ask
) -> list[MeasuredPair]:
    """A pair of each item. Raises ``UsageError`` for an item that is no implementation of either
    tree, and ``UndecidedError`` where no worker can be had with one of them.
    """
    names = [name_of(_placed(item, sides[0])) for item in items]
    endings = [f" {name}"[:LONGEST_ENDING].rstrip() for name in names]
    for name, ending in zip(names, endings, strict=True):
        if endings.count(ending) > 1:
            raise UsageError(
                f"implementations lists {name!r} twice, or another whose name begins like it; tell "
                "them apart by a label"
            )
    if len(items) == 1:
        endings = [""]
    return [
        _pair(item, name, ending, config, sides, ask)
        for item, name, ending in zip(items, names, endings, strict=True)
    ]


def _pair(
    item: Item, name: str, ending: str, config: Config, sides: Sequence[Side], ask: Ask
) -> MeasuredPair:
    labels: dict[str, str | None] = {}
    placed: list[dict[str, Any]] = []
    reasons: list[str] = []
    for side in sides:
        label = f"{side.label}{ending}"
        arm_item = {**_placed(item, side), "label": label}
        reason = _lacking(arm_item, label, side, config, ask)
        labels[side.label] = label if reason is None else None
        if reason is None:
            placed.append(arm_item)
        else:
            reasons.append(f"in {side.label}, {reason}")
    if not placed:
        raise UsageError(f"neither tree has an implementation {name}: {'; '.join(reasons)}")
    return MeasuredPair(GatePair(name, labels[BASE], labels[HEAD]), tuple(placed))


def _placed(item: Item, side: Side) -> dict[str, Any]:
    """The item from the side's own package."""
    given: Mapping[str, Any] = item if isinstance(item, Mapping) else {"name": item}
    if "path" in given:
        raise UsageError(
            f"implementations holds {dict(given)}: path says where its code is, which a gate does; "
            "leave it out"
        )
    return {**given, "path": str(side.path)}


def _lacking(item: Item, label: str, side: Side, config: Config, ask: Ask) -> str | None:
    """Why the side's own package does not have the implementation; None where it does."""
    arm = arms_of(replace(config, implementations=[item], baseline=label))[label]
    try:
        facts = ask(arm)
    except WORKER_FAILURES as failure:
        raise UndecidedError(
            f"{side.label} cannot be measured: {failure_reason(failure)}"
        ) from failure
    if facts.mistake is not None:
        return facts.mistake
    folder = os.path.realpath(side.path)
    files = [os.path.realpath(file) for file in facts.files]
    if not any(Path(file).is_file() and Path(file).is_relative_to(folder) for file in files):
        return (
            "it is not of the package that gate.build has built, but comes from elsewhere on the "
            "import path"
        )
    return None


def _registered(folder: Path) -> list[str]:
    """The names of implementations that the packages in a folder register."""
    return [
        entry.name
        for distribution in distributions(path=[str(folder)])
        for entry in distribution.entry_points
        if entry.group == GROUP
    ]
