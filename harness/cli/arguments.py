"""The flags of each command, checked; what is wrong with them is a ``UsageError``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from harness.cli.parsers import LEAST_MEASURED, MOST_MEASURED, PARSERS
from harness.config.disk_errors import is_folder, is_json_file
from harness.config.usage import UsageError


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
    json: bool


@dataclass(frozen=True)
class GateFlags:
    """``head`` is None for the working tree, ``suite`` the words for pytest, of a gate of one."""

    base: str
    head: str | None
    multirun: bool
    config_dir: str | None
    json: bool
    overrides: list[str]
    suite: str | None


@dataclass(frozen=True)
class ReplayFlags:
    run: str
    level: str | None
    overrides: list[str]
    json: bool


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
    return bool(PARSERS[command]().parse_args(arguments).json)


def data_name(arguments: Sequence[str]) -> str | None:
    """The data set that is named, if one is."""
    name: str | None = PARSERS["data"]().parse_args(arguments).name
    return name


def run_flags(arguments: Sequence[str]) -> RunFlags:
    known, overrides = PARSERS["run"]().parse_known_args(arguments)
    if known.config_dir is not None and not is_folder(known.config_dir):
        raise UsageError(f"--config-dir {known.config_dir} is no folder")
    for word in overrides:
        if word.startswith("-") or ("=" not in word and not word.startswith("~")):
            raise UsageError(f"{word!r} is no key=value; see bnbench run --help")
    return RunFlags(known.multirun, known.cfg, known.config_dir, overrides)


def compare_flags(arguments: Sequence[str]) -> CompareFlags:
    flags = CompareFlags(**vars(PARSERS["compare"]().parse_intermixed_args(arguments)))
    if not (0 < flags.alpha <= 0.5 and 0 < flags.margin <= 1):
        raise UsageError(
            f"--alpha {flags.alpha:g} --margin {flags.margin:g}; allowed: alpha up to 0.5, margin "
            "up to 1, both more than 0"
        )
    sessions, journal = _sessions_and_journal(flags)
    _refuse_half_of_two_files(sessions)
    if len(sessions) not in {0, 2}:
        raise UsageError(
            f"two sessions are compared, and {len(sessions)} given; write bnbench compare BEFORE "
            "AFTER, or neither for the last two"
        )
    if not (sessions and all(is_folder(word) or is_json_file(word) for word in sessions)):
        for place in filter(None, (journal, flags.journal_after)):
            _refuse_missing_journal(place)
    return replace(flags, sessions=sessions, journal=journal)


def _sessions_and_journal(flags: CompareFlags) -> tuple[list[str], str]:
    """The words that name sessions, and the journal, which ``results=`` may give too."""
    sessions, journal = [], flags.journal
    for word in flags.sessions:
        key, equals, value = word.partition("=")
        if not equals or is_folder(word) or is_json_file(word):
            sessions.append(word)
        elif key == "results" and value:
            journal = str(Path(value) / "journal")
        elif key == "journal" and value:
            journal = value
        else:
            raise UsageError(f"{word}; allowed: results=FOLDER, journal=FOLDER, names of sessions")
    return sessions, journal


def _refuse_half_of_two_files(sessions: Sequence[str]) -> None:
    """A name that ends as a file's does and is none is no session's."""
    files = [word for word in sessions if is_json_file(word)]
    for word in sessions:
        if word.endswith(".json") and word not in files:
            raise UsageError(f"{word}: there is no such file; give two of pytest-benchmark's")
    if len(files) == 1 and len(sessions) == 2:
        raise UsageError(
            f"{files[0]} is a file, and what stands beside it is none; give two of "
            "pytest-benchmark's files, or two sessions"
        )


def _refuse_missing_journal(place: str) -> None:
    if not is_folder(place):
        raise UsageError(
            f"{place}: there is no journal, so no two sessions to compare; say where one is with "
            "results=FOLDER or --journal FOLDER, or give the folders of two reports"
        )


def gate_flags(arguments: Sequence[str]) -> GateFlags:
    overrides = [
        word
        for before, word in pairwise(("", *arguments))
        if _is_override(word) and before != "--pytest"
    ]
    rest = [
        word
        for before, word in pairwise(("", *arguments))
        if not _is_override(word) or before == "--pytest"
    ]
    known = PARSERS["gate"]().parse_args(rest)
    if known.overrides:
        raise UsageError(
            f"a gate is of two revisions, and {known.overrides[0]!r} is one more; write bnbench "
            "gate BASE [HEAD] [key=value ...]"
        )
    if known.config_dir is not None and not is_folder(known.config_dir):
        raise UsageError(f"--config-dir {known.config_dir} is no folder")
    return GateFlags(
        known.base,
        known.head,
        known.multirun,
        known.config_dir,
        known.json,
        overrides,
        known.pytest,
    )


def _is_override(word: str) -> bool:
    return not word.startswith("-") and ("=" in word or word.startswith(("~", "+")))


def replay_flags(arguments: Sequence[str]) -> ReplayFlags:
    flags = ReplayFlags(**vars(PARSERS["replay"]().parse_intermixed_args(arguments)))
    for word in [flags.run, *flags.overrides]:
        if ("=" in word) != (word in flags.overrides) and not is_folder(word):
            raise UsageError(
                f"{word!r}: write bnbench replay RUN [key=value ...]; see bnbench replay --help"
            )
    return flags


def doctor_flags(arguments: Sequence[str]) -> DoctorFlags:
    flags = DoctorFlags(**vars(PARSERS["doctor"]().parse_args(arguments)))
    for name, value in (("seconds", flags.seconds), ("threads", flags.threads)):
        if value is not None and not flags.measure:
            raise UsageError(f"--{name} is of a measurement; add --measure, or leave it out")
    if flags.seconds is not None and not LEAST_MEASURED <= flags.seconds <= MOST_MEASURED:
        raise UsageError(
            f"--seconds {flags.seconds:g}; allowed: {LEAST_MEASURED} to {MOST_MEASURED}"
        )
    return flags


def ui_flags(arguments: Sequence[str]) -> UiFlags:
    flags = UiFlags(**vars(PARSERS["ui"]().parse_intermixed_args(arguments)))
    if flags.port is not None and not 0 < flags.port < 1 << 16:
        raise UsageError(f"--port {flags.port}; allowed: 1 to 65535")
    return flags
