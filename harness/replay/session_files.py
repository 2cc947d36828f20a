"""The files that a session left, read back; any other content is refused before anything is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from harness.config import UsageError
from harness.config.disk_errors import disk_trouble
from harness.environment import Environment
from harness.records import (
    AnyRecord,
    NewerSchemaError,
    TrainingRecord,
    from_plain,
    record_from_plain,
)
from harness.replay.training_comparison import has_hashes

Made = TypeVar("Made")


@dataclass(frozen=True)
class RecordedJob:
    """The keys of a job's records, and its resolved configuration."""

    keys: tuple[str, ...]
    config: Mapping[str, object]

    def __post_init__(self) -> None:
        from_plain(self.config, RecordedConfig)


@dataclass(frozen=True)
class RecordedTask:
    name: str


@dataclass(frozen=True)
class RecordedConfig:
    """What every configuration has; all else is checked where it is restored."""

    task: RecordedTask


@dataclass(frozen=True)
class RecordedEnvironment:
    """Where a session ran. Unlike `Environment`, it lacks neither part."""

    stable: Mapping[str, object]
    volatile: Mapping[str, object]


@dataclass(frozen=True)
class RecordedRun:
    """The content of a record's own file in MLflow."""

    record: Mapping[str, object]
    config: Mapping[str, object]
    environment: RecordedEnvironment

    def __post_init__(self) -> None:
        from_plain(self.config, RecordedConfig)


def read_file(path: Path, make: Callable[[object], Made]) -> Made:
    """What ``make`` makes of a file of JSON.

    Raises ``UsageError`` for content that ``make`` does not take, FileNotFoundError for no file.
    """
    return _made(path.name, _text(path), make)


def read_lines(path: Path, make: Callable[[object], Made]) -> list[Made]:
    """The same of each line."""
    return [
        _made(f"{path.name}, line {number}", line, make)
        for number, line in enumerate(_text(path).splitlines(), 1)
    ]


def environment(data: object) -> Environment:
    return environment_of(from_plain(data, RecordedEnvironment))


def environment_of(recorded: RecordedEnvironment) -> Environment:
    return Environment(recorded.stable, recorded.volatile)


def job(data: object) -> RecordedJob:
    return from_plain(data, RecordedJob)


def run(data: object) -> RecordedRun:
    return from_plain(data, RecordedRun)


def record(data: object) -> AnyRecord:
    found = record_from_plain(from_plain(data, dict[str, object]))
    if isinstance(found, TrainingRecord) and not has_hashes(found):
        raise ValueError("a training that is OK has four hashes, and this one lacks some")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(disk_trouble(error, path)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: this is no text in UTF-8, so no session wrote it") from error


def _made(place: str, content: str, make: Callable[[object], Made]) -> Made:
    try:
        return make(json.loads(content, parse_constant=_refuse_constant))
    except NewerSchemaError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            f"{place}: this is not what a session wrote, so nothing of it is replayed "
            f"({type(error).__name__}: {error})"
        ) from error


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that is ever written")
