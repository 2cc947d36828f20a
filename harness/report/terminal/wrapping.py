"""Text in lines of at most so many columns, broken where that does no harm."""

from __future__ import annotations

import re
from enum import Enum

SHORT_NAME = 20  # characters; a name of so few is never broken


class Breaks(Enum):
    """Where an entry may be broken into lines: the pattern matches what stays together."""

    NEVER = r".+"
    WORDS = r"\S+\s*"
    COMMAS = r"[^,]+,?\s*"
    NAMES = r"[^./(),=_\s-]+[./(),=_\s-]*|[./(),=_\s-]+"
    RATIOS = r"(?:[<>] )?\[[^\]]*\]\S*\s*|(?:[<>] )?\S+\s*"


def wrapped(text: str, width: int, breaks: Breaks) -> list[str]:
    """The text in lines of at most ``width``; what must stay together and is longer is cut."""
    lines = []
    for given in text.split("\n"):
        line = ""
        for piece in pieces_of(given, breaks):
            if line and display_width(f"{line}{piece}") > width:
                lines.append(line.rstrip())
                line = ""
            line += piece
            while display_width(line) > width:
                lines.append(line[:width])
                line = line[width:]
        lines.append(line.rstrip())
    return lines


def pieces_of(text: str, breaks: Breaks) -> list[str]:
    if breaks is Breaks.NAMES and len(text) <= SHORT_NAME:
        return [text]
    return re.findall(breaks.value, text)


def display_width(text: str) -> int:
    """How many columns of a terminal the text takes, without spaces at its end."""
    from rich.cells import cell_len

    return cell_len(text.rstrip())
