"""Every job of a command is composed and planned before anything is written, so that what cannot be
done is refused at once, with the job named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console

from harness.config import Config, UsageError
from harness.config.composition import Composition, named
from harness.config.effects import refuse_without_effect
from harness.environment import Environment
from harness.tasks import task_of
from harness.timing.least_time import too_little_time
from implementations.lookups import looked_up_once

PATIENCE = 1.0  # seconds without a word; twice as long before each word after it


def plan_all(
    composition: Composition, overrides: Sequence[str], environment: Environment
) -> set[str]:
    """Plan each job, and tell how far that is when it takes more than a second, and whether the
    first that lacks it has too little time. Returns the names of the implementations that have a
    part in any.

    Raises ``UsageError`` for the first job that cannot be done as configured, and for an override
    without effect on any.
    """
    planned, warnings = set[str](), list[str]()
    with looked_up_once():
        refuse_without_effect(overrides, _planned(composition, environment, planned, warnings))
    for warning in warnings[:1]:
        Console(stderr=True).print(warning, markup=False, highlight=False, soft_wrap=True)
    return planned


def _planned(
    composition: Composition,
    environment: Environment,
    implementations: set[str],
    warnings: list[str],
) -> Iterator[Config]:
    """The configuration of each job, when it is planned, its implementations are noted, and what is
    to be told of it.
    """
    tell = _progress(composition.count)
    for done, job in enumerate(composition.jobs()):
        tell(done)
        try:
            plan = task_of(job.config).plan(job.config, environment)
        except UsageError as error:
            raise named(job.number, job.name, error) from error
        implementations.update(identity.implementation for identity in plan)
        if (warning := too_little_time(plan)) is not None:
            warnings.append(warning)
        yield job.config


def _progress(count: int) -> Callable[[int], None]:
    began, wait = time.monotonic(), PATIENCE

    def tell(done: int) -> None:
        nonlocal wait
        waited = time.monotonic() - began
        if waited > wait:
            wait = 2 * waited
            Console(stderr=True).print(f"planned {done:,} of {count:,} jobs", highlight=False)

    return tell
