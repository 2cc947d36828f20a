"""GATING.md tells of every key, outcome and field that there is, and links to what exists."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from harness.analysis.gate_counts import GateCount
from harness.analysis.gate_facts import GateCell, GateFacts, GateTree
from harness.analysis.gate_outcomes import GateOutcome, GateVerdict
from harness.config import GateConfig
from harness.instruction_counts import CountChange, Counts
from harness.report.machine_readable import SCHEMA, CheckedCase, ComparedArm, ReplayedRecord

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "GATING.md").read_text()
DOCUMENTED = (
    GateFacts,
    GateTree,
    GateCell,
    GateCount,
    CountChange,
    Counts,
    ComparedArm,
    ReplayedRecord,
    CheckedCase,
)


@pytest.mark.parametrize("kind", DOCUMENTED, ids=lambda kind: kind.__name__)
def test_every_field_of_a_document_is_named(kind):
    assert [each.name for each in fields(kind) if f"`{each.name}`" not in PAGE] == []
    assert f"`schema`, the version of this form, which is {SCHEMA}" in PAGE


def test_every_key_of_a_gate_is_explained():
    own = [each.name for each in fields(GateConfig) if each.name != "fail_if"]  # it is of a run
    assert [name for name in own if f"| `gate.{name}` |" not in PAGE] == []
    assert "gate.fail_if=slower" in (ROOT / "README.md").read_text()


def test_every_outcome_and_verdict_is_explained():
    words = [*GateOutcome, *GateVerdict]
    assert [str(word) for word in words if f"`{word}`" not in PAGE] == []


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\(\s*([^)#:\s]+)", PAGE)
    assert len(links) > 3
    assert [link for link in links if not (ROOT / link).exists()] == []
