"""The page of a gate's self-test."""

from __future__ import annotations

from harness.formatting import columns
from harness.gate.self_test import SelfTest
from harness.report.gate_self_test import header, rows, sentences


def self_test_page(found: SelfTest, figure: str) -> str:
    """``figure`` is the picture beside the page."""
    names = header(found)
    table = columns(names, rows(found), range(len(names)))
    texts = "\n\n".join(sentences(found))
    return (
        "# What a gate finds on this machine, by its budget\n\n"
        f"{texts}\n\n{table}\n\n![Power and false alarms against budget]({figure})\n"
    )
