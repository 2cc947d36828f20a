"""The flags of each command; what is wrong with them is a ``UsageError``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from harness.config.usage import UsageError

LEAST_MEASURED, MOST_MEASURED = 1, 3600  # seconds


class Parser(argparse.ArgumentParser):
    """One that raises `UsageError` where argparse's own would end the process."""

    def __init__(self, command: str) -> None:
        super().__init__(prog=f"bnbench {command}", add_help=False)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see bnbench --help")


@dataclass(frozen=True)
class RunFlags:
    """Hydra's flags that a run takes, and the ``overrides``. ``cfg`` shows the configuration."""

    multirun: bool
    cfg: str | None
    config_dir: str | None
    overrides: list[str]


@dataclass(frozen=True)
class CompareFlags:
    """``sessions`` are none or two; ``journal_after`` is None where both are in one journal."""

    sessions: list[str]
    journal: str
    journal_after: str | None
    margin: float
    alpha: float


@dataclass(frozen=True)
class ReplayFlags:
    run: str
    level: str | None
    overrides: list[str]


@dataclass(frozen=True)
class DoctorFlags:
    """``seconds`` and ``threads`` are of a measurement, and None where they are not given."""

    json: bool
    measure: bool
    seconds: float | None
    threads: int | None


@dataclass(frozen=True)
class UiFlags:
    port: int | None
    overrides: list[str]


def json_flag(command: str, arguments: Sequence[str]) -> bool:
    """Whether ``--json``, the only flag, is given. Raises ``UsageError``, as all below do."""
    parser = Parser(command)
    parser.add_argument("--json", action="store_true")
    return bool(parser.parse_args(arguments).json)


def data_name(arguments: Sequence[str]) -> str | None:
    """The data set that is named, if one is."""
    parser = Parser("data")
    parser.add_argument("name", nargs="?")
    name: str | None = parser.parse_args(arguments).name
    return name


def run_flags(arguments: Sequence[str]) -> RunFlags:
    parser = Parser("run")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-c", "--cfg", choices=("job", "hydra", "all"))
    parser.add_argument("-cd", "--config-dir")
    known, overrides = parser.parse_known_args(arguments)
    if known.config_dir and not Path(known.config_dir).is_dir():
        raise UsageError(f"--config-dir {known.config_dir} is no folder")
    for word in overrides:
        if word.startswith("-") or ("=" not in word and not word.startswith("~")):
            raise UsageError(f"{word!r} is no key=value; see bnbench --help")
    return RunFlags(known.multirun, known.cfg, known.config_dir, overrides)


def compare_flags(arguments: Sequence[str]) -> CompareFlags:
    parser = Parser("compare")
    parser.add_argument("sessions", nargs="*")
    parser.add_argument("--journal", default="bnbench-results/journal")
    parser.add_argument("--journal-after")
    parser.add_argument("--margin", type=float, default=0.03)
    parser.add_argument("--alpha", type=float, default=0.05)
    flags = CompareFlags(**vars(parser.parse_intermixed_args(arguments)))
    if not (0 < flags.alpha <= 0.5 and 0 < flags.margin <= 1):
        raise UsageError(
            f"--alpha {flags.alpha:g} --margin {flags.margin:g}; allowed: alpha up to 0.5, margin "
            "up to 1, both more than 0"
        )
    return flags


def replay_flags(arguments: Sequence[str]) -> ReplayFlags:
    parser = Parser("replay")
    parser.add_argument("run")
    parser.add_argument("--level")
    parser.add_argument("overrides", nargs="*")
    flags = ReplayFlags(**vars(parser.parse_intermixed_args(arguments)))
    for word in [flags.run, *flags.overrides]:
        if ("=" in word) != (word in flags.overrides) and not Path(word).is_dir():
            raise UsageError(
                f"{word!r}: write bnbench replay RUN [key=value ...]; see bnbench --help"
            )
    return flags


def doctor_flags(arguments: Sequence[str]) -> DoctorFlags:
    parser = Parser("doctor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--threads", type=int)
    flags = DoctorFlags(**vars(parser.parse_args(arguments)))
    for name, value in (("seconds", flags.seconds), ("threads", flags.threads)):
        if value is not None and not flags.measure:
            raise UsageError(f"--{name} is of a measurement; add --measure, or leave it out")
    if flags.seconds is not None and not LEAST_MEASURED <= flags.seconds <= MOST_MEASURED:
        raise UsageError(
            f"--seconds {flags.seconds:g}; allowed: {LEAST_MEASURED} to {MOST_MEASURED}"
        )
    return flags


def ui_flags(arguments: Sequence[str]) -> UiFlags:
    parser = Parser("ui")
    parser.add_argument("--port", type=int)
    parser.add_argument("overrides", nargs="*")
    flags = UiFlags(**vars(parser.parse_intermixed_args(arguments)))
    if flags.port is not None and not 0 < flags.port < 1 << 16:
        raise UsageError(f"--port {flags.port}; allowed: 1 to 65535")
    return flags
