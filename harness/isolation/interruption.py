"""Ctrl-C and SIGTERM, heeded where it is safe to stop: between records, and in waits.

An exception that a signal's handler raises can come up anywhere, also in a weakref's callback or a
``__del__``, where Python prints it and drops it. So the handler leaves a mark, and wakes those who
wait here. Where nothing is `deferred` (in a notebook, say), signals do what they always do.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from harness.records import ExitStatus

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A terminal, and a program that passes signals on, may send one request twice within this time.
SAME_REQUEST = 0.5  # seconds
NOTICE = b"\ninterrupted: ending in good order; again (Ctrl-C) to end at once\n"
SHOW_CURSOR = b"\x1b[?25h"  # which a progress bar has hidden


class _Request:
    """Whether this process was asked to end. ``wake`` has something to read from then on."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.wake, self._waker = os.pipe()
        self.pass_on: Callable[[], None] | None = None
        self.notice = NOTICE

    def make(self) -> None:
        if self.since is None:
            self.since = time.monotonic()
            os.write(self._waker, b"!")
            if self.pass_on is not None:
                self.pass_on()

    def forget(self) -> None:
        self.pass_on = None
        if self.since is not None:
            self.since = None
            os.read(self.wake, 1)


_request = _Request()


def defer(*, notify: bool = True) -> None:
    """From now on, SIGINT and SIGTERM are a request that `check` and `wait` raise as
    ``KeyboardInterrupt``. A second one ends the process at once, as a message says with ``notify``.

    Outside the main thread, where Python allows no handlers, it changes nothing.
    """
    if threading.current_thread() is threading.main_thread():
        _request.notice = NOTICE if notify else b""
        for number in SIGNALS:
            signal.signal(number, _note)


@contextmanager
def deferred() -> Iterator[None]:
    """`defer` within the block."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    defer()
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)
        _request.forget()


def pass_on(request: Callable[[], None]) -> None:
    """Have a request passed on to the processes of jobs, too. It is called by a signal's handler,
    so it may only write to files.
    """
    _request.pass_on = request
    if requested():
        request()


def requested() -> bool:
    return _request.since is not None


def request() -> None:
    """What a signal does, from any thread."""
    _request.make()


def check() -> None:
    """Raise ``KeyboardInterrupt`` where it was requested."""
    if requested():
        raise KeyboardInterrupt


def wait(seconds: float, readable: int | None = None) -> bool:
    """Wait until there is something to read from the descriptor, at most so long; whether there is.

    Raises ``KeyboardInterrupt`` as soon as it is requested.
    """
    descriptors = [_request.wake] if readable is None else [_request.wake, readable]
    ready = select.select(descriptors, [], [], max(seconds, 0))[0]
    check()
    return readable in ready


def _note(_number: int, _frame: FrameType | None) -> None:
    since = _request.since
    if since is not None and time.monotonic() - since > SAME_REQUEST:
        with suppress(OSError):
            os.write(2, SHOW_CURSOR if os.isatty(2) else b"")
        os._exit(ExitStatus.INTERRUPTED)  # the kernel ends the workers with it
    if since is None:
        with suppress(OSError):
            os.write(2, _request.notice)
    _request.make()
