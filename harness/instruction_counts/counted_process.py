"""The process that callgrind watches: makes each call ready, and counts one of it.

    python -P counted_process.py REQUEST ANSWERS REQUESTS_LIBRARY

It is run as a file, and imports nothing but `implementations`, which may be another version's: of
the harness beside that one it needs nothing. REQUEST is JSON, a list of calls; ANSWERS gets a line
of JSON for each as soon as it is counted.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import implementations
from implementations.interface import Arrays, Phase, Problem, refusal

# Before the one that is counted: lazy imports, caches of Python's and of the library's, and the
# simulated caches, all of which start empty.
UNCOUNTED = 5
CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
OK, UNSUPPORTED, UNAVAILABLE, CRASHED = "OK", "UNSUPPORTED", "UNAVAILABLE", "CRASHED"


def refuse_to_compile(*_: object, **__: object) -> None:
    """In the place of `torch.compile`, which takes minutes here for each call."""
    raise implementations.Unsupported(
        "what torch.compile makes is not counted: compiling takes too long under valgrind"
    )


def main(request: str, answers: str, requests_library: str) -> None:
    torch.set_num_threads(1)
    torch.compile = refuse_to_compile  # type: ignore[assignment]
    callgrind = ctypes.CDLL(requests_library)
    with Path(answers).open("w", encoding="utf-8") as file:
        for number, call in enumerate(json.loads(Path(request).read_text(encoding="utf-8"))):
            status, reason = outcome(call, number, callgrind)
            file.write(json.dumps({"status": status, "reason": reason}) + "\n")
            file.flush()


def outcome(call: Mapping[str, Any], number: int, callgrind: ctypes.CDLL) -> tuple[str, str | None]:
    """What became of a call: a status, and the reason where it was not counted."""
    try:
        count(prepared(call), number, callgrind)
    except implementations.Unavailable as reason:
        return UNAVAILABLE, str(reason)
    except implementations.Unsupported as reason:
        return UNSUPPORTED, str(reason)
    except Exception as error:
        return CRASHED, f"{type(error).__name__}: {error}"
    return OK, None


def count(
    call: tuple[Callable[[], object], Callable[[], object]], number: int, callgrind: ctypes.CDLL
) -> None:
    """One call, after others that are not counted; what it consumes is made before."""
    arm, run = call
    gc.collect()  # here, since it walks through all of memory, and so through the simulated caches
    gc.disable()
    callgrind.begin_instrumentation()
    try:
        for _ in range(UNCOUNTED):
            arm()
            run()
        arm()
        count_one(run, number, callgrind)
    finally:
        callgrind.end_instrumentation()
        gc.enable()


def count_one(run: Callable[[], object], number: int, callgrind: ctypes.CDLL) -> None:
    """Counting ends even where the call raises: what begins it also ends it, by turns."""
    callgrind.begin_counting()
    try:
        run()
    finally:
        callgrind.end_counting(str(number).encode())


def prepared(call: Mapping[str, Any]) -> tuple[Callable[[], object], Callable[[], object]]:
    """What is done before a call, and the call. Raises ``Unsupported``, ``Unavailable``, and
    whatever the implementation does.
    """
    problem, phase = Problem(**call["problem"]), Phase(call["phase"])
    arrays, chosen = drawn(problem), call["implementation"]
    implementation = implementations.load(chosen)
    reason = refusal(implementation, problem, phase, "cpu")
    if reason is not None:
        raise implementations.Unsupported(reason)
    if call["way"] == "batch_norm":
        return (lambda: None), whole_call(problem, phase, arrays, implementation, chosen)
    ready = implementation.prepare(
        problem, phase, face=call["way"], outputs=call["outputs"], arrays=arrays
    )

    def run() -> None:
        ready()
        ready.synchronize()

    return (lambda: ready.arm(1)), run


def whole_call(
    problem: Problem, phase: Phase, arrays: Arrays, implementation: Any, chosen: Any
) -> Callable[[], object]:
    """`batch_norm` as a user calls it, by name, with a backward where the phase has one."""
    operands = [each for each in arrays.operands if each is not None]
    for operand in operands if phase.has_backward else ():
        operand.requires_grad_()

    def run() -> None:
        output = implementations.batch_norm(
            arrays.input,
            arrays.running_mean,
            arrays.running_var,
            arrays.weight,
            arrays.bias,
            phase.training,
            implementation=chosen if isinstance(chosen, str) else implementation,
            activation=problem.activation,
            residual=arrays.residual,
        )
        if phase.has_backward:
            torch.autograd.grad(output, operands, arrays.grad_output)

    return run


def drawn(problem: Problem) -> Arrays:
    """Operands from NumPy's PCG64, the same for any version of `implementations`."""
    generator = np.random.Generator(np.random.PCG64(0))

    def data() -> torch.Tensor:
        layout = torch.contiguous_format
        if problem.memory_format == "channels_last":
            layout = CHANNELS_LAST[len(problem.shape)]
        values = torch.from_numpy(generator.standard_normal(problem.shape))
        return values.to(getattr(torch, problem.dtype), memory_format=layout, copy=True)

    def parameter(low: float) -> torch.Tensor:
        values = torch.from_numpy(generator.uniform(low, low + 1, problem.channels))
        return values.to(getattr(torch, str(problem.parameter_dtype)), copy=True)

    return Arrays(
        input=data(),
        grad_output=data(),
        residual=data() if problem.residual else None,
        weight=parameter(0.5) if problem.weight else None,
        bias=parameter(-0.5) if problem.bias else None,
        running_mean=parameter(-0.5),
        running_var=parameter(0.5),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
