"""What is wrong with a key or its value, in words: what was given, what is allowed, what is like
it. Hydra's and OmegaConf's own errors among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from hydra.errors import HydraException, MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from harness.config.schema import (
    TASKS,
    Config,
    DeviceConfig,
    GateConfig,
    ProblemConfig,
    TaskConfig,
    TrackingConfig,
)
from harness.config.usage import UsageError, shortened, suggestion

ERRORS = (HydraException, OmegaConfBaseException)
WANTED = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}
UNKNOWN = re.compile(r"Key '.*' (is )?not in|No match in the defaults list", re.DOTALL)


def translated(error: Exception, task: type[TaskConfig] | None = None) -> UsageError:
    """Hydra's or OmegaConf's error as one of ours. ``task`` is the one configured, if it is
    known.
    """
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, given = (error.missing_cfg_file or "").rpartition("/")
        options = [option for option in error.options if option != "schema"]
        return UsageError(
            f"{group}={given} is not there{suggestion(given, options)}; allowed: "
            f"{', '.join(options)}"
        )
    message = f"{error}\n{error.__cause__ or ''}".strip()
    key = (
        re.search(r"full_key: ([\w.\[\]]+)", message)
        or re.search(r"Could not (?:override|append)[^']*'\+?([\w@/.]+)'", message)
        or re.search(r"Key '([\w@/.]+)' (?:is )?not in", message)
    )
    if key and UNKNOWN.search(message):
        return UsageError(unknown_key(key[1], task))
    lines = [*str(error.__cause__ or "").splitlines(), *str(error).splitlines()]
    reason = next(filter(None, map(str.strip, lines)), type(error).__name__)
    return UsageError(f"{key[1]}: {reason}" if key else reason)


def unknown_key(given: str, task: type[TaskConfig] | None = None) -> str:
    """That there is no such key, and which there are; of ``task``'s alone where it is known."""
    allowed = sorted(_keys(TASKS if task is None else (task,)))
    if given in allowed or given in _keys(TASKS):
        leaf = given.removeprefix("task.")
        owners = [other.name for other in TASKS if leaf in {field.name for field in fields(other)}]
        return f"{given} is a key of task={' and task='.join(owners)}, not of this one"
    parent, leaf = given.rpartition(".")[0], _leaf(given)
    here = [key for key in allowed if key.rpartition(".")[0] == parent] or allowed
    # a shared parent would make any two keys alike, so their own parts are compared
    near = suggestion(given, allowed) if here == allowed else suggestion(leaf, here, _leaf)
    under = f"task={task.name}" if parent == "task" and task else parent
    return (
        f"there is no key {given!r}{near}; allowed{f' under {under}' if under else ''}: "
        f"{', '.join(here)}"
    )


def unknown_hydra_key(given: str, allowed: list[str]) -> str:
    """The same of Hydra's own keys."""
    parent = given.rpartition(".")[0]
    here = [key for key in allowed if key.rpartition(".")[0] == parent]
    listed = here or [key for key in allowed if key.count(".") == 1]
    return (
        f"there is no key {given!r}{suggestion(given, allowed)}; allowed of Hydra's own: "
        f"{', '.join(listed)}"
    )


def unfit_value(key: str, value: object, task: type[TaskConfig]) -> str | None:
    """What kind of value ``key`` takes; None where ``value`` is of that kind, or where the kind is
    not the trouble.
    """
    hint = _hint(key, task)
    if hint is None:
        return None
    kinds = get_args(hint) if NoneType in get_args(hint) else (hint,)
    if value is None:
        return None if NoneType in kinds else f"{key}=null; allowed: {_wanted(kinds)}"
    if wants_list(key, task):
        if isinstance(value, list):
            return None
        return f"{key}={_text(value)}: a list is wanted; write '{key}=[{_text(value)}]'"
    return f"{key}={_text(value)}; allowed: {_wanted(kinds)}"


def wants_list(key: str, task: type[TaskConfig]) -> bool:
    """Whether the schema has a list for the key."""
    hint = _hint(key, task)
    return any(get_origin(kind) is list for kind in (hint, *get_args(hint)))


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _text(value: object) -> str:
    return shortened(str(value).lower() if isinstance(value, bool) else str(value))


def _wanted(kinds: tuple[Any, ...]) -> str:
    words = [WANTED.get(kind, "a list") for kind in kinds if kind is not NoneType]
    return " or ".join([*words, *(["null"] if NoneType in kinds else [])])


def _hint(key: str, task: type[TaskConfig]) -> Any:
    """The type of a key's value as the schema has it; None where the schema has no such key, or
    keys below it.
    """
    node: Any = Config
    for part in key.split("."):
        if not is_dataclass(node):
            return None
        node = get_type_hints(task if node is TaskConfig else node).get(part)
    return None if is_dataclass(node) else node


def _keys(tasks: tuple[type[TaskConfig], ...]) -> Iterator[str]:
    """Every key that a command line may set."""
    nodes: dict[str, tuple[type, ...]] = {
        "task": tasks,
        "problem": (ProblemConfig,),
        "device": (DeviceConfig,),
        "tracking": (TrackingConfig,),
        "gate": (GateConfig,),
    }
    yield "experiment"
    for key in fields(Config):
        yield key.name
        leaves = {leaf.name for node in nodes.get(key.name, ()) for leaf in fields(node)}
        yield from (f"{key.name}.{leaf}" for leaf in leaves)
