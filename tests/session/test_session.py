"""A session's exit status is the journal's: what failed, what is missing, and what proves
nothing.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.cli import closing
from harness.records import CANARY, CaseRecord, Status
from harness.session import exit_status
from harness.session.progress import ProgressDisplay
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, case, cell, throughput

OK, MISTRUSTED = case("numpy", "data/0"), case("numpy", "data/1", mistrusted=["output"])
WRONG, DECLARED = (
    case("numpy", "data/2", Status.WRONG),
    case("numpy", "data/3", Status.WRONG, explanation="known"),
)
REFUSED = case("numpy", "data/4", Status.UNSUPPORTED)
UNASKED = case("numpy", "laws/shift", Status.UNSUPPORTED)


@pytest.mark.parametrize(("fail_if", "status"), [(None, 0), ("slower", 1)])
def test_a_run_fails_where_an_arm_is_slower_only_if_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_if: str | None, status: int
) -> None:
    monkeypatch.setitem(synthetic.CONFIG, "gate", {"fail_if": fail_if})
    slower = throughput(cell(), {BASELINE: 1.0, CANARY: 1.0, "numpy": 2.0})
    assert exit_status(synthetic.journal(tmp_path, slower), "s1") == status


def test_what_is_faster_or_the_same_or_the_baseline_again_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(synthetic.CONFIG, "gate", {"fail_if": "slower"})
    records = throughput(cell(), {BASELINE: 1.0, CANARY: 2.0, "numpy": 0.5, "other": 1.0})
    assert exit_status(synthetic.journal(tmp_path, records), "s1") == 0


@pytest.mark.parametrize(
    ("records", "status"),
    [
        ([OK], 0),
        ([OK, REFUSED], 0),
        ([OK, WRONG], 1),
        ([OK, DECLARED], 0),
        ([OK, MISTRUSTED], 0),
        ([DECLARED], 0),
        ([DECLARED, WRONG], 1),
        ([MISTRUSTED], 3),
        ([MISTRUSTED, REFUSED], 3),
        ([REFUSED], 3),
        ([OK, UNASKED], 3),
        ([WRONG, UNASKED], 1),
    ],
)
def test_only_what_is_not_documented_fails_a_session_and_only_what_is_decided_passes_it(
    tmp_path: Path, records: Sequence[CaseRecord], status: int
) -> None:
    assert exit_status(synthetic.journal(tmp_path, records), "s1") == status


@pytest.mark.parametrize(
    ("records", "doubt", "status"),
    [
        ([OK], {"missing": ["feedfacefeedface"]}, 3),
        ([OK, WRONG], {"missing": ["feedfacefeedface"]}, 1),
        ([OK], {"torn": True}, 3),
        ([OK], {"failure": "no such problem"}, 1),
    ],
)
def test_what_is_missing_or_torn_decides_nothing_unless_something_failed(
    tmp_path: Path, records: Sequence[CaseRecord], doubt: dict[str, Any], status: int
) -> None:
    assert exit_status(synthetic.journal(tmp_path, records, **doubt), "s1") == status


def test_a_command_to_repeat_is_one_line_however_narrow_the_terminal(tmp_path: Path) -> None:
    console = Console(width=40, file=io.StringIO())
    closing._print_reasons([case("numpy", "data/[a long name of a case]", Status.WRONG)], console)
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert (
        "\n  bnbench check numpy 'task.cases=\"data/[a long name of a case]\"' "
        "device.threads=2\n" in output
    )


def test_a_failure_is_told_at_once_and_once_and_a_documented_deviation_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressDisplay("conformance", 40) as display:
        for record in (OK, OK, WRONG, WRONG, DECLARED):
            display.record(record)
    output = capsys.readouterr().err
    assert output.count("WRONG") == 1
    assert f"numpy: WRONG in data/2: {synthetic.FAILURES[Status.WRONG]}" in " ".join(output.split())
