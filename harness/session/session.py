"""A session: one command, its jobs, and what it leaves. Results rest on the journal; tracking and
reports are copies.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from harness import tracking
from harness.config import Config, UsageError
from harness.config.disk_errors import disk_trouble
from harness.config.shell import shell_command
from harness.environment import capture, cpus, this_process
from harness.isolation import interruption
from harness.isolation.lock_holders import COMMAND, SESSION
from harness.session.tracking_attempts import PATIENCE, attempt, attempt_until_done, catch_up
from harness.store import Journal, SessionEnd, SessionStart
from harness.store.export import describe
from harness.store.running import RUNNING, RunningFile, remove_dead
from harness.timing.launch_pool import LAUNCHES
from implementations.published_text import without_credentials


@dataclass(frozen=True)
class Session:
    """One command's identity, known to all its jobs through the environment."""

    id: str
    config: Config
    parent_run: str | None
    running: RunningFile

    @property
    def folder(self) -> Path:
        """Where its report and files go."""
        return Path(self.config.report) / self.id


def begin(config: Config, command: list[str]) -> Session:
    """Open a session in the journal and, if it can be reached, in MLflow.

    Raises ``UsageError`` where the journal or the results cannot be written.
    """
    try:
        return _begin(config, command)
    except OSError as error:
        raise UsageError(
            f"{disk_trouble(error, config.journal)}; results and journal are folders to write to"
        ) from error


def close(session: Session, status: tracking.EndStatus) -> None:
    """End the launches that its jobs kept, journal the session's end, and give its run its true end
    state in MLflow.

    A disk that takes no line more leaves it without an end, as a kill does.
    """
    LAUNCHES.close()
    with suppress(OSError):
        Journal(session.config.journal).end(SessionEnd(session.id, status))
    session.running.release()
    if session.parent_run:
        attempt_until_done(
            partial(tracking.close_session, session.config, session.parent_run, status)
        )
        catch_up()


def _begin(config: Config, command: list[str]) -> Session:
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    started = SessionStart(
        id=name,
        time=now.isoformat(timespec="seconds"),
        command=tuple(command),
        environment=capture(),
        config=asdict(config),
        process=this_process(),
    )
    Journal(config.journal).begin(started)  # first: where the disk takes nothing, no file is left
    running = RunningFile(config.journal, name)
    interruption.pass_on(running.interrupt)
    try:
        describe(Path(config.report) / name)
    except OSError:
        running.release()
        raise
    for note in _notes(config):
        Console(stderr=True).print(note, markup=False, highlight=False, soft_wrap=True)
    parent = _open_run(config, name, command) if config.tracking.enabled else None
    remove_dead(config.journal)
    os.environ |= {
        SESSION: name,
        COMMAND: without_credentials(shell_command(command)),  # others that wait are shown it
        RUNNING: str(running.path),
        tracking.PARENT_RUN: parent or "",
    }
    return Session(name, config, parent, running)


def _notes(config: Config) -> Iterator[str]:
    """What the machine decides, where the configuration leaves it open."""
    if limit := cpus.limit():
        yield f"device.threads={config.device.threads}: {limit}"
    if config.tracking.enabled:
        yield from tracking.from_variables(config)


def _open_run(config: Config, name: str, command: list[str]) -> str | None:
    """The session's run in MLflow; None where that cannot be reached."""
    about = {"command": shell_command(command)}
    opening = partial(tracking.open_session, config, name, about)
    parent = attempt(opening, patience=PATIENCE)
    if parent is not None:
        attempt(partial(tracking.close_orphans, config))
        attempt(partial(tracking.log_artifacts, config, parent, Path(config.report) / name))
    return parent
