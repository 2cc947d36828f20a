"""What tests of timing share."""

from __future__ import annotations

import pytest

from harness.timing import conditions


@pytest.fixture
def calm_machine(monkeypatch):
    """Counters that never move, where launches are made up and the machine they run on is not."""
    reading = conditions.read([])
    monkeypatch.setattr(conditions, "read", lambda _: reading)
