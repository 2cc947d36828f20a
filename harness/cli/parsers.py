"""The options of each command, and so the text of `bnbench COMMAND --help`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import NoReturn

from harness.config.usage import UsageError

LEAST_MEASURED, MOST_MEASURED = 1, 3600  # seconds
WHERE = "where results are and how MLflow is reached: results=FOLDER, tracking.uri=URI"

JOURNAL = "bnbench-results/journal"
JSON = "what was found as JSON on stdout, and all else on stderr"


class Parser(argparse.ArgumentParser):
    """One that raises `UsageError` where argparse's own would end the process."""

    def __init__(self, command: str, description: str, usage: str) -> None:
        super().__init__(
            prog=f"bnbench {command}",
            usage=f"bnbench {command} {usage}".rstrip(),
            description=description,
            add_help=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100),
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def run_parser() -> Parser:
    parser = Parser(
        "run",
        "Measures, trains or checks, as the configuration says; examples: bnbench --help. "
        "key=value: `bnbench run --cfg job` shows every key with its value.",
        "[key=value ...] [-m] [--cfg job|hydra|all] [--config-dir FOLDER]",
    )
    add = parser.add_argument
    add("-m", "--multirun", action="store_true", help="a sweep: key=a,b runs one job for each")
    add(
        "-c",
        "--cfg",
        choices=("job", "hydra", "all"),
        help="show the configuration (of each job), and run nothing",
    )
    add(
        "-cd",
        "--config-dir",
        metavar="FOLDER",
        help="your own groups, as FOLDER/experiment/NAME.yaml for experiment=NAME",
    )
    return parser


def check_parser() -> Parser:
    parser = Parser(
        "check",
        "Is an implementation right? Holds it against the conformance suite.",
        "NAME ... [key=value ...] [--thorough] [--json]",
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="as listed, or package.Class")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="task.cases=GLOB: some")
    parser.add_argument("--thorough", action="store_true", help="also the cases that take long")
    parser.add_argument("--json", action="store_true", help=JSON)
    return parser


def list_parser() -> Parser:
    parser = Parser("list", "Implementations, suites of problems, presets.", "[--json]")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    return parser


def data_parser() -> Parser:
    parser = Parser("data", "Data sets and where they are.", "[NAME]")
    parser.add_argument("name", nargs="?", metavar="NAME", help="get this one")
    return parser


def compare_parser() -> Parser:
    parser = Parser(
        "compare",
        "Two sessions: what became faster, slower or broken beyond the noise. Or two files that "
        "pytest --benchmark-json wrote: what they tell, and what not.",
        "[BEFORE AFTER] [results=FOLDER] [--margin SHARE] [--alpha LEVEL] [--json]",
    )
    add = parser.add_argument
    add(
        "sessions",
        nargs="*",
        metavar="BEFORE AFTER",
        help="names of sessions, the folders of their reports, or two of pytest-benchmark's files; "
        "the last two sessions, if not given",
    )
    add(
        "--journal",
        default=JOURNAL,
        metavar="FOLDER",
        help=f"the journal; {JOURNAL}, or that of results=FOLDER, if not given",
    )
    add("--journal-after", metavar="FOLDER", help="that of AFTER, if it is another one")
    add(
        "--margin",
        type=float,
        default=0.03,
        metavar="SHARE",
        help="the smallest relative difference of practical interest; 0.03, if not given",
    )
    add(
        "--alpha",
        type=float,
        default=0.05,
        metavar="LEVEL",
        help="1 - confidence, for all comparisons together; 0.05, if not given",
    )
    add("--json", action="store_true", help=JSON)
    return parser


def gate_parser() -> Parser:
    parser = Parser(
        "gate",
        "Builds two revisions and measures them side by side: is HEAD slower than BASE, or wrong? "
        "Keys are those of run, and gate.*. Exit status: 0 no regression, 1 regression or wrong "
        "result, 2 wrong usage, 3 could not decide.",
        "BASE [HEAD] [key=value ...] [-m] [--config-dir FOLDER] [--json]",
    )
    add = parser.add_argument
    add("base", metavar="BASE", help="a git revision")
    add("head", nargs="?", metavar="HEAD", help="another; the working tree, if not given")
    add("overrides", nargs="*", metavar="key=value", help="gate.seconds=N: how long; problem=NAME")
    add("-m", "--multirun", action="store_true", help="a sweep: key=a,b gates each")
    add("-cd", "--config-dir", metavar="FOLDER", help="your own groups, as in run")
    add("--json", action="store_true", help=JSON)
    add("--pytest", metavar="ARGUMENTS", help="gate a suite of pytest-benchmark: 'tests -k rows'")
    add(
        "--self-test",
        action="store_true",
        help="instead of a gate: which slow-downs gates find here, at which budget",
    )
    return parser


def replay_parser() -> Parser:
    parser = Parser(
        "replay",
        "Runs a recorded run again in fresh processes: what differs first?",
        "RUN [key=value ...] [--level LEVEL] [--json]",
    )
    add = parser.add_argument
    add("run", metavar="RUN", help="a session, its folder, a record's key, or an id of MLflow's")
    add("overrides", nargs="*", metavar="key=value", help="keys changed on purpose")
    add("--level", metavar="LEVEL", help="bitwise, equivalent or statistical; else each task's own")
    add("--json", action="store_true", help=JSON)
    return parser


def ui_parser() -> Parser:
    parser = Parser("ui", "MLflow on 127.0.0.1, with links.", "[key=value ...] [--port PORT]")
    parser.add_argument("--port", type=int, metavar="PORT", help="5000, if it is free")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help=WHERE)
    return parser


def doctor_parser() -> Parser:
    parser = Parser(
        "doctor",
        "What this machine can measure, and what disturbs it.",
        "[--json] [--measure [--seconds N] [--threads N]]",
    )
    add = parser.add_argument
    add("--json", action="store_true", help="the same as JSON")
    add("--measure", action="store_true", help="also how much noise it has")
    allowed = f"{LEAST_MEASURED} to {MOST_MEASURED}; about a minute, if not given"
    add("--seconds", type=float, metavar="N", help=f"of measurement, {allowed}")
    add("--threads", type=int, metavar="N", help="of the measurement; all, if not given")
    return parser


PARSERS: Mapping[str, Callable[[], Parser]] = {
    "run": run_parser,
    "check": check_parser,
    "list": list_parser,
    "data": data_parser,
    "compare": compare_parser,
    "gate": gate_parser,
    "replay": replay_parser,
    "ui": ui_parser,
    "doctor": doctor_parser,
}
