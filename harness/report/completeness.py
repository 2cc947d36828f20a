"""What is missing, torn or borrowed of a session, in words that commands and pages share."""

from __future__ import annotations

from harness import formatting
from harness.analysis.completeness import Completeness


def completeness_sentences(found: Completeness, emphasis: str = "") -> list[str]:
    """The reasons why a session is less than it planned, or not all its own; none where there are
    none. ``emphasis`` surrounds the grave ones.
    """
    planned = formatting.counted(found.planned, "planned record")
    missing = f"{emphasis}{found.missing:,} of {planned} missing{emphasis}"
    jobs = formatting.counted(len(found.failures), "job")
    earlier = formatting.counted(found.earlier, "record")
    torn = formatting.counted(found.torn, "line")
    during = f"{emphasis}{found.torn_during:,} of them from while this session ran{emphasis}"
    sentences = {
        f"{missing}: the session was cut short; `resume=true` measures them.": found.missing,
        f"{emphasis}{jobs} could not be carried through.{emphasis}": found.failures,
        f"{earlier} measured by an earlier session.": found.earlier,
        f"{torn} of the journal torn by a kill or a full disk, and skipped"
        + (f"; {during}, so that it may lack records." if found.torn_during else "."): found.torn,
    }
    return [sentence for sentence, holds in sentences.items() if holds]
