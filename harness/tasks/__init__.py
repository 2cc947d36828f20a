"""One file a task: configuration in, records out.

Each task is a module with two functions. ``plan`` says what there is to do before anything is done,
so that a session that was cut short knows what is missing; ``measure`` does some of it and yields
records as they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from typing import Protocol, cast

from harness.config import Config
from harness.environment import Environment
from harness.records import AnyRecord, Cell, Identity


class Task(Protocol):
    """What a task's module offers."""

    def plan(self, config: Config, environment: Environment) -> Sequence[Identity[Cell]]:
        """What there is to measure. Raises ``UsageError`` for what cannot be done as configured."""

    def measure(
        self,
        config: Config,
        todo: Sequence[Identity[Cell]],
        session: str,
        announce: Callable[[str], None],
    ) -> Generator[AnyRecord]:
        """Measure some of a plan; a record for each identity in ``todo``, as it is made."""


def task_of(config: Config) -> Task:
    """The module of the configured task; its name was checked by the schema."""
    return cast(Task, import_module(f"harness.tasks.{config.task.name}"))
