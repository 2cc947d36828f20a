"""From the name of a run to the outcome of its replay: find it, see that all of it can be run, run
it, compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.analysis.completeness import Completeness
from harness.config import UsageError, composition
from harness.config.disk_errors import CutShortError, disk_trouble
from harness.config.effects import OF_A_GATE, refuse_keys_of_a_gate, refuse_without_effect
from harness.environment import capture
from harness.records import TrainingCell
from harness.replay.levels import Level, level_of
from harness.replay.recorded_runs import Original, find
from harness.replay.rerun import jobs
from harness.replay.verdicts import Replay, compare_pairs
from harness.session import begin, close
from harness.tracking import EndStatus

GROUPS = ("task", "problem", "device", "experiment")


def replay(
    run: str,
    level: str | None,
    overrides: Sequence[str],
    command: list[str],
    announce: Callable[[Completeness], None],
) -> list[Replay]:
    """Run every record of ``run`` again in a session of its own. ``level`` None is each task's own.

    Of the ``overrides``, those of the session (results, journal, report, tracking) say where the
    run is found and where its replay goes; the others change the replay on purpose. Raises
    ``UsageError``.
    """
    composition.register()
    session_overrides, changes = _split(overrides)
    refuse_keys_of_a_gate(session_overrides, (*OF_A_GATE, "gate.fail_if"))
    here = composition.composed(session_overrides, multirun=False).first
    originals = find(run, here, announce)
    levels = _levels(originals, level, run)
    environment = capture()
    # What cannot be run again is refused before anything is run.
    todo = jobs(originals, changes, here, environment)
    refuse_without_effect(changes, [job.config for job in todo])
    session = begin(here, command)
    end: EndStatus = "KILLED"
    try:
        pairs = [pair for job in todo for pair in job.run(session.id, environment)]
        end = "FINISHED"
    except OSError as error:
        raise CutShortError(f"{disk_trouble(error)}; then replay it anew") from error
    finally:
        close(session, end)
    replays: list[Replay] = []
    for task, of_task in levels.items():
        replays += compare_pairs([pair for pair in pairs if pair[0].record.task == task], of_task)
    return replays


def _split(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Those that say where results are, and those that change the replay."""
    session_overrides: list[str] = []
    changes: list[str] = []
    for word in overrides:
        key = word.partition("=")[0]
        if key in GROUPS:
            raise UsageError(
                f"{word}: a replay changes keys of what was recorded, one by one, as task.steps=10 "
                "does"
            )
        if key == "resume":
            raise UsageError(f"{word} has no effect: a replay runs everything again; leave it out")
        of_session = key.partition(".")[0] in composition.OF_THE_SESSION
        (session_overrides if of_session else changes).append(word)
    return session_overrides, changes


def _levels(originals: Sequence[Original], level: str | None, run: str) -> dict[str, Level]:
    """The level of each task."""
    tasks = dict.fromkeys(original.record.task for original in originals)
    levels = {task: level_of(task, level) for task in tasks}
    if levels.get(TrainingCell.TASK) is Level.STATISTICAL and len(originals) == 1:
        raise UsageError(
            f"--level statistical is of several seeds, and {run} is one; give its session, or "
            "the session's folder"
        )
    return levels
