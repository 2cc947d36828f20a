"""Columns of the tables that a session is exported to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.records import Plain

if TYPE_CHECKING:
    import pyarrow as pa


def column(values: Sequence[Plain]) -> pa.Array:
    """The values with the type that fits them all, or as JSON where none does."""
    import pyarrow as pa

    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):  # also lone surrogates
        return pa.array([None if value is None else json.dumps(value) for value in values])
