"""Credentials kept in environment variables, to which a configuration refers: the processes of jobs
inherit them, and no file has them.
"""

from __future__ import annotations

import os
from itertools import count

from implementations.published_text import replace_credentials

PREFIX = "BNBENCH_CREDENTIALS_"


def hidden(text: str) -> str:
    """The text with references in the place of the credentials of all URIs in it."""
    return replace_credentials(text, _reference)


def _reference(credentials: str) -> str:
    if credentials.startswith(f"${{oc.env:{PREFIX}"):
        return credentials
    return f"${{oc.env:{_variable(credentials)}}}"


def _variable(credentials: str) -> str:
    """The variable that holds these, set if there is none."""
    names = (f"{PREFIX}{number}" for number in count())
    return next(name for name in names if os.environ.setdefault(name, credentials) == credentials)
