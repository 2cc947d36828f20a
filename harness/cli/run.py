"""`bnbench run`: compose, plan, measure, report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import dataclass

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from harness.cli.arguments import RunFlags, run_flags
from harness.cli.closing import finish_run
from harness.cli.planning import plan_all
from harness.config import UsageError, composition
from harness.config.disk_errors import disk_trouble
from harness.config.effects import refuse_keys_of_a_gate, refuse_without_effect
from harness.config.imported_code import refuse_imported_code
from harness.environment import capture
from harness.isolation import interruption
from harness.records import ExitStatus
from harness.session import Session, begin, close, run_job
from harness.session.command_life import watch_joblib_workers
from harness.store import Failure, Journal
from harness.tracking import EndStatus
from implementations import registry

RESUME = "What was measured is in the journal; the same command with resume=true goes on from here"


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended; ``session`` is None where it only showed its configuration."""

    status: int
    session: Session | None = None


def main(arguments: Sequence[str]) -> int:
    return carry_out(arguments).status


def carry_out(arguments: Sequence[str]) -> RunOutcome:
    """Run the jobs that the command line means, or show their configuration."""
    flags = run_flags(arguments)
    refuse_imported_code(flags.overrides)
    refuse_keys_of_a_gate(flags.overrides)
    composition.register()
    composed = composition.composed(flags.overrides, flags.config_dir, multirun=flags.multirun)
    if flags.cfg:
        refuse_without_effect(flags.overrides, (job.config for job in composed.jobs()))
        for text in composed.texts(flags.cfg):
            sys.stdout.write(text)
        return RunOutcome(ExitStatus.OK)
    planned = plan_all(composed, flags.overrides, capture())
    for name, reason in registry.unusable():
        if name in planned:
            sys.stderr.write(f"{name}: {reason}\n")
    if composed.multirun:
        watch_joblib_workers()
    with interruption.deferred():
        session = begin(composed.first, ["bnbench", "run", *arguments])
        status = _run_session(session, _words_for_hydra(flags, composed.overrides))
    return RunOutcome(status, session)


def _run_session(session: Session, words: Sequence[str]) -> int:
    """Its jobs and its report; the exit status. Whatever happens, the session ends truly."""
    end: EndStatus = "KILLED"
    try:
        status = _carried_out(session, words)
        interruption.check()
        end = "FINISHED" if status == ExitStatus.OK else "FAILED"
    finally:
        close(session, end)
    return status


def job(config: DictConfig) -> None:
    """One job of a run or a sweep, in the process where Hydra's launcher puts it."""
    about = HydraConfig.get().job
    number = 0 if OmegaConf.is_missing(about, "num") else about.num  # a single run has none
    name = f"{number} {about.override_dirname}".strip()
    run_job(composition.as_object(config), name)


def _carried_out(session: Session, words: Sequence[str]) -> int:
    """The exit status. What a full disk cuts short is shown all the same, as far as it came."""
    try:
        _launch(session, words)
    except OSError as error:
        sys.stderr.write(f"bnbench run: {disk_trouble(error)}. {RESUME}.\n")
        with suppress(OSError, UsageError):  # the same disk may not give or take anything more
            finish_run(session)
        return ExitStatus.FAILED
    return finish_run(session)


def _launch(session: Session, words: Sequence[str]) -> None:
    """Run the jobs, where the launcher puts them. One whose process is killed ends the others: that
    is journalled, and what they made is reported.
    """
    interruption.check()
    try:
        _run_hydra(words)
    except composition.ERRORS as error:
        raise composition.translated(error) from error
    except BrokenExecutor as error:
        interruption.check()  # a terminal's Ctrl-C is for the processes of jobs, too
        reason = f"a process of the launcher was killed: {type(error).__name__}"
        Journal(session.config.journal).fail(Failure(session.id, "launcher", reason))
    interruption.check()


def _words_for_hydra(flags: RunFlags, overrides: Sequence[str]) -> list[str]:
    words = ["--multirun"] if flags.multirun else []
    words += [] if flags.config_dir is None else ["--config-dir", flags.config_dir]
    return [*words, *overrides]


def _run_hydra(words: Sequence[str]) -> None:
    sys.argv = ["bnbench run", *words]
    folder = str(composition.FOLDER)
    hydra.main(config_path=folder, config_name="config", version_base="1.3")(job)()
