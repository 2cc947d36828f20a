"""MLflow, and nowhere else: a parent run a session, a child run a record.

Tracking is a copy for looking at. The journal is what results rest on, so every failure here is one
`TrackingError`, which the command line catches, warns of once, and goes on measuring. Nothing here
is called inside a timed section. MLflow itself is imported by the first call that needs it.
"""

from harness.tracking.links import latest_session, links, records_of
from harness.tracking.runs import RUN_FILE, fetch, log_artifacts, log_record
from harness.tracking.sessions import (
    PARENT_RUN,
    EndStatus,
    close_orphans,
    close_session,
    open_session,
)
from harness.tracking.store import TrackingError, experiment_name, from_variables, tracking_uri

__all__ = [
    "PARENT_RUN",
    "RUN_FILE",
    "EndStatus",
    "TrackingError",
    "close_orphans",
    "close_session",
    "experiment_name",
    "fetch",
    "from_variables",
    "latest_session",
    "links",
    "log_artifacts",
    "log_record",
    "open_session",
    "records_of",
    "tracking_uri",
]
