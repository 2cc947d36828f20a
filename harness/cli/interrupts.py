"""A command that is asked to end, by Ctrl-C or SIGTERM, ends its session in good order."""

from __future__ import annotations

import signal
from typing import NoReturn


def end_as_by_ctrl_c() -> None:
    """Have SIGTERM do what Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
