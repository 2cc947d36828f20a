"""A session: one command's life, from its first line in the journal to its report.

session            begin and close one
jobs               run its jobs: plan, measure, journal
closing            report, files, closing table and exit status
export             results as plain files
progress           what a person sees meanwhile
tracking_attempts  MLflow, whose failures cost no measurement
"""

from harness.session.closing import exit_status, finish
from harness.session.jobs import measure, run_job
from harness.session.session import Session, begin, close

__all__ = ["Session", "begin", "close", "exit_status", "finish", "measure", "run_job"]
