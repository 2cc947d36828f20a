"""Hydra's composition: register the schema, compose the configurations of a command line, and
translate Hydra's errors.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import implementations
from harness.config.overrides import credentials_of_presets, search_path, words_for_hydra
from harness.config.refusals import hydra_part, refuse_presets_that_each_sweep
from harness.config.schema import TASKS, Config, DeviceConfig, ProblemConfig, TrackingConfig
from harness.config.usage import UsageError, suggestion
from harness.config.validation import validated

# By path, not by package name: a user's own folder named conf must not hide ours.
FOLDER = Path(implementations.__file__).parent.parent / "conf"
# keys that all jobs of a session share, so that no sweep may vary them
OF_THE_SESSION = ("results", "journal", "report", "tracking")
ERRORS = (HydraException, OmegaConfBaseException)


def register() -> None:
    """Put the schema where Hydra finds it, and have Hydra raise its errors instead of printing
    them.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for task in TASKS:
        store.store(group="task", name=task.name, node=task)


@dataclass(frozen=True)
class Composition:
    """What a command line means: its ``configs``, and the ``overrides`` to hand to Hydra.

    The first configuration leaves sweeps out. One for each choice of each sweep follows, so that a
    mistake in the last job of a sweep is found before the first job runs.
    """

    configs: list[Config]
    overrides: list[str]


def composed(overrides: Sequence[str], search: str | None = None) -> Composition:
    """Compose a command line and the sweeps of its preset. A key on the command line replaces the
    preset's sweep over it.

    ``search`` is a folder with groups and presets of the user's own. Raises ``UsageError``.
    """
    overrides = words_for_hydra(overrides)
    parsed = _parse(overrides)
    given = {str(override.key_or_group) for override in parsed}
    for override in parsed:
        if (
            override.is_sweep_override()
            and str(override.key_or_group).partition(".")[0] in OF_THE_SESSION
        ):
            raise UsageError(
                f"{override.input_line}: a session has one {override.key_or_group}; run a command "
                "for each"
            )
    fixed = [override.input_line or "" for override in parsed if not override.is_sweep_override()]
    with initialize_config_dir(str(FOLDER), version_base="1.3", job_name="bnbench"):
        fixed += [] if search is None else [search_path(search)]
        first = _composed(fixed)
        refuse_presets_that_each_sweep(parsed, fixed)
        hydra = hydra_part(fixed)
        preset = hydra.sweeper.get("params") or {}
        swept = [f"{key}={choices}" for key, choices in preset.items() if key not in given]
        choices = _choices([*parsed, *_parse(swept)])
        configs = [first, *(_composed([*fixed, choice]) for choice in choices)]
    overrides += credentials_of_presets(first, given)
    return Composition(
        configs, [*overrides, *swept, "hydra.sweeper.params=null"] if preset else overrides
    )


def as_object(config: DictConfig) -> Config:
    """The typed and validated configuration. Raises ``UsageError``."""
    try:
        # the root is a Config by its schema
        made: Config = OmegaConf.to_object(config)  # type: ignore[assignment]
    except ERRORS as error:
        raise translated(error) from error
    return validated(made)


def translated(error: Exception) -> UsageError:
    """Hydra's or OmegaConf's error as one of ours: what was given, what is allowed, and what is
    like it.
    """
    message = f"{error}\n{error.__cause__ or ''}".strip()
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, given = (error.missing_cfg_file or "").rpartition("/")
        options = [option for option in error.options if option != "schema"]
        return UsageError(
            f"{group}={given} is not there{suggestion(given, options)}; allowed: "
            f"{', '.join(options)}"
        )
    wrong_group = re.search(
        r"Could not override '([\w@/.]+)'.\s*No match in the defaults list", message
    )
    key = re.search(r"full_key: ([\w.\[\]]+)", message) or re.search(
        r"Could not (?:override|append)[^']*'\+?([\w.]+)'", message
    )
    if wrong_group:
        return UsageError(_unknown_key(wrong_group[1]))
    if key and re.search(r"Key '.*' (is )?not in", message):
        return UsageError(_unknown_key(key[1]))
    lines = message.splitlines()
    cause = next((line for line in reversed(lines) if line.startswith("Value")), lines[0])
    return UsageError(f"{key[1]}: {cause}" if key else cause)


def _has_key(task: type, name: str) -> bool:
    return name in {field.name for field in fields(task)}


def _unknown_key(given: str) -> str:
    allowed = sorted(_keys())
    if given in allowed:
        owners = [task.name for task in TASKS if _has_key(task, given.removeprefix("task."))]
        return f"{given} is a key of task={' and task='.join(owners)}, not of this one"
    leaf = given.rpartition(".")[2]
    near = suggestion(given, allowed) or suggestion(
        leaf, [key.rpartition(".")[2] for key in allowed]
    )
    parent = given.rpartition(".")[0]
    here = [key for key in allowed if key.rpartition(".")[0] == parent] or allowed
    return (
        f"there is no key {given!r}{near}; allowed{f' under {parent}' if parent else ''}: "
        f"{', '.join(here)}"
    )


def _keys() -> Iterator[str]:
    """Every key that a command line may set."""
    nodes: dict[str, tuple[type, ...]] = {
        "task": TASKS,
        "problem": (ProblemConfig,),
        "device": (DeviceConfig,),
        "tracking": (TrackingConfig,),
    }
    yield "experiment"
    for key in fields(Config):
        yield key.name
        leaves = {leaf.name for node in nodes.get(key.name, ()) for leaf in fields(node)}
        yield from (f"{key.name}.{leaf}" for leaf in leaves)


def _parse(overrides: Sequence[str]) -> list[Override]:
    try:
        parsed: list[Override] = OverridesParser.create().parse_overrides(list(overrides))
    except ERRORS as error:
        raise UsageError(
            f"{str(error).splitlines()[0]}; write key=value, and quote what the shell would take "
            "apart, as in 'problem.shapes=[[32,64,56,56]]'"
        ) from error
    for override in parsed:
        if override.is_add() and not str(override.key_or_group).startswith(("hydra", "experiment")):
            raise UsageError(
                f"{override.input_line}: no key can be added; "
                f"{_unknown_key(str(override.key_or_group))}"
            )
    return parsed


def _choices(parsed: Sequence[Override]) -> Iterator[str]:
    for override in parsed:
        if override.is_discrete_sweep():
            yield from (
                f"{override.get_key_element()}={value}"
                for value in override.sweep_string_iterator()
            )


def _composed(overrides: list[str]) -> Config:
    try:
        return as_object(compose("config", overrides=overrides))
    except ERRORS as error:
        raise translated(error) from error
