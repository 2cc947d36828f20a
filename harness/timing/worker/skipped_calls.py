"""Whether each single call does its work.

`stale_results` looks at what a whole sample has left, and an arm that works in one call of n has
the right results at the end of a sample. Here the inputs change before a call that chance has
drawn, so that results are right only if that very call did all the work: such an arm is found n - 1
times of n.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.timing.worker.input_perturbation import CHANGING, changed_in_place
from harness.timing.worker.repeated_updates import RUNNING
from implementations.interface import Arrays, Phase, Prepared, Problem


def find_skipped_call(
    break_off: Callable[[Callable[[], object]], object],
    prepared: Prepared,
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    *,
    channels: Sequence[int] | None,
) -> str | None:
    """Why an arm is WRONG although its samples leave right results; None when nothing is found.

    ``break_off(act)`` begins a sample as any other, and ends it with one call after ``act()``.
    ``arrays`` are what ``prepared`` works on in place; afterwards they are as before, to the bit.
    ``channels`` are looked at, or all. Without a forward only the output's gradient changes, since
    the rest belongs to the saved statistics.
    """
    names = CHANGING if phase.has_forward else ("grad_output",)
    with ExitStack() as changes:
        break_off(lambda: changes.enter_context(changed_in_place(arrays, names)))
        found = compare_with_oracle(prepared.results(), problem, phase, arrays, channels=channels)
    # Running statistics have had as many updates as there were calls, which is not known here.
    failed = [check for check in found if not check.passed and check.quantity not in RUNNING]
    if not failed:
        return None
    return f"it does not work in each call: one within a sample left {failure_summary(failed)}"
