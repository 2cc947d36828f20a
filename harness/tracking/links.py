"""Addresses of MLflow's pages that show a session. Its UI opens on a page that shows none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from harness.tracking.sessions import KIND, PARENT
from harness.tracking.store import HTTP, attempt, tracking_uri
from implementations.published_text import without_credentials

if TYPE_CHECKING:
    from harness.config import Config

COMPARED = 20  # runs on one comparison page; more make its plots unreadable and its address long
UI = "http://127.0.0.1:5000"


def links(
    config: Config,
    parent_run_id: str,
    children: Mapping[str, Sequence[str]],
    base: str | None = None,
) -> list[tuple[str, str]]:
    """Titles and addresses of the experiment, the session and, for each task, the first `COMPARED`
    records side by side.

    ``base`` is the server's address: by default that of ``tracking.uri`` if it is one, else of
    `bnbench ui`.
    """
    uri = tracking_uri(config)
    base = (base or (without_credentials(uri) if uri.startswith(HTTP) else UI)).rstrip("/")
    with attempt(config, "find the experiment") as store:
        experiment = f"{base}/#/experiments/{store.experiment_id}"
        pages = [
            ("all runs", f"{experiment}/runs?workflowType=machine_learning"),
            ("this session", f"{experiment}/runs/{parent_run_id}"),
        ]
        for task, ids in children.items():
            if len(ids) > 1:
                runs, experiments = _json(ids[:COMPARED]), _json([store.experiment_id])
                pages.append(
                    (
                        f"{task} side by side",
                        f"{base}/#/compare-runs?runs={runs}&experiments={experiments}",
                    )
                )
        return pages


def latest_session(config: Config) -> str | None:
    """The parent run that was begun last, or None in an empty store."""
    found = _search(config, f"tags.{KIND} = 'session'", 1)
    return found[0] if found else None


def records_of(config: Config, parent_run_id: str, task: str) -> list[str]:
    """A session's newest child runs of a task, at most `COMPARED`, those with figures only."""
    return _search(
        config,
        f"tags.`{PARENT}` = '{parent_run_id}' and tags.status = 'OK' and tags.task = '{task}'",
        COMPARED,
    )


def _search(config: Config, query: str, most: int) -> list[str]:
    with attempt(config, f"search for runs with {query}") as store:
        runs = store.client.search_runs(
            [store.experiment_id], query, max_results=most, order_by=["attributes.start_time DESC"]
        )
        return [run.info.run_id for run in runs]


def _json(ids: Sequence[str]) -> str:
    return quote(json.dumps(list(ids), separators=(",", ":")))
