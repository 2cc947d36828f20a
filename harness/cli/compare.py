"""`bnbench compare`: two sessions, of one journal or of two, and what changed beyond the noise; or
two files of pytest-benchmark's, and what they cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness.analysis import session_comparison
from harness.analysis.arm_settings import arm_differences
from harness.analysis.completeness import Completeness, completeness
from harness.analysis.renaming import near_names
from harness.analysis.sessions import COMPARABLE, SessionState, session_state, session_states
from harness.analysis.stored_benchmarks import compare_stored
from harness.cli.arguments import CompareFlags, compare_flags
from harness.cli.console import console
from harness.cli.json_output import output_for, write_document
from harness.config import UsageError
from harness.config.disk_errors import is_folder, is_json_file
from harness.formatting import line
from harness.pytest_suites import InvalidResultsError, read_results
from harness.records import Plain
from harness.replay.session_contents import contents_of
from harness.report.completeness import completeness_sentences
from harness.report.machine_readable import compare_document, stored_document
from harness.report.terminal import comparison_table
from harness.report.terminal.stored_benchmarks import stored_sentences, stored_table
from harness.store import Contents, Journal


def main(arguments: Sequence[str]) -> int:
    flags = compare_flags(arguments)
    with output_for(json=flags.json) as output:
        files = bool(flags.sessions) and all(map(is_json_file, flags.sessions))
        made = _compared_files(*flags.sessions) if files else _compared(flags)
    if flags.json:
        write_document(made, output)
    return int(str(made["status"]))


def _compared(given: CompareFlags) -> dict[str, Plain]:
    """What was found, once it is printed."""
    flags, before, after = _read(given)
    first, second = _sessions(flags, before, after)
    try:
        found = session_comparison.compare(
            before, first, after, second, margin=flags.margin, alpha=flags.alpha
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    console().print(comparison_table(found))
    for old, new in near_names(found).items():
        _print(
            f"{old} is only in the session before, {new} only in the one after; if it was renamed, "
            "measure both under one name to compare them"
        )
    differences = session_comparison.environment_differences(before, first, after, second)
    for key, (old_value, new_value) in differences.items():
        _print(f"the environments differ in {key}: {old_value} → {new_value}")
    changed_arms = arm_differences(before.of_session(first), after.of_session(second))
    for name, changes in changed_arms.items():
        for key, (old_value, new_value) in changes.items():
            _print(f"the arm {name} differs in {key}: {old_value} → {new_value}")
            differences[f"arm {name}: {key}"] = old_value, new_value
    sessions = {first: before, second: after}
    places = _places(given)
    _print(f"before is {first} of {places[0]}, after is {second} of {places[1]}")
    facts = {session: completeness(contents, session) for session, contents in sessions.items()}
    doubts = [
        f"session {session}: {sentence}"
        for session, fact in facts.items()
        for sentence in _doubts(session_state(sessions[session], session), fact)
    ]
    for doubt in doubts:
        _print(doubt)
    status = session_comparison.exit_status(found, facts.values())
    named = {"before": first, "after": second}
    return compare_document(status, found, named, differences, doubts)


def _places(flags: CompareFlags) -> tuple[str, str]:
    """The journal, or the folder of a report, that each session was read from."""
    journals = flags.journal, flags.journal_after or flags.journal
    if not flags.sessions:
        return journals
    before, after = (
        word if is_folder(word) else journal
        for word, journal in zip(flags.sessions, journals, strict=True)
    )
    return before, after


def _compared_files(before: str, after: str) -> dict[str, Plain]:
    """Two of pytest-benchmark's, which decide nothing."""
    try:
        found = compare_stored(read_results(Path(before)), read_results(Path(after)))
    except InvalidResultsError as error:
        raise UsageError(str(error)) from error
    console().print(stored_table(found))
    for sentence in stored_sentences(found):
        _print(sentence)
    return stored_document(found)


def _doubts(state: SessionState, found: Completeness) -> Iterator[str]:
    """Why the session is less than a whole one."""
    if state is not SessionState.ENDED:
        yield f"it {state}"
    yield from completeness_sentences(found)


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
    """Those that are named, or else the last two with results: of one journal, or the last one of
    each.
    """
    if flags.sessions:
        known = list(flags.sessions)
    elif after is before:
        known = _last_sessions(before, 2)
    else:
        known = [*_last_sessions(before, 1), *_last_sessions(after, 1)]
    if len(known) != 2:
        raise UsageError(
            f"two sessions are compared; the journal holds {', '.join(before.sessions) or 'none'}: "
            "bnbench compare BEFORE AFTER, or neither for the last two"
        )
    first, second = known
    return first, second


def _last_sessions(contents: Contents, count: int) -> list[str]:
    """The last that can be compared; for any after them a message says why they are left out."""
    states = session_states(contents)
    chosen = [session for session, state in states.items() if state in COMPARABLE][-count:]
    for session in list(states)[-count:]:
        if states[session] not in COMPARABLE:
            _print(f"session {session} is left out: it {states[session]}")
    return chosen


def _print(text: str) -> None:
    """One line, however narrow the terminal."""
    shown = line(text, length=len(text))
    console().print(shown, markup=False, highlight=False, soft_wrap=True)
