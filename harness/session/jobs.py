"""The jobs of a session: plan, measure what is not settled, and journal each record as soon as the
task gives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from rich.console import Console
from rich.markup import escape

from harness import tracking
from harness.config import Config
from harness.environment import Environment, capture
from harness.formatting import line
from harness.isolation import interruption
from harness.isolation.lock_holders import SESSION
from harness.records import AnyRecord, Cell, Identity
from harness.session.command_life import end_with_command
from harness.session.progress import ProgressDisplay
from harness.session.tracking_attempts import attempt_until_done, catch_up
from harness.store import Failure, Journal, Plan
from harness.tasks import task_of
from harness.timing.launch_pool import LAUNCHES
from implementations.lookups import looked_up_once
from implementations.published_text import without_credentials

# As a task's own: of what is asked for, in this session, with what is announced meanwhile. Which
# cells these are is the task's to know, hence Any.
Measure = Callable[
    [Config, Sequence[Identity[Any]], str, Callable[[str], None]], Generator[AnyRecord]
]


def run_job(config: Config, job: str, measure: Measure | None = None) -> None:
    """One job of the session that the environment names, by its task's own ``measure`` or another.

    An error is journalled, and the next job goes on. Ends with the command, and is interrupted with
    it, in whichever process it runs. Launches are kept for the next job there.
    """
    elsewhere = end_with_command()
    LAUNCHES.keep()
    session, journal = os.environ[SESSION], Journal(config.journal)
    try:
        interruption.check()
        _run(config, session, job, journal, measure or task_of(config).measure)
    except Exception as error:
        reason = without_credentials(f"{type(error).__name__}: {error}")
        journal.fail(Failure(session, job, reason))
        message = f"[red]{config.task.name} stopped:[/] {escape(line(reason))}"
        Console(stderr=True).print(message)
    finally:
        if elsewhere:  # else the command does that when it ends
            catch_up()


def measure(
    config: Config,
    session: str,
    job: str,
    wanted: Sequence[Identity[Cell]],
    environment: Environment,
) -> list[AnyRecord]:
    """Some records of a job, measured whatever the journal holds, and journalled like any other."""
    Journal(config.journal).plan(_plan(config, session, job, wanted))
    return list(_journalled(config, session, wanted, environment, task_of(config).measure))


def _run(config: Config, session: str, job: str, journal: Journal, measure: Measure) -> None:
    environment = capture()
    with looked_up_once():  # the baseline is an arm twice
        identities = task_of(config).plan(config, environment)
    journal.plan(_plan(config, session, job, identities))
    todo = identities
    if config.resume:
        known = journal.read()
        todo = [identity for identity in identities if known.settled(identity.key) is None]
    if len(todo) < len(identities):
        settled = f"{len(identities) - len(todo)} of {len(identities)} records"
        Console(stderr=True).print(f"{config.task.name}: {settled} are in the journal already")
    for _ in _journalled(config, session, todo, environment, measure):
        pass


def _plan(config: Config, session: str, job: str, identities: Sequence[Identity[Cell]]) -> Plan:
    keys = tuple(identity.key for identity in identities)
    return Plan(session, job, config.task.name, asdict(config), keys)


def _journalled(
    config: Config,
    session: str,
    todo: Sequence[Identity[Cell]],
    environment: Environment,
    measure: Measure,
) -> Generator[AnyRecord]:
    """Each record is in the journal, and in MLflow, before the task goes on. A task that is
    interrupted hands over what it has.
    """
    journal, parent = Journal(config.journal), os.environ[tracking.PARENT_RUN]
    with ProgressDisplay(config.task.name, len(todo)) as display:

        def keep(record: AnyRecord) -> None:
            journal.append(record)
            display.record(record)
            if parent:
                log = partial(tracking.log_record, config, parent, record, environment)
                attempt_until_done(log)

        records = measure(config, todo, session, display.announce)
        with closing(records):
            try:
                for record in map(_published, records):
                    keep(record)
                    yield record
                    interruption.check()
            except KeyboardInterrupt:
                for record in map(_published, _handed_over(records)):
                    keep(record)
                raise


def _handed_over(records: Generator[AnyRecord]) -> Generator[AnyRecord]:
    """What a task that is interrupted has measured, and not given yet."""
    with suppress(KeyboardInterrupt, StopIteration):
        record = records.throw(KeyboardInterrupt())
        while True:
            yield record
            record = next(records)


def _published(record: AnyRecord) -> AnyRecord:
    """The record without credentials in messages of foreign code, before anything shows it."""
    if record.reason is None:
        return record
    return replace(record, reason=without_credentials(record.reason))
