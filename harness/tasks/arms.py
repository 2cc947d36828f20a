"""From the list that a user wrote to the arms of a comparison, by name: the label, where an arm has
one, else the implementation's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config import Config, UsageError, suggestion
from harness.config.reserved_names import reserved_name
from harness.isolation import Arm, Place
from harness.tasks.places import place_of
from harness.timing.cell_spec import FLOORS
from implementations import registry
from implementations.entry_points import name_fault
from implementations.published_text import visible, without_credentials

OF_THE_PLACE = ("path", "python", "variables")
PARTS = ("label", *OF_THE_PLACE)  # of an item of the list, beside what it names
LONGEST_LABEL = 60  # characters, as columns and legends have room for


def arms_of(config: Config) -> dict[str, Arm]:
    """The arms by name, the baseline among them whether it is listed or not.

    Raises ``UsageError`` for an unknown name, a target that is not there, a place that cannot be,
    or two arms of one name.
    """
    arms: dict[str, Arm] = {}
    for item in config.implementations:
        name, arm = _named_arm(item)
        if name in arms:
            raise UsageError(_twice(name, item))
        arms[name] = arm
    if config.baseline not in arms:
        arms = {config.baseline: Arm(_specification(config.baseline)), **arms}
    for name, arm in arms.items():
        _refuse_misleading_label(name, arm)
    return arms


def name_of(item: Any) -> str:
    """The arm's name, of an item of the list."""
    return _named_arm(item)[0] if isinstance(item, Mapping) else str(item)


def _named_arm(item: Any) -> tuple[str, Arm]:
    if not isinstance(item, Mapping):
        return str(item), Arm(_specification(item))
    given = {str(key): value for key, value in item.items()}
    try:
        place = place_of({part: given[part] for part in OF_THE_PLACE if part in given})
    except UsageError as error:
        raise UsageError(f"implementations holds {_shown(given)}: {error}") from error
    what = {key: value for key, value in given.items() if key not in PARTS}
    specification = _specification_of(what, place, given)
    name = _label(given) if "label" in given else registry.name_of(specification)
    return name, Arm(specification, place)


def _specification_of(
    what: Mapping[str, Any], place: Place, given: Mapping[str, Any]
) -> registry.Specification:
    """What the other parts of an item name: ``name`` alone, or ``_target_`` with arguments."""
    if ("name" in what) == ("_target_" in what):
        both = "name" in what
        fault = "both a name and a _target_" if both else "there is no _target_ and no name"
        raise UsageError(
            f"implementations holds {_shown(given)}: {fault}; write one of them, as "
            "{name: torch_native} or {_target_: package.module.Class}"
        )
    if "_target_" in what:
        return dict(what) if place.has_code_of_its_own else _specification(what)
    for part in what.keys() - {"name"}:
        allowed = ("name", *PARTS)
        raise UsageError(
            f"implementations holds {_shown(given)}: it has no part {part!r}"
            f"{suggestion(part, allowed)}; allowed beside a name: {', '.join(PARTS)}"
        )
    name = what["name"]
    if place.has_code_of_its_own and isinstance(name, str) and name_fault(name) is None:
        return name  # whether there is such an implementation, the worker there knows
    return _specification(name)


def _specification(item: Any) -> registry.Specification:
    if isinstance(item, Mapping):
        given = dict(item)
        reason = registry.mistake(given)
        if reason is not None:
            raise UsageError(f"implementations holds {_shown(given)}: {reason}")
        return given
    reserved = reserved_name(str(item))
    if reserved is not None:
        raise UsageError(f"there is no implementation {item!r}: {reserved}")
    if not isinstance(item, str) or item not in registry.names():
        raise UsageError(_unknown(item))
    reason = registry.mistake(item)
    if reason is not None:
        raise UsageError(f"{item} is installed, but cannot be loaded: {reason}")
    return item


def _label(given: Mapping[str, Any]) -> str:
    label = given["label"]
    fault = None
    if not isinstance(label, str):
        fault = f"label is {label!r}, and a text is wanted; quote it, as label: '{label}'"
    elif not 0 < len(label) <= LONGEST_LABEL or label != label.strip():
        fault = f"a label has 1 to {LONGEST_LABEL} characters, and no space around them"
    elif visible(without_credentials(label)) != label:
        fault = "a label is shown everywhere; leave out control characters and credentials"
    if fault is not None:
        raise UsageError(f"implementations holds {_shown(given)}: {fault}")
    return str(label)


def _refuse_misleading_label(name: str, arm: Arm) -> None:
    """A label that already stands for something else."""
    reason = reserved_name(name)
    if name in FLOORS:
        reason = f"{name!r} is a bandwidth probe"
    elif name != registry.name_of(arm.implementation) and name in registry.names():
        reason = f"{name!r} is another implementation"
    if reason is not None:
        raise UsageError(f"the arm {name}: {reason.partition(';')[0]}; choose another label")


def _twice(name: str, item: Any) -> str:
    labelled = isinstance(item, Mapping) and "label" in item
    advice = "choose another label" if labelled else "or tell them apart by a label"
    return (
        f"implementations lists {name!r} twice; list each once (the baseline runs twice by "
        f"itself), {advice}"
    )


def _shown(given: Mapping[str, Any]) -> str:
    return visible(without_credentials(str(dict(given))))


def _unknown(given: object) -> str:
    for name, reason in registry.unusable():
        if name == given:
            return f"there is no implementation {given!r}: {reason}"
    return (
        f"there is no implementation {given!r}{suggestion(str(given), registry.names())}; "
        f"allowed: {', '.join(registry.names())}, or {{_target_: package.module.Class}}"
    )
