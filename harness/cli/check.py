"""`bnbench check`: is an implementation right?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.analysis.completeness import completeness
from harness.analysis.rerun_command import target_of
from harness.analysis.selection import case_records
from harness.cli import run
from harness.cli.json_output import output_for, write_document
from harness.config.effects import key_of
from harness.config.usage import UsageError
from harness.records import ExitStatus, Plain
from harness.report.completeness import completeness_sentences
from harness.report.machine_readable import check_document
from harness.session import Session
from harness.store import Journal
from implementations.entry_points import name_fault

THOROUGH, JSON = "--thorough", "--json"
DOTTED = re.compile(r"[\w.]*\.[\w.]*")
WITH_ARGUMENTS = re.compile(r"[\w.]+\(.*\)", re.DOTALL)  # as records and tables name a target


def main(arguments: Sequence[str]) -> int:
    """`run task=conformance` for the named implementations, with every case if ``--thorough``."""
    names = [word for word in arguments if _is_name(word)]
    if not names:
        raise UsageError(
            "which implementation? bnbench check NAME, with a NAME that `bnbench list` shows, "
            "or package.module.Class"
        )
    others = [word for word in arguments if word not in {*names, JSON}]
    for word in others:
        _refuse_contradiction(word, others)
    listed = ",".join(map(_item, names))
    rest = ["task.thorough=true" if word == THOROUGH else word for word in others]
    words = ["task=conformance", f"implementations=[{listed}]", *rest]
    if JSON not in arguments:
        return run.main(words)
    with output_for(json=True) as output:
        outcome = run.carry_out(words)
    if outcome.session is not None:
        write_document(_document(outcome.session, ExitStatus(outcome.status)), output)
    return outcome.status


def _document(session: Session, status: ExitStatus) -> dict[str, Plain]:
    contents = Journal(session.config.journal).read()
    records = case_records(contents.of_session(session.id))
    doubts = completeness_sentences(completeness(contents, session.id))
    return check_document(status, session.id, records, doubts)


def _is_name(word: str) -> bool:
    mapping = word.startswith("{") or WITH_ARGUMENTS.fullmatch(word) is not None
    return mapping or ("=" not in word and not word.startswith(("-", "~", "+")))


def _item(name: str) -> str:
    """An item of the list of implementations, as Hydra reads it."""
    if name.startswith("{") or name_fault(name) is None:
        return name
    if WITH_ARGUMENTS.fullmatch(name) or DOTTED.fullmatch(name):
        return target_of(name)
    escaped = name.replace("'", "\\'")
    return f"'{escaped}'"


def _refuse_contradiction(word: str, words: Sequence[str]) -> None:
    key = key_of(word)
    if key == "implementations":
        raise UsageError(
            f"{word} contradicts check, which takes implementations as words: bnbench check NAME"
        )
    if key in {"task", "task.name"}:
        raise UsageError(
            f"{word} contradicts check, which is task=conformance; leave it out, or use bnbench run"
        )
    if key == "task.thorough" and THOROUGH in words:
        raise UsageError(f"{word} and {THOROUGH} are the same; give one of them")
