"""The table of a gate's self-test, by which to choose a budget."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from harness.gate.self_test import SelfTest
from harness.report.gate_self_test import header, rows, sentences


def print_self_test(console: Console, found: SelfTest) -> None:
    table = Table(*header(found), title="what a gate finds here, by its budget")
    for row in rows(found):
        table.add_row(*row)
    console.print(table)
    for sentence in sentences(found):
        console.print(sentence, highlight=False, markup=False)
