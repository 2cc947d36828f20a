"""The place where runs are kept: a client and one experiment, safe to open by many processes at
once.

Two races lose runs on a fresh store. Processes that migrate one sqlite file together die of
"duplicate column name"; processes that set one new experiment together leave runs in the Default
experiment, silently. Hence the lock around the first use, the experiment made under it, and its
explicit id in every call.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.usage import shortened
from implementations.published_text import without_credentials

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from harness.config import Config

SQLITE = "sqlite:///"
HTTP = ("http://", "https://")
DEFAULTS = {  # of MLflow's environment variables, where the user has not set them
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # MLflow's own 7 retries of 120 s would hold up a session for minutes when the server is gone.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    # What these would print is in a TrackingError, or of no use among a command's progress.
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


class TrackingError(Exception):
    """MLflow could not do what was tried. The message says what that was, where, why, and how to
    fix it.
    """


@dataclass(frozen=True)
class Store:
    """An open store: MLflow's client, and the id of the experiment that every run goes to."""

    client: MlflowClient
    experiment_id: str


def tracking_uri(config: Config) -> str:
    """Where runs go: the configured URI, or sqlite in the ``results`` folder."""
    return config.tracking.uri or f"{SQLITE}{_results(config) / 'mlflow.db'}"


def artifact_location(config: Config) -> str | None:
    """Where artifacts go, as a URI; None lets a remote server decide, which knows where its other
    clients can read.

    Without an explicit one they would land in ``./mlruns`` of whichever process made the
    experiment.
    """
    if tracking_uri(config).startswith(HTTP):
        return None
    folder = re.sub(r"[^\w\-. ]", "_", config.tracking.experiment).lstrip(".") or "_"
    return (_results(config) / "mlflow-artifacts" / folder).as_uri()


@contextmanager
def attempt(config: Config, what: str) -> Generator[Store]:
    """The open store, for a block that tries to do ``what``. Whatever it raises becomes a
    `TrackingError`.
    """
    uri = tracking_uri(config)
    try:
        yield _open(uri, config.tracking.experiment, artifact_location(config), _lock_path(config))
    except TrackingError:
        raise
    # the failures of MLflow, SQLAlchemy, requests and the disk have no narrower base
    except Exception as error:
        raise TrackingError(
            without_credentials(
                f"MLflow at {uri} could not {what}: {_first_sentence(error)}. Nothing measured is "
                f"lost: it is in the journal. {_remedy(uri)}, or go without MLflow: "
                "tracking.enabled=false"
            )
        ) from error


@lru_cache(maxsize=8)
def _open(uri: str, experiment: str, artifacts: str | None, lock: Path) -> Store:
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    with _locked(uri, lock):
        _create_database(uri)
        client = MlflowClient(uri)
        return Store(client, _experiment_id(client, experiment, artifacts))


@contextmanager
def _locked(uri: str, lock: Path) -> Generator[None]:
    """Alone with the file of this URI; where there is none no lock is needed, nor written."""
    if _database(uri) is None:
        yield
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _create_database(uri: str) -> None:
    database = _database(uri)
    if database is not None and not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(
                "pragma journal_mode=WAL"
            )  # halves the cost of a metric, and readers block no writer


def _experiment_id(client: MlflowClient, name: str, artifacts: str | None) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.create_experiment(name, artifact_location=artifacts)
        # the lock does not reach other machines: one of them may have been first
        except MlflowException:
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise TrackingError(
            without_credentials(
                f"the experiment {name!r} was deleted; bring it back with "
                f"`MLFLOW_TRACKING_URI={client.tracking_uri} mlflow experiments restore "
                f"--experiment-id {found.experiment_id}`, or name another one: "
                "tracking.experiment=..."
            )
        )
    return found.experiment_id


def _results(config: Config) -> Path:
    return Path(config.results).resolve()


def _database(uri: str) -> Path | None:
    """The file of a database; None of one on a server, or named by a URI of SQLite's own."""
    path = uri.removeprefix(SQLITE).partition("?")[0]
    return Path(path) if uri.startswith(SQLITE) and not path.startswith("file:") else None


def _lock_path(config: Config) -> Path:
    locked = _database(tracking_uri(config)) or _results(config) / "mlflow"
    return locked.with_name(f"{locked.name}.lock")


def _first_sentence(error: Exception) -> str:
    """Libraries write whole pages."""
    text = " ".join(str(error).split()) or type(error).__name__
    return shortened(text.partition(". ")[0].rstrip("."), 300)


def _remedy(uri: str) -> str:
    if uri.startswith(HTTP):
        return "See that the server runs and that tracking.uri is its address"
    if uri.startswith(SQLITE):
        return "See that the place can be written and its disk is not full"
    return (
        "Give a database of SQLite's, as tracking.uri=sqlite:////FOLDER/mlflow.db, or the address "
        "of a server, as tracking.uri=http://HOST:PORT"
    )
