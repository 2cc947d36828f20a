"""What Hydra makes of the groups of a command line and of Hydra's own keys, once for each choice of
them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from harness.config.command_line import KEYS
from harness.config.key_messages import UNKNOWN, translated, unknown_hydra_key
from harness.config.overrides import search_path
from harness.config.schema import TASKS, TaskConfig
from harness.config.usage import UsageError, suggestion
from harness.records import flat

BASIC_SWEEPER = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
BASIC_LAUNCHER = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"


@dataclass(frozen=True)
class ComposedGroups:
    """The configuration that the groups make, and ``hydra``, Hydra's own part of it."""

    config: DictConfig
    hydra: DictConfig

    def copy(self) -> DictConfig:
        """The configuration, to put values into."""
        return copy.deepcopy(self.config)

    @cached_property
    def shared_copy(self) -> DictConfig:
        """One for all jobs that give the same keys: a value replaces that of the job before."""
        return self.copy()

    @property
    def params(self) -> Mapping[str, Any]:
        """What a preset sweeps over: key to choices."""
        return self.hydra.sweeper.get("params") or {}

    @property
    def task(self) -> type[TaskConfig] | None:
        """The schema of the task, where one is chosen."""
        return task_schema(self.config)

    @property
    def multirun(self) -> bool:
        """Whether a preset, or the command line by ``hydra.mode``, asks for a sweep."""
        return bool(self.hydra.mode == RunMode.MULTIRUN)

    @property
    def sampled(self) -> bool:
        """Whether a sweeper from outside chooses what to run."""
        return bool(self.hydra.sweeper.get("_target_") != BASIC_SWEEPER)

    @property
    def runs_one_by_one(self) -> bool:
        """Whether jobs run one after the other, in no batches that the user asked for."""
        basic = self.hydra.launcher.get("_target_") == BASIC_LAUNCHER
        return basic and not self.sampled and self.hydra.sweeper.max_batch_size is None


def task_schema(config: DictConfig) -> type[TaskConfig] | None:
    """The schema of a configuration's task."""
    found = OmegaConf.get_type(config, "task")
    return found if found in TASKS else None


class Composer:
    """Composes groups, in a block where Hydra is initialized with ``folder``; ``search`` is a
    folder with groups of the user's own. Raises ``UsageError``.
    """

    def __init__(self, folder: Path, search: str | None) -> None:
        self._folders = [folder, *([] if search is None else [Path(search)])]
        self._fixed = [] if search is None else [search_path(search)]
        self._composed: dict[tuple[str, ...], ComposedGroups] = {}

    def groups(self, overrides: Sequence[Override]) -> ComposedGroups:
        """What those of the ``overrides`` make that are no values."""
        own = [override for override in overrides if not self.is_value(override)]
        words = tuple(override.input_line or "" for override in own)
        if words not in self._composed:
            self._composed[words] = self._compose(own)
        return self._composed[words]

    def is_value(self, override: Override) -> bool:
        """Whether it puts a value into the composed configuration."""
        key = str(override.key_or_group)
        if key.partition(".")[0] not in KEYS or override.package is not None:
            return False
        return isinstance(override.value(), dict) or not self._is_group(key)

    def _is_group(self, key: str) -> bool:
        return any((folder / key).is_dir() for folder in self._folders)

    def _compose(self, overrides: Sequence[Override]) -> ComposedGroups:
        for override in overrides:
            self._check_choice(override)
        words = [override.input_line or "" for override in overrides]
        try:
            full = compose("config", overrides=[*self._fixed, *words], return_hydra_config=True)
        except Exception as error:  # of Hydra, OmegaConf, YAML, the disk: no narrower base
            raise self._translated(error, overrides) from error
        hydra = full.hydra
        with open_dict(full):
            del full["hydra"]
        return ComposedGroups(full, hydra)

    def _check_choice(self, override: Override) -> None:
        """That a group is given a name: Hydra's own error names neither."""
        key, value = str(override.key_or_group), override.value()
        is_group = self._is_group(key) or "/" in key
        if override.is_delete() or not is_group or isinstance(value, str | list | dict):
            return
        allowed = [name for name in _options(key) if name != "schema"]
        near = "" if value is None else suggestion(str(value), allowed)
        raise UsageError(
            f"{override.input_line}: a name is wanted{near}; allowed: {', '.join(allowed)}"
        )

    def _translated(self, error: Exception, overrides: Sequence[Override]) -> UsageError:
        message = f"{error}\n{error.__cause__ or ''}"
        for override in overrides:
            key = str(override.key_or_group)
            if key.startswith("hydra.") and key in message and UNKNOWN.search(message):
                bare = self.groups([each for each in overrides if not each.is_hydra_override()])
                plain = OmegaConf.to_container(bare.hydra, resolve=False)
                return UsageError(unknown_hydra_key(key, list(flat({"hydra": plain}))))
        return translated(error)


def _options(group: str) -> list[str]:
    found: list[str] = GlobalHydra.instance().config_loader().get_group_options(group)
    return found
