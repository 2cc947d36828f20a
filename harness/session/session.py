"""A session: one command, its jobs, and what it leaves. Results rest on the journal; tracking and
reports are copies.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from harness import tracking
from harness.config import Config, UsageError
from harness.config.disk_errors import disk_trouble
from harness.config.shell import shell_command
from harness.environment import capture, this_process
from harness.session.tracking_attempts import attempt
from harness.store import Journal, SessionEnd, SessionStart
from harness.store.export import describe

SESSION = "BNBENCH_SESSION"  # the environment variable that takes the name to the jobs' processes


@dataclass(frozen=True)
class Session:
    """One command's identity, known to all its jobs through the environment."""

    id: str
    config: Config
    parent_run: str | None

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
    """Journal the session's end, and give its run its true end state in MLflow.

    A disk that takes no line more leaves it without an end, as a kill does.
    """
    with suppress(OSError):
        Journal(session.config.journal).end(SessionEnd(session.id, status))
    if session.parent_run:
        attempt(partial(tracking.close_session, session.config, session.parent_run, status))


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
    Journal(config.journal).begin(started)
    describe(Path(config.report) / name)
    parent = _open_run(config, name, command) if config.tracking.enabled else None
    os.environ[SESSION] = name
    os.environ[tracking.PARENT_RUN] = parent or ""
    return Session(name, config, parent)


def _open_run(config: Config, name: str, command: list[str]) -> str | None:
    """The session's run in MLflow; None where that cannot be reached."""
    attempt(partial(tracking.close_orphans, config))
    about = {"command": shell_command(command)}
    parent = attempt(partial(tracking.open_session, config, name, about))
    if parent is not None:
        attempt(partial(tracking.log_artifacts, config, parent, Path(config.report) / name))
    return parent
