"""From the name of a run to what its replay came to: find it, see that all of it can be run, run
it, judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.config import UsageError, composition
from harness.environment import capture
from harness.replay.judging import Level, Replay, judged, level_of
from harness.replay.recorded_runs import find
from harness.replay.rerun import jobs
from harness.session import lifecycle

GROUPS = ("task", "problem", "device", "experiment")


def replay(
    run: str,
    level: str | None,
    overrides: Sequence[str],
    command: list[str],
    announce: Callable[[str], None],
) -> list[Replay]:
    """Run every record of ``run`` again in a session of its own. ``level`` None is each task's own.

    Of the ``overrides``, those of the place (results, journal, report, tracking) say where the run
    is found and its replay goes; the others change the replay on purpose. Raises ``UsageError``.
    """
    composition.register()
    place = [
        word
        for word in overrides
        if word.partition("=")[0].partition(".")[0] in composition.OF_THE_SESSION
    ]
    changes = [word for word in overrides if word not in place]
    for word in changes:
        if word.partition("=")[0] in GROUPS:
            raise UsageError(
                f"{word}: a replay changes keys of what was recorded, one by one, as task.steps=10 "
                "does"
            )
    here = composition.composed(place).configs[0]
    originals = find(run, here, announce)
    levels = {
        task: level_of(task, level)
        for task in dict.fromkeys(original.record.task for original in originals)
    }
    if levels.get("convergence") is Level.STATISTICAL and len(originals) == 1:
        raise UsageError(
            f"--level statistical is of several seeds, and {run} is one; give its session, or "
            "the session's folder"
        )
    environment = capture()
    # what cannot be run again is told before anything is run
    todo = jobs(originals, changes, here, environment)
    begun, end = lifecycle.begin(here, command), "KILLED"
    try:
        pairs = [pair for job in todo for pair in job.run(begun.id, environment)]
        end = "FINISHED"
    finally:
        lifecycle.close(begun, end)  # type: ignore[arg-type]  # one of the two that it takes
    return [
        found
        for task, named in levels.items()
        for found in judged([pair for pair in pairs if pair[0].record.task == task], named)
    ]
