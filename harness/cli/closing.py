"""The end of a run: report, files and closing table, all read back from the journal."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from harness import tracking
from harness.analysis.completeness import completeness
from harness.analysis.moderation import moderated_figures
from harness.analysis.slower_arms import slower_records
from harness.config import Config
from harness.config.disk_errors import disk_trouble
from harness.config.overrides import assignment
from harness.config.shell import shell_command
from harness.formatting import counted, line
from harness.records import AnyRecord, ExitStatus, ThroughputRecord
from harness.session import Session, exit_status, slower_is_failure
from harness.session.tracking_attempts import attempt, attempt_until_done
from harness.store import Contents, Journal
from harness.store.export import export
from implementations.published_text import visible

REASON_LENGTH = 1000  # characters; the journal holds all of it


Show = Callable[[Console, Sequence[AnyRecord]], None]


def finish_run(session: Session) -> int:
    """As `finish`, with the closing table and the reasons. Returns the exit status."""
    written = finish(session, _show_table)
    contents = Journal(session.config.journal).read()
    if slower_is_failure(contents, session.id):
        _print_slower(slower_records(contents.of_session(session.id)))
    return exit_status(contents, session.id) if written else ExitStatus.FAILED


def finish(session: Session, show: Show) -> bool:
    """Show the results, write the report and the files, say where things are. Whether the files
    could be written.
    """
    from harness.cli.console import console as stdout

    contents = Journal(session.config.journal).read()
    console = stdout()
    records, written = contents.of_session(session.id), True
    show(console, records)
    if records:
        written = _try_to_write(session, contents, console)
    _print_missing(contents, session.id, console)
    if session.parent_run:
        _print_links(session, session.parent_run, console)
    return written


def _show_table(console: Console, records: Sequence[AnyRecord]) -> None:
    from harness.report.terminal import closing_table

    if records:
        console.print(closing_table(records))
        _print_reasons(records, console)


def _try_to_write(session: Session, contents: Contents, console: Console) -> bool:
    """Whether the report and the files could be written; if not, it says why."""
    try:
        path = _write_results(session, contents)
    except OSError as error:
        sys.stderr.write(
            f"the report is not written: {disk_trouble(error, session.folder)}. All records are in "
            "the journal; the same command with resume=true writes it.\n"
        )
        return False
    console.print(f"report   {visible(str(path))}", soft_wrap=True, highlight=False, markup=False)
    return True


def _write_results(session: Session, contents: Contents) -> Path:
    """The report's path, once all files are there."""
    from harness import report
    from harness.report.terminal import WIDTH, closing_table

    records = contents.of_session(session.id)
    path = report.write(contents, session.id, session.folder)
    started = contents.sessions[session.id]
    export(
        records,
        session.folder,
        config=_yaml(started.config),
        environment=started.environment,
        jobs=contents.plans_of(session.id),
        moderated=moderated_figures(records),
    )
    path_of_table = session.folder / "table.txt"
    with path_of_table.open("w", encoding="utf-8", errors="backslashreplace") as file:
        Console(file=file, width=WIDTH).print(closing_table(records))
    return path


def _print_reasons(records: Sequence[AnyRecord], console: Console) -> None:
    """Why what is not OK is not and, on a line of its own so that it can be copied, the command
    that repeats it.
    """
    from harness.report.terminal import reasons

    for sentence, command in reasons(records):
        console.print(sentence, markup=False, highlight=False)
        if command is not None:
            console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


def _print_slower(slower: Sequence[ThroughputRecord]) -> None:
    """Why a run that had no failure ends with status 1."""
    cells = Counter(record.implementation for record in slower)
    for name, count in cells.items():
        where = counted(count, "cell")
        sys.stderr.write(f"{visible(name)} is SLOWER in {where}: gate.fail_if=slower\n")


def _print_missing(contents: Contents, session: str, console: Console) -> None:
    from harness.report.completeness import completeness_sentences

    found = completeness(contents, session)
    for sentence in completeness_sentences(found):
        console.print(
            sentence, markup=False, highlight=False, style=None if found.complete else "red"
        )
    for failure in found.failures:
        job, reason = escape(line(failure.job)), escape(line(failure.reason, REASON_LENGTH))
        console.print(f"[red]job {job}:[/] {reason}")


def _print_links(session: Session, parent_run: str, console: Console) -> None:
    attempt_until_done(partial(tracking.log_artifacts, session.config, parent_run, session.folder))
    results = session.config.results
    elsewhere = [] if results == Config.results else [assignment("results", results)]
    words = ["bnbench", "ui", *elsewhere]
    console.print(
        f"tracking {shell_command(words)}, and then", markup=False, highlight=False, soft_wrap=True
    )
    links = attempt(partial(tracking.links, session.config, parent_run, {}))
    for title, address in links or []:
        text = visible(f"{address}  {title}")
        console.print(f"         {text}", markup=False, highlight=False, soft_wrap=True)


def _yaml(config: Mapping[str, object]) -> str:
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))
