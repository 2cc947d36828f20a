"""`bnbench run`: compose, measure, report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from harness.cli.arguments import run_flags
from harness.cli.closing import finish
from harness.config import composition
from harness.environment import capture
from harness.isolation import interruption
from harness.records import ExitStatus
from harness.session import Session, begin, close, run_job
from harness.session.command_life import watch_joblib_workers
from harness.store import Failure, Journal
from harness.tasks import task_of
from harness.tracking import EndStatus


def main(arguments: Sequence[str]) -> int:
    """Run the jobs that the command line means, or show their configuration."""
    flags = run_flags(arguments)
    composition.register()
    composed = composition.composed(flags.overrides, flags.config_dir)
    for_hydra = [word for word in arguments if word not in flags.overrides] + composed.overrides
    if flags.cfg:
        _run_hydra(for_hydra)
        return ExitStatus.OK
    environment = capture()
    for config in composed.configs:
        # What cannot be planned is refused before the session begins.
        task_of(config).plan(config, environment)
    if len(composed.configs) > 1 or flags.multirun:
        watch_joblib_workers()
    with interruption.deferred():
        session = begin(composed.configs[0], ["bnbench", "run", *arguments])
        return _run_session(session, for_hydra)


def _run_session(session: Session, for_hydra: Sequence[str]) -> int:
    """Its jobs and its report; the exit status. Whatever happens, the session ends truly."""
    end: EndStatus = "KILLED"
    try:
        _launch(session, for_hydra)
        status = finish(session)
        interruption.check()
        end = "FINISHED" if status == ExitStatus.OK else "FAILED"
    finally:
        close(session, end)
    return status


def _launch(session: Session, for_hydra: Sequence[str]) -> None:
    """Run the jobs, where the launcher puts them. One whose process is killed ends the others: that
    is journalled, and what they made is reported.
    """
    interruption.check()
    try:
        _run_hydra(for_hydra)
    except composition.ERRORS as error:
        raise composition.translated(error) from error
    except BrokenExecutor as error:
        interruption.check()  # a terminal's Ctrl-C is for the processes of jobs, too
        reason = f"a process of the launcher was killed: {type(error).__name__}"
        Journal(session.config.journal).fail(Failure(session.id, "launcher", reason))
    interruption.check()


def job(config: DictConfig) -> None:
    """One job of a run or a sweep, in the process where Hydra's launcher puts it."""
    about = HydraConfig.get().job
    number = 0 if OmegaConf.is_missing(about, "num") else about.num  # a single run has none
    name = f"{number} {about.override_dirname}".strip()
    run_job(composition.as_object(config), name)


def _run_hydra(arguments: Sequence[str]) -> None:
    sys.argv = ["bnbench run", *arguments]
    folder = str(composition.FOLDER)
    hydra.main(config_path=folder, config_name="config", version_base="1.3")(job)()
