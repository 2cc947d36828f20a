"""Whatever reaches `main`, in one or two sentences and with its exit status: the only place that
words what no command has worded itself.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from harness.config.disk_errors import CutShortError, disk_trouble
from harness.config.usage import UsageError, shortened
from harness.records import ExitStatus, NewerSchemaError
from implementations.published_text import without_credentials

TRACEBACK = "BNBENCH_TRACEBACK"  # an environment variable: show where an error comes from
LONGEST = 2000  # characters of a message


def message_of(error: Exception) -> tuple[str, ExitStatus]:
    """What to say of an error, without credentials, and the exit status that it ends with."""
    message, status = _worded(error)
    return without_credentials(message), status


def _worded(error: Exception) -> tuple[str, ExitStatus]:
    if _is_usage(error):
        return shortened(str(error), LONGEST), ExitStatus.USAGE
    if isinstance(error, CutShortError):
        return str(error), ExitStatus.FAILED
    if isinstance(error, OSError):
        # a file that was named cannot be used as asked; an error without a name is the output's
        named = error.filename is not None
        trouble = disk_trouble(error, "standard output")
        return trouble, ExitStatus.USAGE if named else ExitStatus.FAILED
    if isinstance(error, MemoryError):
        return "there is not enough memory; make the problem smaller", ExitStatus.FAILED
    return _fault(error), ExitStatus.FAILED


def _is_usage(error: Exception) -> bool:
    if isinstance(error, UsageError | NewerSchemaError):
        return True
    # What raises a TrackingError has imported it; importing it here would cost every command time.
    tracking = sys.modules.get("harness.tracking")
    return tracking is not None and isinstance(error, tracking.TrackingError)


def _fault(error: Exception) -> str:
    """An error that nobody has foreseen, and where it arose."""
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return (
        f"{shortened(f'{type(error).__name__}: {error}', LONGEST)}{where}; this is a fault of "
        f"bnbench, please report it with what {TRACEBACK}=1 shows"
    )
