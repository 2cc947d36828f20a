"""What becomes of an arm that fails in a launch."""

from __future__ import annotations

from harness.records import Status


class ArmFailed(Exception):  # noqa: N818 -- an event that becomes a record
    """An arm refused, crashed, hung, or computed something wrong, and is out of this cell.

    ``died`` says that its process died with it, and with that the arms beside it.
    """

    def __init__(self, arm: str, status: Status, reason: str, *, died: bool = False) -> None:
        super().__init__(f"{arm}: {status}: {reason}")
        self.arm, self.status, self.reason, self.died = arm, status, reason, died
