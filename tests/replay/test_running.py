"""From the name of a session to the outcomes of its replay, with measurements made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness import tracking
from harness.analysis.completeness import Completeness
from harness.config import Config, UsageError, composition
from harness.environment import Environment, capture
from harness.isolation.lock_holders import SESSION
from harness.records import Interval, ThroughputRecord
from harness.replay import Outcome, exit_status, rerun, running
from harness.store import Journal, Plan, SessionStart
from harness.tasks import throughput
from tests.helpers.commands import SMALL
from tests.helpers.made_records import speed_record

BEFORE = Interval(0.5, 0.498, 0.502)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session tells its jobs through variables, which end with the test."""
    for name in (SESSION, tracking.PARENT_RUN):
        monkeypatch.setenv(name, "")


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    """Where a session of two arms and the canary was recorded, each with ratio `BEFORE`."""
    here = [f"results={tmp_path}", "tracking=none"]
    composition.register()
    [config] = composition.composed([*here, *SMALL, "problem.shapes=[[4,3,5]]"]).configs
    environment = capture()
    records = speeds(config, environment, BEFORE)
    keys = tuple(record.key for record in records)
    journal = Journal(config.journal)
    journal.begin(SessionStart("recorded", environment=environment))
    journal.plan(Plan("recorded", "0", "throughput", asdict(config), keys))
    for record in records:
        journal.append(record)
    return here


def speeds(
    config: Config, environment: Environment, ratio: Interval, session: str = "recorded"
) -> list[ThroughputRecord]:
    """A record for all that the configuration plans."""
    return [
        replace(speed_record(ratio, identity.implementation), identity=identity, session=session)
        for identity in throughput.plan(config, environment)
    ]


@pytest.mark.parametrize(
    ("after", "outcome", "status"),
    [
        (Interval(0.501, 0.499, 0.503), Outcome.SAME, 0),
        (Interval(0.4, 0.39, 0.41), Outcome.FASTER, 0),
        (Interval(0.6, 0.59, 0.61), Outcome.SLOWER, 1),
        (Interval(0.52, 0.4, 0.7), Outcome.AMBIGUOUS, 3),
    ],
)
def test_recorded_speeds_are_compared_with_those_of_the_replay(
    monkeypatch: pytest.MonkeyPatch,
    place: Sequence[str],
    after: Interval,
    outcome: Outcome,
    status: int,
) -> None:
    monkeypatch.setattr(
        rerun,
        "measure",
        lambda config, session, _, wanted, environment: speeds(config, environment, after, session),
    )
    replays = running.replay("recorded", None, place, ["bnbench", "replay"], lambda _: None)
    assert [replay.outcome for replay in replays] == [outcome] * 3
    assert {replay.original.record.session for replay in replays} == {"recorded"}
    assert exit_status(replays) == status


def test_a_level_that_speeds_do_not_have_is_refused_before_anything_is_run(
    place: Sequence[str], tmp_path: Path
) -> None:
    before = Journal(tmp_path / "journal").path.read_text()
    with pytest.raises(UsageError, match="--level bitwise is not available for task=throughput"):
        running.replay("recorded", "bitwise", place, [], lambda _: None)
    assert Journal(tmp_path / "journal").path.read_text() == before


def test_a_group_cannot_be_replaced_as_a_whole(place: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="problem=ten: a replay changes keys"):
        running.replay("recorded", None, [*place, "problem=ten"], [], lambda _: None)


def test_a_key_that_changes_nothing_is_refused(place: Sequence[str]) -> None:
    with pytest.raises(UsageError, match="resume=true has no effect: a replay runs everything"):
        running.replay("recorded", None, [*place, "resume=true"], [], lambda _: None)
    with pytest.raises(UsageError, match=r"margin=0.1 and margin=0.2 contradict each other"):
        running.replay("recorded", None, [*place, "margin=0.1", "margin=0.2"], [], lambda _: None)


def test_a_part_of_a_session_that_comes_out_the_same_is_not_the_whole(
    monkeypatch: pytest.MonkeyPatch, place: Sequence[str], tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal")
    [plan] = journal.read().plans
    journal.plan(replace(plan, job="1", keys=("feedfacefeedface",)))
    monkeypatch.setattr(
        rerun,
        "measure",
        lambda config, session, _, wanted, environment: speeds(
            config, environment, BEFORE, session
        ),
    )
    facts: list[Completeness] = []
    replays = running.replay("recorded", None, place, ["bnbench", "replay"], facts.append)
    assert facts == [Completeness(planned=4, missing=1)]
    assert exit_status(replays) == 0
    assert exit_status(replays, complete=facts[0].complete) == 3


def test_a_session_without_a_record_says_so(place: Sequence[str], tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.begin(SessionStart("killed"))
    journal.plan(Plan("killed", "0", "throughput", {}, ("feedfacefeedface",)))
    with pytest.raises(UsageError, match="no record to replay: it planned 1 and measured none"):
        running.replay("killed", None, place, [], lambda _: None)
