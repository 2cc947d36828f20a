"""`bnbench compare`: two sessions, of one journal or of two, and what changed beyond the noise."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.analysis import session_comparison
from harness.cli.arguments import CompareFlags, compare_flags
from harness.cli.console import console
from harness.config import UsageError
from harness.config.disk_errors import is_folder
from harness.replay.session_contents import contents_of
from harness.report.terminal import comparison_table
from harness.store import Contents, Journal


def main(arguments: Sequence[str]) -> int:
    flags, before, after = _read(compare_flags(arguments))
    first, second = _sessions(flags, before, after)
    try:
        found = session_comparison.compare(
            before, first, after, second, margin=flags.margin, alpha=flags.alpha
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    console().print(comparison_table(found))
    differences = session_comparison.environment_differences(before, first, after, second)
    for key, (old, new) in differences.items():
        sys.stdout.write(f"the environments differ in {key}: {old} → {new}\n")
    return session_comparison.exit_status(found)


def _read(flags: CompareFlags) -> tuple[CompareFlags, Contents, Contents]:
    """What holds the session before and the one after: a journal, or the folder of its report, in
    whose place its name then stands.
    """
    folders = [word for word in flags.sessions if is_folder(word)]
    if not folders:
        before = Journal(flags.journal).read()
        after = Journal(flags.journal_after).read() if flags.journal_after else before
        return flags, before, after
    journals = flags.journal, flags.journal_after or flags.journal
    (first, before), (second, after) = (
        contents_of(Path(word)) if word in folders else (word, Journal(journal).read())
        for word, journal in zip(flags.sessions, journals, strict=True)
    )
    return replace(flags, sessions=[first, second]), before, after


def _sessions(flags: CompareFlags, before: Contents, after: Contents) -> tuple[str, str]:
    """Those that are named, or else the last two: of one journal, or the last one of each."""
    if flags.sessions:
        first, second = flags.sessions
        return first, second
    if after is before:
        known = list(before.sessions)
    else:
        known = [*list(before.sessions)[-1:], *list(after.sessions)[-1:]]
    if len(known) < 2:
        raise UsageError(
            f"two sessions are compared; the journal holds {', '.join(before.sessions) or 'none'}: "
            "bnbench compare BEFORE AFTER, or neither for the last two"
        )
    first, second = known[-2:]
    return first, second
