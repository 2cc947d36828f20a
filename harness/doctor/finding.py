"""One thing that the doctor found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "notice", "bad"]


@dataclass(frozen=True)
class Finding:
    """What was found about ``subject``.

    "bad": figures taken now are not to be trusted, or a part of the standard work cannot be done.
    "notice": know it when reading the figures. Whatever is not good has a remedy.
    """

    subject: str
    state: State
    said: str
    remedy: str | None = None

    def __post_init__(self) -> None:
        if (self.state == "good") != (self.remedy is None):
            raise ValueError(
                f"a finding that is {self.state} {'has no' if self.state == 'good' else 'needs a'} "
                "remedy"
            )


def good(subject: str, said: str) -> Finding:
    return Finding(subject, "good", said)


def notice(subject: str, said: str, remedy: str) -> Finding:
    return Finding(subject, "notice", said, remedy)


def bad(subject: str, said: str, remedy: str) -> Finding:
    return Finding(subject, "bad", said, remedy)
