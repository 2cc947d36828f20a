"""From a command line to the configurations of its jobs.

Hydra composes the groups, once for each choice of them; OmegaConf puts the values in, job by job,
as Hydra does once more when it launches a job.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.plugins.sweeper import Sweeper
from omegaconf import DictConfig, OmegaConf

import implementations
from harness.config import command_line
from harness.config.command_line import OF_THE_SESSION, JobWords
from harness.config.groups import ComposedGroups, Composer, task_schema
from harness.config.imported_code import refuse_imported_code_of_presets
from harness.config.key_messages import ERRORS, translated, unfit_value, wants_list
from harness.config.overrides import credentials_of_presets, words_for_hydra
from harness.config.refusals import refuse_folders_of_jobs
from harness.config.schema import TASKS, Config, TaskConfig
from harness.config.usage import UsageError, shortened
from harness.config.validation import validated
from implementations.published_text import without_credentials

__all__ = ["ERRORS", "FOLDER", "OF_THE_SESSION", "as_object", "composed", "register", "translated"]

# By path, not by package name: a user's own folder named conf must not hide ours.
FOLDER = Path(implementations.__file__).parent.parent / "conf"


def register() -> None:
    """Put the schema where Hydra finds it, and have Hydra raise its errors instead of printing
    them.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for task in TASKS:
        store.store(group="task", name=task.name, node=task)
    # It would compose all jobs of a batch before it launches the first, and has each composed once
    # more to launch it. Here all were planned when Hydra gets to them.
    Sweeper.validate_batch_is_legal = lambda *_: None  # type: ignore[method-assign]


@dataclass(frozen=True)
class JobConfig:
    """One job's configuration. ``name`` says what varies in a sweep; it is empty for one run."""

    number: int
    name: str
    config: Config


@dataclass(frozen=True)
class Composition:
    """What a command line means.

    ``overrides`` are to be handed to Hydra, ``multirun`` whether it is to sweep, ``count``
    the number of jobs, ``first`` the configuration of the first of them.
    """

    overrides: list[str]
    multirun: bool
    count: int
    first: Config
    _composer: Composer
    _parsed: Sequence[Override]
    _groups: ComposedGroups

    def jobs(self) -> Iterator[JobConfig]:
        """Each job, composed when it is asked for. Raises ``UsageError``, which names the job."""
        with _hydra():
            yield from _jobs(self._parsed, self._composer, self._groups, self.multirun)

    @property
    def configs(self) -> list[Config]:
        """All jobs' configurations."""
        return [job.config for job in self.jobs()]

    def texts(self, kind: str) -> Iterator[str]:
        """Each job's configuration as YAML: the ``job``'s own, ``hydra``'s, or ``all`` of it."""
        with _hydra():
            for job in _words(self._parsed, self._groups, self.multirun):
                groups = self._composer.groups(job.overrides)
                config = _filled(groups, self._composer, job.overrides)
                parts = {"job": config, "hydra": OmegaConf.create({"hydra": groups.hydra})}
                text = OmegaConf.to_yaml(parts.get(kind, OmegaConf.merge(parts["hydra"], config)))
                titled = f"# job {job.number}: {job.name}\n{text}" if job.name else text
                yield without_credentials(titled)


def composed(
    words: Sequence[str], search: str | None = None, *, multirun: bool = True
) -> Composition:
    """Compose a command line and the sweeps of its preset. A key on the command line replaces the
    preset's sweep over it.

    ``search`` is a folder with groups and presets of the user's own; ``multirun`` whether ``-m`` is
    given, without which only a preset may sweep. Raises ``UsageError``.
    """
    words = words_for_hydra(words)
    composer = Composer(FOLDER, search)
    with _hydra():
        loader = GlobalHydra.instance().config_loader()
        given = command_line.parsed(words, loader)
        sweeps = command_line.sweeps_of(given)
        fixed = [override for override in given if override not in sweeps]
        groups = composer.groups(fixed)
        refuse_folders_of_jobs(groups.hydra)
        refuse_imported_code_of_presets(groups.hydra)
        keys = {str(override.key_or_group) for override in given}
        swept = [f"{key}={choices}" for key, choices in groups.params.items() if key not in keys]
        if not multirun and not groups.multirun:
            _refuse_sweeps(sweeps, swept, given, groups.task)
        of_preset = command_line.parsed(swept, loader)
        command_line.sweeps_of(of_preset)
        overrides = [*given, *of_preset]
        multirun = multirun or groups.multirun
        first = next(_jobs(overrides, composer, groups, multirun))
    count = 1 if groups.sampled or not multirun else command_line.count(overrides)
    credentials = credentials_of_presets(first.config, keys)
    params = ["hydra.sweeper.params=null"] if groups.params else []
    for_hydra = [*words, *credentials, *swept, *params]
    if multirun and groups.runs_one_by_one:
        # else Hydra would begin all other jobs after one that a full disk ended
        for_hydra.append("hydra.sweeper.max_batch_size=1")
    return Composition(for_hydra, multirun, count, first.config, composer, overrides, groups)


