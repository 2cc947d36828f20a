"""A text before anything stores or prints it: without user information and tokens in URIs, and
without characters that a terminal would obey.

Whatever stands between ``//`` and the last ``@`` is taken for user information, though a password
may hold characters that it must not: rather too much is taken out than a part of a password left.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HIDDEN = "***"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
# With a password, which may hold anything, or without one: then a path may hold an @ of its own.
_USER = re.compile(r"(?<=://)(?:[^/?#@\s:]*:\S*|[^/?#\s]+)(?=@)")
_TOKEN = re.compile(
    r"(?<=[?&;#])([^=&\s]*(?:auth|credential|key|pass|pwd|secret|sig|token)[^=&\s]*=)([^&;\s\"']+)",
    re.IGNORECASE,
)


def without_credentials(text: str) -> str:
    """The text with ``***`` in the place of user information and tokens of all URIs in it."""
    return replace_credentials(text, lambda _: HIDDEN)


def replace_credentials(text: str, stand_in: Callable[[str], str]) -> str:
    """The text with what ``stand_in`` makes of each user information and token in it."""
    if "://" not in text:
        return text
    return _URI.sub(lambda found: _replaced(found[0], stand_in), text)


def _replaced(uri: str, stand_in: Callable[[str], str]) -> str:
    uri = _USER.sub(lambda user: stand_in(user[0]), uri, count=1)
    return _TOKEN.sub(lambda token: token[1] + stand_in(token[2]), uri)


def visible(text: str) -> str:
    """The text with all that a terminal would obey, or could not show, written as its escape."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
