"""`bnbench run`: compose, measure, report."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from harness.cli.arguments import RunFlags, run_flags
from harness.cli.closing import finish
from harness.cli.interrupts import end_as_by_ctrl_c
from harness.config import composition
from harness.config.effects import refuse_without_effect
from harness.config.imported_code import refuse_imported_code
from harness.environment import capture
from harness.records import ExitStatus
from harness.session import begin, close, run_job
from harness.tasks import task_of
from harness.tracking import EndStatus
from implementations import registry


def main(arguments: Sequence[str]) -> int:
    """Run the jobs that the command line means, or show their configuration."""
    flags = run_flags(arguments)
    refuse_imported_code(flags.overrides)
    composition.register()
    composed = composition.composed(flags.overrides, flags.config_dir)
    refuse_without_effect(flags.overrides, composed.configs)
    for_hydra = _words_for_hydra(flags, composed.overrides)
    if flags.cfg:
        _run_hydra(for_hydra)
        return ExitStatus.OK
    environment = capture()
    planned: set[str] = set()
    for config in composed.configs:
        # What cannot be planned is refused before the session begins.
        identities = task_of(config).plan(config, environment)
        planned |= {identity.implementation for identity in identities}
    for name, reason in registry.unusable():
        if name in planned:
            sys.stderr.write(f"{name}: {reason}\n")
    end_as_by_ctrl_c()
    session = begin(composed.configs[0], ["bnbench", "run", *arguments])
    end: EndStatus = "KILLED"
    try:
        _run_hydra(for_hydra)
        status = finish(session)
        end = "FINISHED" if status == 0 else "FAILED"
    except composition.ERRORS as error:
        raise composition.translated(error) from error
    finally:
        close(session, end)
    return status


def job(config: DictConfig) -> None:
    """One job of a run or a sweep, in the process where Hydra's launcher puts it."""
    about = HydraConfig.get().job
    number = 0 if OmegaConf.is_missing(about, "num") else about.num  # a single run has none
    name = f"{number} {about.override_dirname}".strip()
    run_job(composition.as_object(config), name)


def _words_for_hydra(flags: RunFlags, overrides: Sequence[str]) -> list[str]:
    words = ["--multirun"] if flags.multirun else []
    words += [] if flags.cfg is None else ["--cfg", flags.cfg]
    words += [] if flags.config_dir is None else ["--config-dir", flags.config_dir]
    return [*words, *overrides]


def _run_hydra(arguments: Sequence[str]) -> None:
    sys.argv = ["bnbench run", *arguments]
    folder = str(composition.FOLDER)
    hydra.main(config_path=folder, config_name="config", version_base="1.3")(job)()
