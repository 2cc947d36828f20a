"""Does each single call do its work? The audit holds what a whole sample has left; here one call in
its midst has to do all.

Who works in one call of n has the right results at the end of a sample, and passes the audit. With
the inputs changed before a call that chance has drawn, the results are right only if that very call
did the work: such an arm is found n - 1 times of n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from harness.conformance.compare import failures, verify
from harness.timing.worker.input_perturbation import CHANGING, changed_in_place
from harness.timing.worker.stale_results import RUNNING
from implementations.interface import Arrays, Phase, Prepared, Problem


def idle(
    broken_off: Callable[[Callable[[], object]], object],
    prepared: Prepared,
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    *,
    channels: Sequence[int] | None,
) -> str | None:
    """Why an arm is WRONG although its samples leave right results; None when nothing is found.

    ``broken_off(act)`` begins a sample as any other, and ends it with one call after ``act()``.
    ``arrays`` are what ``prepared`` works on in place; they are as before afterwards, to the bit.
    ``channels`` are looked at, or all. Without a forward only the output's gradient changes, since
    the rest is the saved statistics' own.
    """
    names = CHANGING if phase.has_forward else ("grad_output",)
    with ExitStack() as until_judged:
        broken_off(lambda: until_judged.enter_context(changed_in_place(arrays, names)))
        findings = verify(prepared.results(), problem, phase, arrays, channels=channels)
    # Running statistics have had as many updates as there were calls, and only the audit knows how
    # many.
    failed = [
        finding for finding in findings if not finding.passed and finding.quantity not in RUNNING
    ]
    return (
        f"it does not work in each call: one within a sample left {failures(failed)}"
        if failed
        else None
    )
