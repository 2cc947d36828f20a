"""Committed sessions, of the first schema and of later ones, are reported as they were then, but
for the intervals of those from before intervals were moderated.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.analysis.moderation import moderate
from harness.analysis.ratios import ratio_to_baseline
from harness.analysis.selection import throughput_records
from harness.formatting import bounded
from harness.records import CANARY, record_from_plain
from tests.helpers.old_records import journal_of_lines
from tests.helpers.pages import report_of

REPORTS = Path(__file__).parents[3] / "reports"
SESSIONS = sorted(path.parent for path in REPORTS.rglob("records.jsonl"))


INTERVALS = re.compile(r" \[[^]]*\]|, MDE [^<|]*(?=[<|])")


def rows_with_intervals(report: str) -> list[str]:
    """The rows of tables that compare: they hold a ratio and its interval."""
    return [line for line in report.splitlines() if line.startswith("| ") and " [" in line]


def test_there_are_sessions_of_the_first_schema_among_them() -> None:
    first_lines = [
        (session / "records.jsonl").read_text().split("\n", 1)[0] for session in SESSIONS
    ]
    assert {json.loads(line)["schema"] for line in first_lines} >= {1, 3}


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: str(path.relative_to(REPORTS)))
def test_each_ratio_of_a_committed_report_comes_out_again(session: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (session / "records.jsonl").read_text().splitlines()]
    committed = (session / "report.md").read_text(encoding="utf-8")
    expected = rows_with_intervals(committed)
    assert expected
    report = report_of(journal_of_lines(tmp_path / "journal", lines), tmp_path)
    found = rows_with_intervals(report)
    assert {INTERVALS.sub("", row) for row in expected} <= {INTERVALS.sub("", row) for row in found}
    records = list(throughput_records(map(record_from_plain, lines)))
    moderated = "the noise of the session's other cells" in committed
    for record in throughput_records(moderate(records).records) if moderated else records:
        ratio = ratio_to_baseline(record)
        assert ratio is None or record.implementation == CANARY or bounded(ratio) in committed
