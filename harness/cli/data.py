"""`bnbench data`: the data sets and where they are, or one of them brought here."""

from __future__ import annotations

from collections.abc import Sequence

from harness.cli.arguments import data_name
from harness.records import ExitStatus
from harness.report.terminal.datasets import show_datasets


def main(arguments: Sequence[str]) -> int:
    show_datasets(data_name(arguments))
    return ExitStatus.OK
