"""Judge a mutant: by what `bnbench check numpy` says in a copy that has it, and then by the suite's
own tests there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.experiments.mutation.mutants import Mutant
from tests.experiments.mutation.workshop import Ran, Workshop

CHECKING = Path(__file__).parent / "checking.py"
TESTED = "harness/conformance/"  # a mutant in here is judged by the suite's own tests too
TESTING = (
    "-m",
    "pytest",
    "tests/conformance",
    "-x",
    "-q",
    "--hypothesis-seed=0",
    "-p",
    "no:cacheprovider",
)
TOLD = 300  # characters of a reason that are kept


class WrongCode(Exception):  # noqa: N818 -- nothing is proved, so the experiment ends
    """Other code than the copy's ran."""


@dataclass(frozen=True)
class Outcome:
    """Caught ``by`` the "check" or the "tests", or by neither, when it is empty; ``first`` is the
    case or test that failed first. ``statuses`` counts the check's records by status, ``failed``
    how many of them had failed.
    """

    by: str = ""
    first: str = ""
    reason: str = ""
    failed: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)

    @property
    def caught(self) -> bool:
        return bool(self.by)


def judge(workshop: Workshop, mutant: Mutant | None, cases: str = "*") -> Outcome:
    """What catches the mutant first; of None, the unchanged code, both judges are asked. Raises
    ``WrongCode``.
    """
    with workshop.copy(mutant) as copy:
        outcome = by_check(workshop, copy, cases)
        if outcome.caught or not (mutant is None or mutant.file.startswith(TESTED)):
            return outcome
        then = by_tests(workshop, copy)
        return then if then.caught else outcome


def by_check(workshop: Workshop, copy: Path, cases: str = "*") -> Outcome:
    """Whether any record of numpy has failed, or the check could not be made to its end."""
    answer = copy / "answer.json"
    ran = workshop.run(copy, "-P", str(CHECKING), str(copy), str(answer), cases)
    if ran.status != 0:
        return _ended("check", ran)
    said = json.loads(answer.read_text(encoding="utf-8"))
    if said["foreign"]:
        raise WrongCode(f"the copy is {copy}, but what ran was {said['foreign'][0]}")
    if not said["failed"]:
        return Outcome(statuses=said["statuses"])
    first = said["failed"][0]
    return Outcome(
        "check",
        first["case"],
        f"{first['status']}: {first['reason']}"[:TOLD],
        len(said["failed"]),
        said["statuses"],
    )


def by_tests(workshop: Workshop, copy: Path) -> Outcome:
    """Whether the suite's own tests, its proof that it can fail, no longer hold."""
    report = copy / "tests.xml"
    ran = workshop.run(copy, *TESTING, f"--junit-xml={report}")
    if ran.status == 0:
        return Outcome()
    for found in (
        ET.parse(report).iter("testcase") if ran.status is not None and report.exists() else ()
    ):
        for fault in [*found.iter("failure"), *found.iter("error")]:
            raised = (line[1:] for line in (fault.text or "").splitlines() if line.startswith("E "))
            said = " ".join(next(raised, fault.get("message", "")).split())
            return Outcome(
                "tests",
                f"{found.get('classname')}::{found.get('name')}".removeprefix("::"),
                said[:TOLD],
            )
    return _ended("tests", ran)


def _ended(by: str, ran: Ran) -> Outcome:
    """A judge that did not come to its end: nobody who runs it would take that for a pass."""
    if ran.status is None:
        return Outcome(by, "timeout", "it took too long and was killed")
    return Outcome(by, "it could not be run", ran.last_words[:TOLD])
