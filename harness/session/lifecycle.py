"""A session: one command, its jobs, and what it leaves. Results rest on the journal; tracking and
reports are copies.

begin    the journal and MLflow learn of it
run_job  plan, measure what is not settled, journal each record before the next is measured
finish   table, report, files, and the exit status, all read back from the journal
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape

from harness import tracking
from harness.config import Config, UsageError
from harness.environment import Environment, capture
from harness.records import Flag, Identity, Record, Status
from harness.session.export import describe, export
from harness.session.progress import Watch
from harness.store import Contents, Journal, Plan
from harness.tasks import task_of

SESSION = "BNBENCH_SESSION"
Answer = TypeVar("Answer")


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
    """Open a session in the journal and, as far as it can be reached, in MLflow.

    Raises ``UsageError`` where the journal or the results cannot be written.
    """
    try:
        return _begin(config, command)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}; results and journal must be folders to write to"
        ) from error


def _begin(config: Config, command: list[str]) -> Session:
    now = datetime.now(UTC)
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    environment = capture()
    Journal(config.journal).begin(
        name,
        time=now.isoformat(timespec="seconds"),
        command=command,
        environment=environment.to_data(),
        config=asdict(config),
    )
    describe(Path(config.report) / name)
    parent = None
    if config.tracking.enabled:
        tracked(partial(tracking.close_orphans, config))
        parent = tracked(
            partial(tracking.open_session, config, name, {"command": " ".join(command)})
        )
    if parent is not None:
        tracked(partial(tracking.log_artifacts, config, parent, Path(config.report) / name))
    os.environ[SESSION] = name
    os.environ[tracking.PARENT_RUN] = parent or ""
    return Session(name, config, parent)


def run_job(config: Config, job: str) -> None:
    """One job of the session that the environment names. An error is journalled, and the next job
    goes on.
    """
    session, journal = os.environ[SESSION], Journal(config.journal)
    try:
        _measure(config, session, job, journal)
    except Exception as error:
        journal.fail(session, job, f"{type(error).__name__}: {error}")
        Console(stderr=True).print(
            f"[red]{config.task.name} could not go on:[/] {escape(str(error))}"
        )


def _measure(config: Config, session: str, job: str, journal: Journal) -> None:
    environment = capture()
    identities = task_of(config).plan(config, environment)
    journal.plan(
        Plan(
            session,
            job,
            config.task.name,
            asdict(config),
            tuple(identity.key for identity in identities),
        )
    )
    known = journal.read()
    todo = [
        identity for identity in identities if not (config.resume and known.settled(identity.key))
    ]
    if len(todo) < len(identities):
        Console(stderr=True).print(
            f"{config.task.name}: {len(identities) - len(todo)} of {len(identities)} records "
            "are in the journal already"
        )
    for _ in _journalled(config, session, todo, environment):
        pass


def measured(
    config: Config, session: str, job: str, wanted: list[Identity], environment: Environment
) -> list[Record]:
    """Some records of a job, measured whatever the journal holds, and journalled like any other."""
    journal = Journal(config.journal)
    journal.plan(
        Plan(
            session,
            job,
            config.task.name,
            asdict(config),
            tuple(identity.key for identity in wanted),
        )
    )
    return list(_journalled(config, session, wanted, environment))


def _journalled(
    config: Config, session: str, todo: list[Identity], environment: Environment
) -> Generator[Record]:
    """Each record is in the journal, and in MLflow, before the next is measured."""
    journal, parent, about = (
        Journal(config.journal),
        os.environ[tracking.PARENT_RUN],
        environment.to_data(),
    )
    task = task_of(config)
    with (
        Watch(config.task.name, len(todo)) as watch,
        closing(task.measure(config, todo, session, watch.announce)) as records,
    ):
        for record in records:
            journal.append(record)
            watch.record(record)
            if parent:
                tracked(partial(tracking.log_record, config, parent, record, about))
            yield record


def finish(session: Session) -> int:
    """Write the report and the files, print the closing table and where things are; the exit
    status.
    """
    from harness import report
    from harness.report.terminal import WIDTH, closing_table

    contents = Journal(session.config.journal).read()
    records = contents.of_session(session.id)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    if records:
        path = report.write(contents, session.id, session.folder)
        about = contents.sessions[session.id]
        export(
            records,
            session.folder,
            config=_yaml(about["config"]),
            environment=about["environment"],
            jobs=[plan for plan in contents.plans if plan.session == session.id],
        )
        table = closing_table(records)
        with (session.folder / "table.txt").open("w", encoding="utf-8") as file:
            Console(file=file, width=WIDTH).print(table)
        console.print(table)
        _say_why(records, console)
        console.print(f"report   {path}", soft_wrap=True, highlight=False)
    _say_what_is_missing(contents, session.id, console)
    if session.parent_run:
        tracked(partial(tracking.log_artifacts, session.config, session.parent_run, session.folder))
        elsewhere = (
            "" if session.config.results == Config.results else f" results={session.config.results}"
        )
        console.print(f"tracking bnbench ui{elsewhere}, and then", highlight=False)
        for title, address in (
            tracked(partial(tracking.links, session.config, session.parent_run, {})) or []
        ):
            console.print(f"         {address}  {title}", soft_wrap=True, highlight=False)
    return exit_status(contents, session.id)


def close(session: Session, status: tracking.EndStatus) -> None:
    """Give the session's run its true end state in MLflow."""
    if session.parent_run:
        tracked(partial(tracking.close_session, session.config, session.parent_run, status))


def exit_status(contents: Contents, session: str) -> int:
    """0 all well, 1 something failed or is missing, 3 nothing could be measured, or nothing that
    was proves anything.
    """
    records = contents.of_session(session)
    failed = any(record.failed for record in records)
    if (
        failed
        or contents.missing(session)
        or any(failure["session"] == session for failure in contents.failures)
    ):
        return 1
    return 0 if any(map(_decided, records)) else 3


def _decided(record: Record) -> bool:
    """Whether it was measured and says something: a documented deviation does, a MISTRUSTED
    comparison does not.
    """
    return record.explanation is not None or (
        record.status is Status.OK and Flag.MISTRUSTED not in record.flags
    )


def _say_why(records: list[Record], console: Console) -> None:
    """Why what is not OK is not, and on a line of its own, so that it can be copied, the command
    that repeats it.
    """
    from harness.report.terminal import reasons

    for said, command in reasons(records):
        console.print(said, markup=False, highlight=False)
        if command is not None:
            console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


def _say_what_is_missing(contents: Contents, session: str, console: Console) -> None:
    missing = len(contents.missing(session))
    if missing:
        console.print(
            f"[red]{missing} planned records were not made[/]; the same command with resume=true "
            "makes them"
        )
    for failure in contents.failures:
        if failure["session"] == session:
            console.print(f"[red]job {failure['job']}:[/] {escape(failure['reason'])}")
    if contents.torn:
        console.print(f"{contents.torn} torn lines of the journal were skipped")


_failed: list[tracking.TrackingError] = []


def tracked(action: Callable[[], Answer]) -> Answer | None:
    """Do something in MLflow. A failure is told, and is the last attempt: the journal has it all,
    and time is dear.
    """
    if _failed:
        return None
    try:
        return action()
    except tracking.TrackingError as error:
        Console(stderr=True).print(
            f"[yellow]tracking failed, measuring goes on without:[/] {escape(str(error))}"
        )
        _failed.append(error)
        return None


def _yaml(config: dict[str, object]) -> str:
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(config))
