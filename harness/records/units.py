"""Units as types, so that the type checker finds milliseconds handed to what takes bytes.

Arithmetic makes plain numbers of them: whoever computes a time says again that it is one.
"""

from __future__ import annotations

from typing import NewType

Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)
