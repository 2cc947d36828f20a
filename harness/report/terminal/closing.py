"""The tables that a session ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness import formatting
from harness.analysis.moderation import moderate
from harness.analysis.multiple_testing import correct_verdicts
from harness.analysis.sections import sections
from harness.analysis.selection import case_records
from harness.analysis.training_groups import training_groups
from harness.records import AnyRecord
from harness.report.arm_settings import arm_sentences
from harness.report.terminal import conformance, throughput, training

if TYPE_CHECKING:
    from rich.console import RenderableType


def closing_table(records: Sequence[AnyRecord]) -> RenderableType:
    """All of a session in at most 120 columns: what was not asked, cases passed, cells with their
    arms, trainings; failures by status; what labels stand for.
    """
    from rich.console import Group
    from rich.text import Text

    moderation = moderate(records)
    timed = sections(moderation.records)
    verdicts = correct_verdicts(moderation.records)
    about_arms = "\n".join(map(formatting.line, arm_sentences(records)))
    parts = [
        *conformance.unasked(case_records(records)),
        *conformance.tables(case_records(records)),
        *throughput.parts(timed, verdicts, moderation),
        *map(training.table, training_groups(records)),
        *([Text(f"{about_arms}\n")] if about_arms else []),
    ]
    return Group(*parts) if parts else Text("no records")
