"""The end of a run: report, files and closing table, all read back from the journal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial

from rich.console import Console
from rich.markup import escape

from harness import tracking
from harness.config import Config
from harness.records import AnyRecord
from harness.session import Session, exit_status
from harness.session.tracking_attempts import attempt, attempt_until_done
from harness.store import Contents, Journal
from harness.store.export import export


def finish(session: Session) -> int:
    """Write the report and the files, print the closing table and where things are.

    Returns the exit status.
    """
    from harness.report.terminal import WIDTH

    contents = Journal(session.config.journal).read()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
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
    with (session.folder / "table.txt").open("w", encoding="utf-8") as file:
        Console(file=file, width=WIDTH).print(table)
    console.print(table)
    _print_reasons(records, console)
    console.print(f"report   {path}", soft_wrap=True, highlight=False)


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
    missing = len(contents.missing(session))
    if missing:
        console.print(
            f"[red]{missing} planned records are missing[/]; rerun the same command with "
            "resume=true to make them"
        )
    for failure in contents.failures_of(session):
        console.print(f"[red]job {failure.job}:[/] {escape(failure.reason)}")
    if contents.torn:
        console.print(f"{contents.torn} unreadable lines of the journal were skipped")


def _print_links(session: Session, parent_run: str, console: Console) -> None:
    attempt_until_done(partial(tracking.log_artifacts, session.config, parent_run, session.folder))
    results = session.config.results
    elsewhere = "" if results == Config.results else f" results={results}"
    console.print(f"tracking bnbench ui{elsewhere}, and then", highlight=False)
    links = attempt(partial(tracking.links, session.config, parent_run, {}))
    for title, address in links or []:
        console.print(f"         {address}  {title}", soft_wrap=True, highlight=False)


def _yaml(config: Mapping[str, object]) -> str:
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))
