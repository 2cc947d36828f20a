"""What became of mutants, for a terminal, for a page and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from tests.experiments.mutation.judging import Outcome
from tests.experiments.mutation.mutants import Mutant

COLUMNS = ("mutant", "kind", "change", "caught by", "first", "of", "why")
SHOWN = 100  # characters of a reason that a table shows


@dataclass(frozen=True)
class Result:
    """What became of one mutant. ``before`` and ``after`` are its line."""

    mutant: Mutant
    outcome: Outcome
    before: str
    after: str
    seconds: float


@dataclass(frozen=True)
class Experiment:
    """What was asked, what the unchanged code gives, and the results so far."""

    asked: Mapping[str, Any]
    drawn: int
    unchanged: Outcome
    results: Sequence[Result] = ()

    def __str__(self) -> str:
        caught = sum(result.outcome.caught for result in self.results)
        more = (
            ""
            if len(self.results) == self.drawn
            else f"; {self.drawn - len(self.results)} were drawn and not judged"
        )
        return f"{caught} of {len(self.results)} mutants caught{more}"

    @property
    def survivors(self) -> list[Result]:
        return [result for result in self.results if not result.outcome.caught]

    def row(self, result: Result) -> tuple[str, ...]:
        """The cells of a result, for `COLUMNS`."""
        mutant, outcome = result.mutant, result.outcome
        failed = f"{outcome.failed}/{sum(outcome.statuses.values())}" if outcome.failed else ""
        return (
            str(mutant),
            mutant.operator,
            f"{mutant.before} → {mutant.after}",
            outcome.by or "SURVIVED",
            outcome.first,
            failed,
            _shortened(outcome.reason) if outcome.caught else self.doubt(result),
        )

    def doubt(self, result: Result) -> str:
        """What is odd about a survivor: cases that the unchanged code passes were not failed, but
        not passed either.
        """
        got, usual = dict(result.outcome.statuses), dict(self.unchanged.statuses)
        return "" if got == usual else f"records {got}, of the unchanged code {usual}"


def line(result: Result) -> str:
    """A result in a line, for progress."""
    mutant, outcome = result.mutant, result.outcome
    end = f"caught by the {outcome.by}, {outcome.first}" if outcome.caught else "SURVIVED"
    return f"{mutant}  {mutant.before} → {mutant.after}  {end}  ({result.seconds:.0f} s)"


def table(experiment: Experiment) -> Table:
    made = Table(title=str(experiment), show_lines=True)
    for column in COLUMNS:
        made.add_column(column, overflow="fold")
    for result in experiment.results:
        made.add_row(
            *map(escape, experiment.row(result)), style=None if result.outcome.caught else "yellow"
        )
    return made


def diff(result: Result) -> str:
    """A survivor's change, for a person to judge."""
    return f"@@ {result.mutant} @@\n- {result.before}\n+ {result.after}\n"


def markdown(experiment: Experiment) -> str:
    cells = [map(_cell, experiment.row(result)) for result in experiment.results]
    lines = ["| " + " | ".join(row) + " |" for row in (COLUMNS, ["---"] * len(COLUMNS), *cells)]
    asked = " ".join(f"{name}={value}" for name, value in experiment.asked.items())
    told = [f"# {experiment}", "", asked, "", *lines]
    if experiment.survivors:
        told += ["", "## Survivors", "", "```diff", *map(diff, experiment.survivors), "```"]
    return "\n".join(told) + "\n"


def write(experiment: Experiment, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mutants.json").write_text(
        json.dumps(asdict(experiment), indent=2, default=str) + "\n", encoding="utf-8"
    )
    (folder / "mutants.md").write_text(markdown(experiment), encoding="utf-8")


def _cell(said: str) -> str:
    """Text that a Markdown table shows as it is: code is full of stars and bars."""
    escaped = said.replace("|", "\\|")
    return f"`{escaped}`" if set(said) & set("*_<>[]") else escaped


def _shortened(reason: str) -> str:
    return reason if len(reason) <= SHOWN else reason[:SHOWN] + "…"
