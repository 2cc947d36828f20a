"""The command line: `bnbench run | check | list | data | compare | replay | ui | doctor`.

Each command is a short pipeline. What is heavy is imported by the command that needs it, so that
`list` answers at once.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, NoReturn

from harness.cli.arguments import (
    compare_flags,
    data_name,
    doctor_flags,
    json_asked,
    replay_flags,
    run_flags,
    ui_flags,
)
from harness.cli.help import HELP
from harness.config.usage import UsageError, suggestion
from harness.records import NewerSchemaError

if TYPE_CHECKING:
    from argparse import Namespace

    from omegaconf import DictConfig

    from harness.doctor import Finding


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal without × must not cost a run its table
            stream.reconfigure(errors="replace")
    command, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    commands = {
        "run": run,
        "check": check,
        "list": list_,
        "data": data,
        "compare": compare,
        "replay": replay,
        "ui": ui,
        "doctor": doctor,
    }
    if command == "help" or {"-h", "--help"} & {command, *rest}:
        sys.stdout.write(HELP)
        return 0
    try:
        return commands.get(command, partial(_unknown, command, tuple(commands)))(rest)
    except (UsageError, NewerSchemaError) as error:
        sys.stderr.write(f"bnbench {command}: {error}\n")
        return 2
    except KeyboardInterrupt:
        again = (
            "the same command begins anew"
            if command == "replay"
            else "the same command with resume=true goes on from here"
        )
        sys.stderr.write(f"interrupted; {again}\n")
        return 130


def run(arguments: Sequence[str]) -> int:
    """Compose, measure, report."""
    from harness.config import composition
    from harness.environment import capture
    from harness.session import lifecycle
    from harness.tasks import task_of

    flags, overrides = run_flags(arguments)
    composition.register()
    composed = composition.composed(overrides, flags.config_dir)
    hydra = [
        *(argument for argument in arguments if argument not in overrides),
        *composed.overrides,
    ]
    if flags.cfg:
        return _hydra(hydra)
    environment = capture()
    for config in composed.configs:
        # what cannot be planned is told before anything is begun
        task_of(config).plan(config, environment)
    signal.signal(signal.SIGTERM, _interrupt)
    here = lifecycle.begin(composed.configs[0], ["bnbench", "run", *arguments])
    end: Any = "KILLED"
    try:
        _hydra(hydra)
        status = lifecycle.finish(here)
        end = "FINISHED" if status == 0 else "FAILED"
    except composition.ERRORS as error:
        raise composition.translated(error) from error
    finally:
        lifecycle.close(here, end)
    return status


def job(config: DictConfig) -> None:
    """One job of a run or a sweep, in whichever process Hydra's launcher put it."""
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf

    from harness.config import composition
    from harness.session.lifecycle import run_job

    hydra = HydraConfig.get()
    number = 0 if OmegaConf.is_missing(hydra.job, "num") else hydra.job.num  # a single run has none
    run_job(composition.as_object(config), f"{number} {hydra.job.override_dirname}".strip())


def check(arguments: Sequence[str]) -> int:
    """`run task=conformance` for the named implementations, with every case if ``--thorough``."""
    names = [
        argument for argument in arguments if "=" not in argument and not argument.startswith("-")
    ]
    if not names:
        raise UsageError(
            "which implementation? bnbench check NAME, with a NAME that `bnbench list` shows, "
            "or package.module.Class"
        )
    listed = ",".join(f"{{_target_: {name}}}" if "." in name else name for name in names)
    rest = [
        "task.thorough=true" if argument == "--thorough" else argument
        for argument in arguments
        if argument not in names
    ]
    return run(["task=conformance", f"implementations=[{listed}]", *rest])


def list_(arguments: Sequence[str]) -> int:
    """Everything there is to choose from."""
    from harness.cli.listing import listing

    data = listing()
    if json_asked("list", arguments):
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
        return 0
    for implementation in data["implementations"]:
        implementation["description"] = implementation["reason"] or "available"
    width = max(len(item["name"]) for items in data.values() for item in items)
    for title, items in data.items():
        sys.stdout.write(
            f"{title}\n"
            + "".join(f"  {item['name']:{width}}  {item['description']}\n" for item in items)
        )
    return 0


