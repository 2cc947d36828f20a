"""One file a task: configuration in, records out.

Each task is a module with two functions. ``plan`` says what there is to do before anything is done,
so that a session that was cut short knows what is missing; ``measure`` does some of it and yields
records as they are made.

    plan(config: Config, environment: Environment) -> list[Identity] measure(config: Config, todo:
    list[Identity], session: str, announce: Callable[[str], None]) -> Generator[Record]
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from importlib import import_module
from typing import Protocol, cast

from harness.config import Config
from harness.environment import Environment
from harness.isolation import Settings
from harness.records import Identity, Record


class Task(Protocol):
    """What a task's module offers."""

    def plan(self, config: Config, environment: Environment) -> list[Identity]: ...

    def measure(
        self,
        config: Config,
        todo: list[Identity],
        session: str,
        announce: Callable[[str], None],
    ) -> Generator[Record]: ...


def worker_settings(config: Config) -> Settings:
    """How the workers of a task are set up. The device's threads have been filled in by
    validation.
    """
    device = config.device
    if device.threads is None:
        raise TypeError("device.threads must be resolved before a task runs")
    return Settings(
        device.threads, device.allocator, device.wait_policy, device.name, device.huge_pages
    )


def task_of(config: Config) -> Task:
    """The module of the configured task; its name was checked by the schema."""
    return cast(Task, import_module(f"harness.tasks.{config.task.name}"))
