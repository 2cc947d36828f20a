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
LOCKED = "database is locked"  # sqlite's words
OF_MLFLOW = "alembic_version"  # a table that each of its databases has
# MLflow's own variables, for where nothing is configured
URI, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
OUR_EXPERIMENT = "bnbench"
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
    fix it. ``busy``: others have locked the store, which passes.
    """

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


@dataclass(frozen=True)
class Store:
    """An open store: MLflow's client, and the id of the experiment that every run goes to."""

    client: MlflowClient
    experiment_id: str


def tracking_uri(config: Config) -> str:
    """Where runs go: the configured URI, or that of MLflow's own variable, or sqlite in the
    ``results`` folder.
    """
    given = config.tracking.uri or os.environ.get(URI)
    return given or f"{SQLITE}{_results(config) / 'mlflow.db'}"


def experiment_name(config: Config) -> str:
    """The configured one, or that of MLflow's own variable, or ours."""
    return config.tracking.experiment or os.environ.get(EXPERIMENT) or OUR_EXPERIMENT


def from_variables(config: Config) -> list[str]:
    """A sentence for each of MLflow's own variables that is heeded."""
    uri, experiment = os.environ.get(URI), os.environ.get(EXPERIMENT)
    notes = []
    if uri and not config.tracking.uri:
        notes.append(without_credentials(f"runs go to MLflow at {uri}, as {URI} says"))
    if experiment and not config.tracking.experiment:
        notes.append(f"runs go to MLflow's experiment {experiment!r}, as {EXPERIMENT} says")
    return notes


def artifact_location(config: Config) -> str | None:
    """Where artifacts go, as a URI; None lets a remote server decide, which knows where its other
    clients can read.

    Without an explicit one they would land in ``./mlruns`` of whichever process made the
    experiment.
    """
    if tracking_uri(config).startswith(HTTP):
        return None
    folder = re.sub(r"[^\w\-. ]", "_", experiment_name(config)).lstrip(".") or "_"
    return (_results(config) / "mlflow-artifacts" / folder).as_uri()


@contextmanager
def attempt(config: Config, what: str) -> Generator[Store]:
    """The open store, for a block that tries to do ``what``. Whatever it raises becomes a
    `TrackingError`.
    """
    uri = tracking_uri(config)
    try:
        yield _open(uri, experiment_name(config), artifact_location(config), _lock_path(config))
    except TrackingError:
        raise
    # the failures of MLflow, SQLAlchemy, requests and the disk have no narrower base
    except Exception as error:
        busy = LOCKED in str(error)
        raise TrackingError(
            without_credentials(
                f"MLflow at {uri} could not {what}: {LOCKED if busy else _first_sentence(error)}. "
                f"Nothing measured is lost: it is in the journal. {_remedy(uri, busy=busy)}, or go "
                "without MLflow: tracking.enabled=false"
            ),
            busy=busy,
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
    """Make sqlite's file with all its tables, or none: MLflow cannot go on from half of them, as a
    kill would leave them.
    """
    database = _database(uri)
    if database is None or database.exists():
        _refuse_anothers(database)
        return
    from mlflow.store.db import utils  # which has no types

    database.parent.mkdir(parents=True, exist_ok=True)
    new = database.with_name(f"{database.name}.new")
    new.unlink(missing_ok=True)
    with closing(sqlite3.connect(new)) as connection:
        # halves the cost of a metric, and readers block no writer
        connection.execute("pragma journal_mode=WAL")
    engine = utils.create_sqlalchemy_engine(  # type: ignore[no-untyped-call]
        f"{SQLITE}{new}"
    )
    utils._initialize_tables(engine)  # type: ignore[no-untyped-call]
    engine.dispose()
    new.replace(database)


def _refuse_anothers(database: Path | None) -> None:
    """MLflow would put its tables beside those of whatever program the database belongs to.

    Raises ``TrackingError``.
    """
    if database is None or not database.stat().st_size:
        return
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("select name from sqlite_master where type = 'table'")
        tables = {name for (name,) in rows}
    if tables and OF_MLFLOW not in tables:
        raise TrackingError(
            f"{database} is the database of another program, with the tables "
            f"{shortened(', '.join(sorted(tables)), 100)}; name one of MLflow's own, or a file "
            "that is not there yet: tracking.uri=sqlite:////FOLDER/mlflow.db"
        )


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


def _remedy(uri: str, *, busy: bool) -> str:
    if busy:
        return "See that no other program keeps it locked"
    if uri.startswith(HTTP):
        return f"See that the server runs and that tracking.uri, or {URI}, is its address"
    if uri.startswith(SQLITE):
        return "See that the place can be written and its disk is not full"
    return (
        "Give a database of SQLite's, as tracking.uri=sqlite:////FOLDER/mlflow.db, or the address "
        "of a server, as tracking.uri=http://HOST:PORT"
    )