def as_object(config: DictConfig) -> Config:
    """The typed and validated configuration. Raises ``UsageError``."""
    try:
        # the root is a Config by its schema
        made: Config = OmegaConf.to_object(config)  # type: ignore[assignment]
    except ERRORS as error:
        raise translated(error) from error
    return validated(made)


def put(config: DictConfig, override: Override) -> None:
    """Give a key its value. Raises ``UsageError``."""
    key, value = str(override.key_or_group), override.value()
    try:
        OmegaConf.update(config, key, value, merge=True)
    except ERRORS as error:
        task = task_schema(config)
        message = unfit_value(key, value, task) if task else None
        raise UsageError(message) if message else translated(error, task) from error


def _hydra() -> AbstractContextManager[None]:
    made: AbstractContextManager[None] = initialize_config_dir(
        str(FOLDER), version_base="1.3", job_name="bnbench"
    )
    return made


def _refuse_sweeps(
    sweeps: Sequence[Override],
    swept: list[str],
    given: Sequence[Override],
    task: type[TaskConfig] | None,
) -> None:
    """Several choices without ``-m``, whoever gave them."""
    for override in sweeps:
        key = str(override.key_or_group)
        word, values = command_line.shown(override), shortened(override.get_value_string())
        if task is not None and wants_list(key, task):
            raise UsageError(f"{word}: a list is wanted; write '{key}=[{values}]'")
        raise UsageError(f"{word} gives several values for one run; add -m to run each")
    if swept:
        presets = [each.input_line for each in given if each.key_or_group == "experiment"]
        raise UsageError(
            f"{' '.join(map(str, presets)) or 'the preset'} sweeps over {', '.join(swept)}; add -m "
            "to run each, or put 'hydra: {mode: MULTIRUN}' into the preset"
        )


def _words(
    overrides: Sequence[Override], groups: ComposedGroups, multirun: bool
) -> Iterator[JobWords]:
    if not multirun:
        yield JobWords(0, list(overrides), "")
    elif groups.sampled:  # what another sweeper will choose is not known yet
        lowest = [command_line.lowest(o) if o.is_sweep_override() else o for o in overrides]
        yield JobWords(0, lowest, "")
    else:
        yield from command_line.jobs(overrides, OverridesParser.create())


def _jobs(
    overrides: Sequence[Override], composer: Composer, groups: ComposedGroups, multirun: bool
) -> Iterator[JobConfig]:
    first: Config | None = None
    for job in _words(overrides, groups, multirun):
        try:
            config = _job_config(job, composer, groups)
            first = first or config
            _refuse_another_session(first, config)
        except UsageError as error:
            raise named(job.number, job.name, error) from error
        yield JobConfig(job.number, job.name, config)


def named(number: int, name: str, error: UsageError) -> UsageError:
    """The error with the job of a sweep that it is of."""
    return UsageError(f"job {number} ({name}): {error}") if name else error


def _job_config(job: JobWords, composer: Composer, without_sweeps: ComposedGroups) -> Config:
    groups = composer.groups(job.overrides)
    if groups.params != without_sweeps.params:
        raise UsageError(
            f"the preset sweeps over {', '.join(groups.params)} itself, which a sweep over presets "
            "would leave out; run each such preset by a command of its own"
        )
    return as_object(_filled(groups, composer, job.overrides))


def _filled(
    groups: ComposedGroups, composer: Composer, overrides: Sequence[Override]
) -> DictConfig:
    values = [override for override in overrides if composer.is_value(override)]
    # a mapping is merged into what is there, so it must not find what the job before has left
    merged = any(isinstance(override.value(), dict) for override in values)
    config = groups.copy() if merged else groups.shared_copy
    for override in values:
        put(config, override)
    return config


def _refuse_another_session(first: Config, config: Config) -> None:
    for key in fields(Config):
        one, other = getattr(first, key.name), getattr(config, key.name)
        if key.name in OF_THE_SESSION and one != other:
            raise UsageError(
                f"{key.name}={other}, and {one} in the first job; a session has one {key.name}, so "
                "give it on the command line"
            )
