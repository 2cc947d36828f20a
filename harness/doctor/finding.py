"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "notice", "bad"]


@dataclass(frozen=True)
class Finding:
    """What was found about ``subject``. Whatever is not good has a remedy.

    "bad": figures taken now cannot be trusted, or a part of the standard work cannot be done.
    "notice": keep it in mind when reading the figures.
    """

    subject: str
    state: State
    message: str
    remedy: str | None = None

    def __post_init__(self) -> None:
        if (self.state == "good") != (self.remedy is None):
            raise ValueError(
                f"a finding that is {self.state} {'has no' if self.state == 'good' else 'needs a'} "
                "remedy"
            )


def good(subject: str, message: str) -> Finding:
    return Finding(subject, "good", message)


def notice(subject: str, message: str, remedy: str) -> Finding:
    return Finding(subject, "notice", message, remedy)


def bad(subject: str, message: str, remedy: str) -> Finding:
    return Finding(subject, "bad", message, remedy)
