"""Counts of many calls in one process under valgrind.

Importing PyTorch there takes most of a minute, whatever is counted after it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which

from harness.environment import machine
from harness.instruction_counts.calls import CountedCall, CountOutcome, Counts
from harness.instruction_counts.dumps import read_counts
from harness.isolation import interruption
from harness.isolation.child_commands import ending_with_parent
from harness.isolation.places import HERE, Place
from harness.isolation.settings import ALWAYS, THREAD_COUNTS
from harness.records import Status
from harness.records.plain_data import to_json

OWN = Path(__file__).parent
# Valgrind 3.19 has no AVX-512, and nobody's machine should choose another path. An arm's own
# variables come after these.
INSTRUCTION_SET = {"BNBENCH_ISA": "v3", "ATEN_CPU_CAPABILITY": "avx2"}
# The model's caches: those of one core of a usual server, so that what exceeds 1 MiB comes from
# memory, on whatever machine it is counted.
CACHES = ("--I1=32768,8,64", "--D1=32768,8,64", "--LL=1048576,16,64")
CALLGRIND = (
    "valgrind",
    "--tool=callgrind",
    "--instr-atstart=no",
    "--collect-atstart=no",
    "--cache-sim=yes",
    *CACHES,
)
COMPILERS = ("cc", "gcc", "clang")
LAST_WORDS = 300  # characters of what a process wrote before it died
LOOK = 0.1  # seconds between two looks at a process
SECONDS = 1200.0  # for one process; import takes one or two minutes of it


def count(
    calls: Sequence[CountedCall], place: Place = HERE, *, seconds: float = SECONDS
) -> tuple[CountOutcome, ...]:
    """What becomes of each call with the code of one place, on one thread, in the AVX2 path.

    Where valgrind or a compiler is missing all are UNAVAILABLE, with the reason. A process that
    dies costs the call that it died in, and leaves those after it uncounted.
    """
    with tempfile.TemporaryDirectory(prefix="bnbench-") as folder:
        try:
            library = _compiled(Path(folder))
        except _MissingToolError as missing:
            return tuple(_uncounted(call, Status.UNAVAILABLE, str(missing)) for call in calls)
        return _counted(calls, place, Path(folder), library, seconds)


def count_both(
    calls: Sequence[CountedCall], base: Place, head: Place, *, seconds: float = SECONDS
) -> tuple[tuple[CountOutcome, CountOutcome], ...]:
    """The same of base and of head, paired by call; ``seconds`` are for each."""
    sides = (count(calls, place, seconds=seconds) for place in (base, head))
    return tuple(zip(*sides, strict=True))


class _MissingToolError(Exception):
    """What counting needs is not there; the message is the reason."""


def _compiled(folder: Path) -> Path:
    if which("valgrind") is None:
        raise _MissingToolError("valgrind is not installed (Debian: apt-get install valgrind)")
    if machine.processor().machine not in {"x86_64", "AMD64"}:
        raise _MissingToolError("instructions are counted in the AVX2 path, of x86-64 alone")
    compiler = next(filter(which, COMPILERS), None)
    if compiler is None:
        raise _MissingToolError(f"there is no C compiler; looked for {', '.join(COMPILERS)}")
    library = folder / "requests.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(OWN / "requests.c")]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        raise _MissingToolError(f"{compiler} fails: {built.stderr.strip()[:LAST_WORDS]}")
    return library


def _counted(
    calls: Sequence[CountedCall], place: Place, folder: Path, library: Path, seconds: float
) -> tuple[CountOutcome, ...]:
    request, answers = folder / "request.json", folder / "answers.jsonl"
    request.write_text(to_json(calls), encoding="utf-8")
    answers.touch()
    program = [str(OWN / "counted_process.py"), str(request), str(answers), str(library)]
    command = [
        *ending_with_parent(),
        *_same_addresses(),
        *CALLGRIND,
        f"--callgrind-out-file={folder / 'counts'}",
        place.interpreter or sys.executable,
        *("-P", *program),
    ]
    status = _run(command, _environment(place, folder), folder / "messages", seconds)
    if status is None:
        died = Status.TIMEOUT, f"counting was not done after {seconds:.0f} s"
    else:
        words = _last_words(folder / "messages") or f"exit status {status}"
        died = Status.CRASHED, f"the counted process died: {words}"
    return _outcomes(calls, folder, answers, died)


def _run(
    command: Sequence[str], environment: Mapping[str, str], messages: Path, seconds: float
) -> int | None:
    """The exit status; None where its time was over. An interruption ends the process."""
    end = time.monotonic() + seconds
    with messages.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            while process.poll() is None and time.monotonic() < end:
                interruption.wait(LOOK)
            return process.poll()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _outcomes(
    calls: Sequence[CountedCall], folder: Path, answers: Path, died: tuple[Status, str]
) -> tuple[CountOutcome, ...]:
    counts = read_counts(folder, "counts")
    # without a last line that was cut short
    lines = answers.read_text(encoding="utf-8").splitlines(keepends=True)
    found = [json.loads(line) for line in lines if line.endswith("\n")]
    outcomes = [
        _outcome(call, Status(answer["status"]), counts.get(number), answer["reason"])
        for number, (call, answer) in enumerate(zip(calls, found, strict=False))
    ]
    left = calls[len(found) :]
    outcomes += [_uncounted(call, *died) for call in left[:1]]
    reason = f"a call before it was the last: {died[1]}"
    return (*outcomes, *(_uncounted(call, Status.UNAVAILABLE, reason) for call in left[1:]))


def _environment(place: Place, folder: Path) -> dict[str, str]:
    """The same for every place but for what is its own. A folder goes by a link, whose path is as
    long for each, since the lengths of paths move what a process has in memory.
    """
    environment = place.environment({**os.environ, **INSTRUCTION_SET})
    if place.path is not None:
        link = folder / "code"
        link.symlink_to(Path(place.path).expanduser().resolve())
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [str(link), os.environ.get("PYTHONPATH")])
        )
    return {**environment, **dict.fromkeys(THREAD_COUNTS, "1"), **ALWAYS}


def _same_addresses() -> tuple[str, ...]:
    """Where the kernel allows it, which in some containers it does not."""
    command = ("setarch", "-R")
    if which(command[0]) is None:
        return ()
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return () if tried.returncode else command


def _outcome(
    call: CountedCall, status: Status, counts: Counts | None, reason: str | None
) -> CountOutcome:
    """A call that raised while it was counted has a count, which is of nothing."""
    if status is not Status.OK:
        return _uncounted(call, status, reason or "no reason is given")
    if counts is None:
        return _uncounted(call, Status.UNAVAILABLE, "callgrind wrote no count of it")
    return CountOutcome(call, status, counts)


def _uncounted(call: CountedCall, status: Status, reason: str) -> CountOutcome:
    return CountOutcome(call, status, reason=reason)


def _last_words(messages: Path) -> str:
    """The end of what it wrote, without valgrind's own lines."""
    lines = messages.read_bytes().decode(errors="replace").splitlines()
    return " ".join(one for one in lines if not one.startswith(("==", "--")))[-LAST_WORDS:].strip()
