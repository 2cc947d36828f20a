"""`bnbench gate BASE [HEAD] --pytest 'ARGUMENTS'`: anyone's suite of pytest-benchmark, run whole in
both trees in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.analysis.gate_facts import GateCell, GateFacts
from harness.analysis.gate_outcomes import GateOutcome
from harness.cli.arguments import GateFlags
from harness.cli.console import console
from harness.config import Config, UsageError
from harness.config.effects import key_of
from harness.gate.sides import Side, built_sides
from harness.gate.undecided import UndecidedError
from harness.isolation import HERE, Place, interruption
from harness.isolation.machine_lock import machine_lock
from harness.pytest_suites import (
    Judged,
    Suite,
    SuiteOutcome,
    SuitePlan,
    SuiteTest,
    SuiteTree,
    gate_suite,
    missing_packages,
    suite_arguments,
)
from harness.records import ExitStatus
from harness.report.gate_files import tell_github, write_gate_files
from harness.report.terminal.gate import gate_table

FOLDER = "gate-suite"
# Of a run's keys, those that mean something without a problem or a task.
KEYS = ("gate.", "margin", "seed", "results")
NO_SESSION = "gate-suite"  # its runs have no records in a journal


def gate_of_suite(
    flags: GateFlags, config: Config, arguments: str, announce: Callable[[str], None]
) -> tuple[GateFacts, ExitStatus]:
    """Raises ``UsageError`` for what cannot be asked for, ``UndecidedError`` where no run ends."""
    _refuse_other_keys(flags.overrides)
    words = suite_arguments(arguments)
    missing = missing_packages(HERE)
    if missing is not None:
        raise UsageError(missing)
    with built_sides(flags.base, flags.head, config, announce, sources=True) as sides:
        judged = _judged(sides, words, config, announce)
    if judged.reason is not None:
        raise UndecidedError(judged.reason)
    facts = _facts(config, sides, judged)
    folder = Path(config.results) / FOLDER
    write_gate_files(folder, facts)
    tell_github(folder, facts)
    console().print(gate_table(facts))
    return facts, facts.verdict.status


def _judged(
    sides: tuple[Side, Side],
    words: tuple[str, ...],
    config: Config,
    announce: Callable[[str], None],
) -> Judged:
    def say(text: str) -> None:
        interruption.check()
        announce(text)

    plan = SuitePlan(config.gate.seconds, config.margin, config.gate.alarms, seed=config.seed)
    base, head = map(_suite_tree, sides)
    with machine_lock():
        return gate_suite(Suite(base, head, words), plan, announce=say)


def _suite_tree(side: Side) -> SuiteTree:
    return SuiteTree(side.label, side.source or side.path, Place(path=str(side.path)))


def _facts(config: Config, sides: Sequence[Side], judged: Judged) -> GateFacts:
    base, head = (side.tree for side in sides)
    cells = tuple(map(_cell, judged.tests))
    gate = config.gate
    return GateFacts(NO_SESSION, base, head, cells, gate.alarms, config.margin, gate.seconds)


def _cell(test: SuiteTest) -> GateCell:
    file, _, name = test.name.partition("::")
    decided, reason = test.decision, test.reason
    if test.outcome is SuiteOutcome.FAILED:
        return GateCell(file, None, GateOutcome.BROKEN, f"base too: {reason}", test=name)
    return GateCell(
        file,
        None,
        GateOutcome(test.outcome),
        reason,
        ratio=None if decided is None else decided.ratio,
        p_value=None if decided is None else decided.p_value,
        launches=0 if decided is None else decided.launches,
        test=name,
    )


def _refuse_other_keys(overrides: Sequence[str]) -> None:
    for word in overrides:
        if key_of(word) == "gate.instructions":
            raise UsageError(
                f"{word} has no effect in a gate of a suite: instructions are counted of "
                "implementations alone; leave it out"
            )
        if not key_of(word).startswith(KEYS):
            raise UsageError(
                f"{word} has no effect in a gate of a suite, whose tests say themselves what they "
                f"measure; allowed with --pytest: gate.*, margin, seed, results"
            )
