"""`bnbench gate`: is HEAD slower than BASE, or wrong? Both built, and measured side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from rich.console import Console

from harness.analysis.completeness import completeness
from harness.analysis.gate_cells import gate_cells
from harness.analysis.gate_facts import GateFacts, GatePair
from harness.analysis.gate_rule import rule_over_cells
from harness.cli import gate_self_test
from harness.cli.arguments import GateFlags, gate_flags
from harness.cli.closing import finish
from harness.cli.gate_suite import gate_of_suite
from harness.cli.json_output import output_for, write_document
from harness.config import Config, composition
from harness.config.disk_errors import CutShortError, disk_trouble
from harness.config.effects import refuse_without_effect
from harness.config.imported_code import refuse_imported_code
from harness.environment import capture
from harness.gate.counted_cells import ArmPair, counted_cells
from harness.gate.jobs import GateJob, jobs_of, refuse_contradictions, stopping_rule, with_launches
from harness.gate.launch_rule import GateLaunchRule
from harness.gate.pairs import MeasuredPair, implementations_of, pairs_of
from harness.gate.sides import Side, built_sides
from harness.gate.undecided import UndecidedError
from harness.isolation import Arm, interruption
from harness.isolation.machine_lock import machine_lock
from harness.isolation.place_facts import PlaceFacts
from harness.records import ExitStatus
from harness.report.completeness import completeness_sentences
from harness.report.gate_files import (
    gate_document,
    tell_github,
    tell_github_undecided,
    undecided_document,
    write_gate_files,
)
from harness.report.terminal.gate import gate_table
from harness.session import Session, begin, close, run_job
from harness.store import Contents, Journal
from harness.tasks import task_of, throughput
from harness.tasks.arm_settings import ask_place
from harness.tasks.arms import arms_of
from harness.tasks.common import worker_settings
from harness.tracking import EndStatus
from implementations.published_text import without_credentials

SELF_TEST = "--self-test"


def main(arguments: Sequence[str]) -> int:
    if SELF_TEST in arguments:
        return gate_self_test.main([word for word in arguments if word != SELF_TEST])
    flags = gate_flags(arguments)
    configs = _configs(flags)
    with output_for(json=flags.json) as output, interruption.deferred():
        try:
            if flags.suite is not None:
                facts, status = gate_of_suite(flags, configs[0], flags.suite, _announce)
            else:
                facts, status = _gate(flags, configs, ["bnbench", "gate", *arguments])
        except UndecidedError as error:
            reason = without_credentials(str(error))
            sys.stderr.write(f"bnbench gate: {reason}\n")
            tell_github_undecided(reason)
            document, status = undecided_document(reason), ExitStatus.UNDECIDED
        else:
            document = gate_document(facts)
        if flags.json:
            write_document(document, output)
    return status


def _configs(flags: GateFlags) -> list[Config]:
    """One, or those of a sweep; each seen to be of a gate."""
    refuse_imported_code(flags.overrides)
    composition.register()
    composed = composition.composed(flags.overrides, flags.config_dir, multirun=flags.multirun)
    configs = [with_launches(config) for config in composed.configs]
    refuse_contradictions(flags.overrides, configs)
    refuse_without_effect(flags.overrides, configs)
    return configs


def _gate(
    flags: GateFlags, configs: Sequence[Config], command: list[str]
) -> tuple[GateFacts, ExitStatus]:
    """Raises ``UndecidedError`` where nothing can be measured."""
    with built_sides(flags.base, flags.head, configs[0], _announce) as sides:
        ask = partial(_ask, configs[0])
        items = implementations_of(configs[0], sides)
        pairs = pairs_of(items, configs[0], sides, ask)
        jobs = jobs_of(pairs, configs)
        environment = capture()
        for job in jobs:  # what cannot be done is refused before anything is written
            task_of(job.config).plan(job.config, environment)
        first = jobs[0].config if jobs else configs[0]
        return _run_session(begin(first, command), jobs, sides, pairs)


def _ask(config: Config, arm: Arm) -> PlaceFacts:
    return ask_place(arm, worker_settings(config))


def _run_session(
    session: Session, jobs: Sequence[GateJob], sides: Sequence[Side], pairs: Sequence[MeasuredPair]
) -> tuple[GateFacts, ExitStatus]:
    """Whatever happens, the session ends truly."""
    end: EndStatus = "KILLED"
    try:
        for job in jobs:
            interruption.check()
            measure = partial(throughput.measure, rule=GateLaunchRule(job.rule, job.cells))
            run_job(job.config, job.name, measure)
        interruption.check()
        contents = Journal(session.config.journal).read()
        facts = _facts(session, contents, jobs, sides, pairs)
        if session.config.gate.instructions:
            facts = _with_counts(session, contents, facts, pairs)
        status = _finish(session, facts)
        end = "FINISHED" if status == ExitStatus.OK else "FAILED"
    except OSError as error:
        raise CutShortError(f"{disk_trouble(error)}; then run the gate anew") from error
    finally:
        close(session, end)
    return facts, status


def _facts(
    session: Session,
    contents: Contents,
    jobs: Sequence[GateJob],
    sides: Sequence[Side],
    pairs: Sequence[MeasuredPair],
) -> GateFacts:
    base, head = (side.tree for side in sides)
    gate, found = session.config.gate, completeness(contents, session.id)
    rule = stopping_rule([job.config for job in jobs] or [session.config], gate.alarms)
    decide = partial(rule_over_cells, rule=rule)
    cells = gate_cells(contents.of_session(session.id), [one.pair for one in pairs], decide)
    return GateFacts(
        session.id,
        base,
        head,
        cells,
        gate.alarms,
        session.config.margin,
        gate.seconds,
        () if found.complete else tuple(completeness_sentences(found)),
    )


def _with_counts(
    session: Session, contents: Contents, facts: GateFacts, pairs: Sequence[MeasuredPair]
) -> GateFacts:
    records, arms = contents.of_session(session.id), dict(_arms(session.config, pairs))
    with machine_lock(timed=False):
        counts = counted_cells(facts.cells, records, arms, _announce)
    interruption.check()
    return replace(facts, counts=counts)


def _arms(config: Config, pairs: Sequence[MeasuredPair]) -> Iterator[tuple[GatePair, ArmPair]]:
    """Of the pairs that have both sides."""
    for one in pairs:
        base, head = one.pair.base, one.pair.head
        if base is not None and head is not None:
            arms = arms_of(replace(config, implementations=list(one.items), baseline=base))
            yield one.pair, (arms[base], arms[head])


def _finish(session: Session, facts: GateFacts) -> ExitStatus:
    """Write and show what was found."""
    write_gate_files(session.folder, facts)
    tell_github(session.folder, facts)
    written = finish(session, lambda console, _: console.print(gate_table(facts)))
    return facts.verdict.status if written else ExitStatus.FAILED


def _announce(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
