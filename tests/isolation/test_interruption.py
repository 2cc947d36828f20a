"""A signal is heeded where it is safe to stop, wherever it falls, and is never lost."""

from __future__ import annotations

import os
import signal
import threading
import weakref
from collections.abc import Iterator

import pytest

from harness.isolation import interruption


@pytest.fixture
def _deferred() -> Iterator[None]:
    with interruption.deferred():
        yield


class Object:
    """Something that is collected while a signal comes."""


class Interrupted(Object):
    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("_deferred")
@pytest.mark.parametrize("collect", ["__del__", "weakref"])
def test_a_signal_that_falls_into_a_collection_is_heeded_after_it(collect: str) -> None:
    if collect == "__del__":
        Interrupted()
    else:
        collected = Object()
        reference = weakref.ref(collected, lambda _: os.kill(os.getpid(), signal.SIGINT))
        del collected
        assert reference() is None
    assert interruption.requested()
    with pytest.raises(KeyboardInterrupt):
        interruption.check()


@pytest.mark.usefixtures("_deferred")
@pytest.mark.parametrize("number", interruption.SIGNALS)
def test_a_signal_wakes_all_who_wait_in_whichever_thread(number: int) -> None:
    woken: list[type[BaseException]] = []

    def wait() -> None:
        with pytest.raises(KeyboardInterrupt) as caught:
            interruption.wait(600)
        woken.append(caught.type)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    os.kill(os.getpid(), number)
    with pytest.raises(KeyboardInterrupt):
        interruption.wait(600)
    for thread in threads:
        thread.join(30)
    assert len(woken) == 3


def test_a_wait_ends_with_something_to_read_or_with_its_time() -> None:
    reader, writer = os.pipe()
    assert interruption.wait(0.0, reader) is False
    os.write(writer, b"x")
    assert interruption.wait(600, reader) is True
    os.close(reader)
    os.close(writer)


@pytest.mark.usefixtures("_deferred")
def test_a_second_signal_ends_the_process_and_one_that_is_sent_twice_does_not(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ends: list[int] = []
    now = [100.0]
    monkeypatch.setattr("os._exit", ends.append)
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    os.kill(os.getpid(), signal.SIGINT)
    now[0] += interruption.SAME_REQUEST / 2
    os.kill(os.getpid(), signal.SIGINT)
    assert ends == []
    now[0] += interruption.SAME_REQUEST
    os.kill(os.getpid(), signal.SIGINT)
    assert ends == [130]
    assert capfd.readouterr().err.count("again (Ctrl-C) to end at once") == 1


def test_after_the_block_signals_do_what_they_did_and_nothing_is_requested() -> None:
    before = [signal.getsignal(number) for number in interruption.SIGNALS]
    told: list[str] = []
    with interruption.deferred():
        interruption.pass_on(lambda: told.append("passed on"))
        os.kill(os.getpid(), signal.SIGTERM)
        interruption.pass_on(lambda: told.append("late"))
    assert told == ["passed on", "late"]
    assert [signal.getsignal(number) for number in interruption.SIGNALS] == before
    assert not interruption.requested()
    interruption.check()
