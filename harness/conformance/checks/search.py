"""A search for an example that breaks a law: hypothesis draws, and shrinks what it finds. The same
examples every time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from harness.conformance.compare import QuantityCheck
from implementations import Unsupported

Draw = Callable[[str, st.SearchStrategy[Any]], Any]


class _FalsifiedError(Exception):
    """An example breaks the law."""

    def __init__(self, findings: list[QuantityCheck], example: str) -> None:
        super().__init__(example)
        self.findings = findings


def search(
    law: Callable[[Draw], Iterable[QuantityCheck]],
    examples: int,
    seed: int = 0,
    *,
    refusals: bool = True,
) -> Iterator[QuantityCheck]:
    """What a law finds: of the simplest example that breaks it, or else the worst of each quantity
    in all examples.

    ``law`` draws what it needs by name, and gives its findings. What else it raises is raised,
    ``Unsupported`` where ``refusals`` are of interest; elsewhere an example that is refused is
    passed over, and only if all are that is raised.
    """
    worst: dict[str, QuantityCheck] = {}

    def holds(data: st.DataObject) -> None:
        drawn: dict[str, Any] = {}

        def draw(name: str, strategy: st.SearchStrategy[Any]) -> Any:
            drawn[name] = data.draw(strategy)
            return drawn[name]

        try:
            findings = list(law(draw))
        except Unsupported:
            if refusals:
                raise
            hypothesis.reject()
        if not all(finding.passed for finding in findings):
            raise _FalsifiedError(
                findings, ", ".join(f"{name} = {value}" for name, value in drawn.items())
            )
        for finding in findings:
            before = worst.get(finding.quantity, finding)
            worst[finding.quantity] = max(before, finding, key=lambda one: one.ratio)

    try:
        hypothesis.seed(seed)(_settings(examples)(hypothesis.given(st.data())(holds)))()
    except _FalsifiedError as broken:
        yield from (
            replace(finding, quantity=f"{finding.quantity}, for {broken},")
            for finding in broken.findings
        )
    except hypothesis.errors.Unsatisfiable:
        raise Unsupported("it refuses every example that was drawn") from None
    else:
        yield from worst.values()


def _settings(examples: int) -> hypothesis.settings:
    # Its cache of constants in our source is written wherever the command was called, if it is not
    # set otherwise.
    set_hypothesis_home_dir(str(Path(tempfile.gettempdir()) / "bnbench-hypothesis"))
    return hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        verbosity=hypothesis.Verbosity.quiet,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
