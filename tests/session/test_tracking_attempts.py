"""What fails in MLflow costs no measurement, and is done again later, in order, or told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.isolation import interruption
from harness.session import tracking_attempts
from harness.session.tracking_attempts import PATIENCE, PAUSE, attempt, attempt_until_done, catch_up
from harness.tracking import TrackingError


class Store:
    """One that fails while it is locked or gone, on a clock of its own."""

    def __init__(self) -> None:
        self.now, self.done, self.tried = 0.0, list[str](), 0
        self.locked_until = self.gone_until = 0.0

    def act(self, name: str) -> Callable[[], str]:
        def action() -> str:
            self.tried += 1
            if self.now < self.locked_until:
                raise TrackingError("database is locked", busy=True)
            if self.now < self.gone_until:
                raise TrackingError("no such host")
            self.done.append(name)
            return name

        return action

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(tracking_attempts, "_attempts", tracking_attempts._Attempts())
    monkeypatch.setattr("time.monotonic", lambda: made.now)
    monkeypatch.setattr("time.sleep", made.sleep)
    return made


def test_what_falls_into_a_lock_is_done_later_in_its_order(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    attempt_until_done(store.act("first"))
    store.locked_until = 30.0
    for name in ("second", "third"):
        attempt_until_done(store.act(name))
    assert store.done == ["first"]
    assert store.tried == 2  # in the pause that follows a failure nothing is tried
    store.now = PAUSE + 1
    attempt_until_done(store.act("fourth"))
    assert store.done == ["first", "second", "third", "fourth"]
    assert capsys.readouterr().err.count("tracking failed") == 1


def test_the_end_of_a_session_waits_for_a_locked_store(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.locked_until = 60.0
    attempt_until_done(store.act("record"))
    attempt_until_done(store.act("end state"))
    catch_up()
    assert store.done == ["record", "end state"]
    assert "is locked" in capsys.readouterr().err


@pytest.mark.parametrize(("reason", "waits"), [("locked_until", True), ("gone_until", False)])
def test_what_cannot_be_done_in_the_end_is_told_and_only_a_lock_is_waited_for(
    store: Store, capsys: pytest.CaptureFixture[str], reason: str, waits: bool
) -> None:
    setattr(store, reason, 1e9)
    attempt_until_done(store.act("record"))
    catch_up()
    assert store.done == []
    assert (store.now >= PATIENCE) is waits
    assert "MLflow lacks 1 entries" in capsys.readouterr().err
    catch_up()  # it is told once


def test_who_interrupts_is_not_kept_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interruption, "requested", lambda: True)
    store.locked_until = 60.0
    attempt_until_done(store.act("end state"))
    catch_up()
    assert store.now == 0.0


def test_an_answer_is_given_or_none(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert attempt(store.act("answer")) == "answer"
    store.locked_until = 10.0
    assert attempt(store.act("patient"), patience=PATIENCE) == "patient"
    store.gone_until = 1e9
    assert attempt(store.act("gone"), patience=PATIENCE) is None
    assert attempt(store.act("paused")) is None
