"""Running a recorded measurement again in fresh processes, and whether it comes out the same.

recorded_runs        find what a run was: record, configuration, environment
session_files        read the files that a session left
rerun                measure it once more, by the same task
running              all of these in turn
levels               what "the same" means
outcomes             what a replay can come to
verdicts             what it came to: the same, or the first difference
ratio_comparison     two measurements of a speed
training_comparison  two trainings, or all seeds of an arm together
"""

from harness.replay.levels import Level
from harness.replay.outcomes import Outcome
from harness.replay.verdicts import Replay, exit_status

__all__ = ["Level", "Outcome", "Replay", "exit_status"]
