"""`bnbench gate --self-test`: what gates on this machine find at which budget, and how often they
alarm for nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.console import console
from harness.config import Config, ThroughputConfig, UsageError, composition
from harness.config.effects import refuse_without_effect
from harness.config.imported_code import refuse_imported_code
from harness.config.validation import validated
from harness.environment import capture
from harness.gate.measured_cells import (
    BASE,
    HEAD,
    PLANTED,
    MeasuredCell,
    measured_cells,
    write_cells,
)
from harness.gate.self_test import LEAST_PILOTS, TooFewLaunchesError, self_test
from harness.isolation import interruption
from harness.records import ExitStatus, ThroughputRecord
from harness.report.figures.gate_power import power_figure
from harness.report.markdown.gate_self_test import self_test_page
from harness.report.terminal.gate_self_test import print_self_test
from harness.statistics.stopping_rule import StoppingRule
from harness.tasks import task_of

GATES = 200  # for each budget and effect
SHARE = 0.1  # of the work that the planted arm does once more
SESSION = "self-test"  # these records belong to no session's journal
FOLDER, PAGE, FIGURE, CELLS = "gate-self-test", "self_test.md", "error_rates.png", "launches.json"
SLOWED = "harness.gate.planted.Slowed"


def main(arguments: Sequence[str]) -> int:
    """Keys are a run's: the first of ``implementations`` is measured, in ``task.launches``."""
    _refuse_other_words(arguments)
    config, rule = settings(arguments)
    folder = Path(config.results) / FOLDER
    with interruption.deferred():
        cells = measured(config)
        folder.mkdir(parents=True, exist_ok=True)
        write_cells(cells, folder / CELLS)
        try:
            found = self_test(cells, rule, GATES, config.seed)
        except TooFewLaunchesError as error:
            sys.stderr.write(f"bnbench gate --self-test: {error}\n")
            return ExitStatus.UNDECIDED
    power_figure(found.rates, "seconds a cell").savefig(folder / FIGURE)
    (folder / PAGE).write_text(self_test_page(found, FIGURE), encoding="utf-8")
    print_self_test(console(), found)
    sys.stderr.write(f"{folder / PAGE}\n")
    return ExitStatus.OK


def settings(arguments: Sequence[str]) -> tuple[Config, StoppingRule]:
    """What is measured, and the rule of the gates that are drawn from it."""
    config, task = _config(arguments)
    rule = StoppingRule(config.gate.alarms, config.alpha, config.margin)
    least = LEAST_PILOTS * rule.pilot
    if task.launches < least:
        raise UsageError(
            f"task.launches={task.launches}: a self-test draws gates from at least {least} "
            "launches, and 30 tell much more; give task.launches=30"
        )
    return three_arms(config, task), rule


def _refuse_other_words(arguments: Sequence[str]) -> None:
    for word in arguments:
        if "=" not in word:
            raise UsageError(
                f"{word!r} has no place in a self-test, which is of no revision: it measures one "
                "tree; write bnbench gate --self-test [key=value ...]"
            )


def three_arms(config: Config, task: ThroughputConfig) -> Config:
    """The first implementation three times, each in a process of its own: as base, as head, and
    with more work.
    """
    tested = config.implementations[0] if config.implementations else None
    if not isinstance(tested, str):
        raise UsageError(
            f"implementations begins with {tested!r}; a self-test takes the name of one that is "
            "installed, such as implementations=[torch_native]"
        )
    arms = [
        {"_target_": SLOWED, "of": tested, "label": BASE},
        {"_target_": SLOWED, "of": tested, "label": HEAD},
        {"_target_": SLOWED, "of": tested, "share": SHARE, "label": PLANTED},
    ]
    fixed = replace(task, most_launches=task.launches)
    return validated(replace(config, implementations=arms, baseline=BASE, task=fixed))


def _config(overrides: Sequence[str]) -> tuple[Config, ThroughputConfig]:
    refuse_imported_code(overrides)
    composition.register()
    configs = composition.composed(list(overrides), None, multirun=False).configs
    refuse_without_effect(overrides, configs)
    [config] = configs
    if not isinstance(config.task, ThroughputConfig):
        raise UsageError(f"task={config.task.name} measures no speed; a self-test has throughput")
    return config, config.task


def measured(config: Config) -> list[MeasuredCell]:
    """Of three arms, as `three_arms` has them."""
    module = task_of(config)
    planned = module.plan(config, capture())
    records = module.measure(config, planned, SESSION, _announce)
    return measured_cells([one for one in records if isinstance(one, ThroughputRecord)])


def _announce(text: str) -> None:
    sys.stderr.write(f"{text}\n")
