"""Running a recorded measurement again in fresh processes, and saying whether it came out the same.

originals  find what a run was: record, configuration, environment
again      measure it once more, by the same task
running    all of these in turn
judging    the same, or the first difference
"""

from harness.replay.judging import Level, Replay, exit_status
from harness.replay.outcomes import Outcome

__all__ = ["Level", "Outcome", "Replay", "exit_status"]
