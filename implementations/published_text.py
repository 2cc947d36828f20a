"""A text before anything stores or prints it: without user information and tokens in URIs, and
without characters that a terminal would obey.

Whatever stands between ``//`` and the last ``@`` is taken for user information, though a password
may hold characters that it must not: rather too much is taken out than a part of a password left.
"""

from __future__ import annotations

import re
from collections.abc import Callable

HIDDEN = "***"
_URI = re.compile(r"://\S+")  # without its scheme: no text, however long, takes long to search
_PATH = re.compile(r"[/?#]")
_TOKEN = re.compile(
    r"(?<=[?&;#])([\w.%-]{0,40}(?:auth|credential|key|pass|pwd|secret|sig|token)[\w.%-]{0,40}=)"
    r"([^&;\s\"']+)",
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
    """Of a URI that begins with ``://``."""
    user = _user_of(uri.removeprefix("://"))
    rest = uri[len("://") + len(user) :]
    public = f"://{stand_in(user) if user else ''}"
    return public + _TOKEN.sub(lambda token: token[1] + stand_in(token[2]), rest)


def _user_of(uri: str) -> str:
    """What stands before an @: with a password, which may hold anything, before the last of all;
    else before the last ahead of the path, which may hold an @ of its own.
    """
    authority = _PATH.split(uri, maxsplit=1)[0]
    has_password = ":" in authority
    return (uri if has_password else authority).rpartition("@")[0]


def visible(text: str) -> str:
    """The text with all that a terminal would obey, or could not show, written as its escape."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape", "surrogatepass").decode("ascii")
