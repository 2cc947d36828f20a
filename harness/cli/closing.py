"""The end of a run: report, files and closing table, all read back from the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape

from harness import tracking
from harness.analysis.completeness import completeness
from harness.config import Config
from harness.config.overrides import assignment
from harness.config.shell import shell_command
from harness.formatting import line
from harness.records import AnyRecord
from harness.session import Session, exit_status
from harness.session.tracking_attempts import attempt
from harness.store import Contents, Journal
from harness.store.export import export
from implementations.published_text import visible

REASON_LENGTH = 1000  # characters; the journal holds all of it


def finish(session: Session) -> int:
    """Write the report and the files, print the closing table and where things are.

    Returns the exit status.
    """
    from harness.cli.console import console as stdout

    contents = Journal(session.config.journal).read()
    console = stdout()
    if contents.of_session(session.id):
        _write_results(session, contents, console)
    _print_missing(contents, session.id, console)
    if session.parent_run:
        _print_links(session, session.parent_run, console)
    return exit_status(contents, session.id)


def _write_results(session: Session, contents: Contents, console: Console) -> None:
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
    )
    table = closing_table(records)
    path_of_table = session.folder / "table.txt"
    with path_of_table.open("w", encoding="utf-8", errors="backslashreplace") as file:
        Console(file=file, width=WIDTH).print(table)
    console.print(table)
    _print_reasons(records, console)
    console.print(f"report   {visible(str(path))}", markup=False, highlight=False, soft_wrap=True)


def _print_reasons(records: Sequence[AnyRecord], console: Console) -> None:
    """Why what is not OK is not and, on a line of its own so that it can be copied, the command
    that repeats it.
    """
    from harness.report.terminal import reasons

    for sentence, command in reasons(records):
        console.print(sentence, markup=False, highlight=False)
        if command is not None:
            console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


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
    attempt(partial(tracking.log_artifacts, session.config, parent_run, session.folder))
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