def data(arguments: Sequence[str]) -> int:
    """The data sets and where they are, or one of them brought here."""
    from harness.report.terminal.datasets import show_datasets

    show_datasets(data_name(arguments))
    return 0


def compare(arguments: Sequence[str]) -> int:
    """Two sessions of one journal, or of two: what changed beyond the noise."""
    from rich.console import Console

    from harness.analysis import session_comparison as comparison
    from harness.report.terminal import WIDTH, comparison_table
    from harness.store import Journal

    flags = compare_flags(arguments)
    before = Journal(flags.journal).read()
    after = Journal(flags.journal_after).read() if flags.journal_after else before
    known = (
        list(before.sessions)
        if after is before
        else [*list(before.sessions)[-1:], *list(after.sessions)[-1:]]
    )
    if len(flags.sessions) not in (0, 2) or len(known) < 2:
        raise UsageError(
            f"two sessions are compared; the journal holds {', '.join(before.sessions) or 'none'}: "
            "bnbench compare BEFORE AFTER, or neither for the last two"
        )
    first, second = flags.sessions or known[-2:]
    try:
        found = comparison.compare(
            before, first, after, second, margin=flags.margin, alpha=flags.alpha
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    Console(width=None if sys.stdout.isatty() else WIDTH).print(comparison_table(found))
    for key, (old, new) in comparison.environment_differences(before, first, after, second).items():
        sys.stdout.write(f"the environments differ in {key}: {old} → {new}\n")
    return comparison.exit_status(found)


def replay(arguments: Sequence[str]) -> int:
    """A recorded run once more: did it come out the same?"""
    from rich.console import Console

    from harness.replay import exit_status, running
    from harness.report.terminal import WIDTH
    from harness.report.terminal.replay import print_replays

    flags = replay_flags(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    found = running.replay(
        flags.run,
        flags.level,
        flags.overrides,
        ["bnbench", "replay", *arguments],
        partial(Console(stderr=True).print, markup=False, highlight=False, soft_wrap=True),
    )
    print_replays(Console(width=None if sys.stdout.isatty() else WIDTH), found)
    return exit_status(found)


def ui(arguments: Sequence[str]) -> int:
    """MLflow's pages over this folder's results."""
    from harness.config import composition
    from harness.tracking.server import serve

    flags = ui_flags(arguments)
    composition.register()
    serve(
        composition.composed(flags.overrides).configs[0],
        flags.port,
        lambda line: print(line, flush=True),  # noqa: T201 -- what the user asked for
    )
    return 0


def doctor(arguments: Sequence[str]) -> int:
    """What can be measured here, what disturbs it, and what to do about it; if asked, how much
    noise there is.
    """
    from rich.console import Console

    from harness.doctor import examine, to_data
    from harness.report.terminal.doctor import print_findings

    flags = doctor_flags(arguments)
    findings = examine()
    if flags.measure:
        return _measured_doctor(flags, findings)
    if flags.json:
        sys.stdout.write(json.dumps(to_data(findings), indent=2) + "\n")
    else:
        print_findings(Console(), findings)
    return 0


def _measured_doctor(flags: Namespace, findings: list[Finding]) -> int:
    from rich.console import Console

    from harness.doctor import to_data
    from harness.doctor.judging import judge
    from harness.doctor.measurement import SECONDS, measure, settings_of
    from harness.report.terminal import WIDTH
    from harness.report.terminal import doctor as pages

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        settings = settings_of(flags.threads)
    except ValueError as error:
        raise UsageError(f"--threads: {error}") from error
    if not flags.json:
        pages.print_findings(console, findings)
    with pages.show_progress() as announce:
        measured = measure(settings, flags.seconds or SECONDS, announce)
    judged = judge(measured)
    if flags.json:
        data = {"findings": to_data([*findings, *judged]), "measurement": measured.to_data()}
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        pages.print_measurement(console, measured)
        pages.print_findings(console, judged)
    return 0


def _unknown(command: str, commands: Sequence[str], _: Sequence[str]) -> NoReturn:
    raise UsageError(
        f"there is no such command{suggestion(command, commands)}; allowed: {', '.join(commands)}"
    )


def _hydra(arguments: Sequence[str]) -> int:
    import hydra

    from harness.config.composition import FOLDER

    sys.argv = ["bnbench run", *arguments]
    hydra.main(config_path=str(FOLDER), config_name="config", version_base="1.3")(job)()
    return 0


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
