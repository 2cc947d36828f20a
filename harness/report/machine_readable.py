"""What commands say with ``--json``: one document on standard output, whose form has a version.

Schema history. 1: ``schema``, ``command``, ``status`` (the exit status), and what the command
found, documented in GATING.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from harness.records import ExitStatus, Plain, to_plain

SCHEMA = 1


def document(command: str, status: ExitStatus, found: Mapping[str, object]) -> dict[str, Plain]:
    """``found`` may hold dataclasses."""
    begun: dict[str, Plain] = {"schema": SCHEMA, "command": command, "status": int(status)}
    return begun | {key: to_plain(value) for key, value in found.items()}


def to_text(made: Mapping[str, Plain]) -> str:
    return json.dumps(made, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
