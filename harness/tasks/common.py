"""What all tasks need: how their workers are set up, and what goes into every cell and record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict, TypeVar

from harness.config import Config, TaskConfig
from harness.isolation import WorkerSettings

TaskT = TypeVar("TaskT", bound=TaskConfig)


class DeviceSettings(TypedDict):
    """The part of every cell that says on which device it is measured, with workers set up how."""

    device: str
    threads: int
    allocator: str
    wait_policy: str
    huge_pages: str


def worker_settings(config: Config) -> WorkerSettings:
    """How the workers of a task are set up. Validation has filled in the device's threads."""
    device = config.device
    if device.threads is None:
        raise TypeError("device.threads must be resolved before a task runs")
    return WorkerSettings(
        device.threads, device.allocator, device.wait_policy, device.name, device.huge_pages
    )


def device_settings_of(settings: WorkerSettings, threads: int | None = None) -> DeviceSettings:
    """The same as part of a cell, with another number of ``threads`` if one is given."""
    return DeviceSettings(
        device=settings.device,
        threads=threads or settings.threads,
        allocator=settings.allocator,
        wait_policy=settings.wait_policy,
        huge_pages=settings.huge_pages,
    )


def task_config(config: Config, kind: type[TaskT]) -> TaskT:
    """The configuration of a task of that kind, which is what its module is chosen by."""
    if not isinstance(config.task, kind):
        raise TypeError(f"task={config.task.name} was given to the task of a {kind.__name__}")
    return config.task


def timestamp() -> str:
    """Now, as records have it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
