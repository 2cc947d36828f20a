"""A configuration from the plain data that a journal or a file holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omegaconf import DictConfig, OmegaConf

from harness.config import command_line
from harness.config.composition import ERRORS, OF_THE_SESSION, as_object, put, translated
from harness.config.schema import (
    TASKS,
    Config,
    DeviceConfig,
    ProblemConfig,
    TaskConfig,
    TrackingConfig,
)
from harness.config.usage import UsageError


def restored(data: Mapping[str, object], overrides: Sequence[str] = ()) -> Config:
    """The typed and validated configuration, with ``overrides`` (``key=value``) in the place of
    what was recorded.

    Implementations are those that the overrides name, or else the baseline alone: code that only a
    file names is never run. Where results go is not restored. Raises ``UsageError`` for keys or
    values that this version does not have.
    """
    data = {key: value for key, value in data.items() if key not in OF_THE_SESSION}
    _refuse_references(data)
    base = OmegaConf.structured(Config)
    nodes = {
        "task": _task(data),
        "problem": ProblemConfig,
        "device": DeviceConfig,
        "tracking": TrackingConfig,
    }
    for key, node in nodes.items():
        base[key] = OmegaConf.structured(node)
    try:
        given = OmegaConf.merge(base, dict(data, implementations=[data["baseline"]]))
    except ERRORS as error:
        raise translated(error) from error
    _put_all(given, overrides)  # type: ignore[arg-type]  # a mapping merged into a mapping is one
    return as_object(given)  # type: ignore[arg-type]  # as above


def _put_all(config: DictConfig, overrides: Sequence[str]) -> None:
    for override in command_line.parsed(overrides):
        if override.is_sweep_override():
            raise UsageError(
                f"{override.input_line} gives several choices, and a replay is of one; give one "
                f"value, or a list as '{override.key_or_group}=[...]'"
            )
        put(config, override)


def _task(data: Mapping[str, object]) -> type[TaskConfig]:
    task, known = data["task"], {task.name: task for task in TASKS}
    name = task["name"] if isinstance(task, Mapping) else task
    if name not in known:
        raise UsageError(f"task={name} is not of this version; allowed: {', '.join(known)}")
    return known[name]


def _refuse_references(data: object) -> None:
    """OmegaConf would resolve ``${...}``, from the environment too."""
    if isinstance(data, Mapping):
        data = [*data, *data.values()]
    if isinstance(data, list):
        for item in data:
            _refuse_references(item)
    elif isinstance(data, str) and "${" in data:
        raise UsageError(
            f"the recorded configuration has {data!r}; what was recorded is resolved, and nothing "
            "is looked up"
        )
