"""A session: one command's life, from its first line in the journal to its exit status.

session            begin and close one
jobs               run its jobs: plan, measure, journal
command_life       jobs end with their command
exit_status        what the journal says of it in the end
progress           what a person sees meanwhile
tracking_attempts  MLflow, whose failures cost no measurement
"""

from harness.session.exit_status import exit_status, slower_is_failure
from harness.session.jobs import measure, run_job
from harness.session.session import Session, begin, close

__all__ = ["Session", "begin", "close", "exit_status", "measure", "run_job", "slower_is_failure"]
