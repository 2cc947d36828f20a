"""The files of a gate, for people and for the tools that read them: `gate.md`, `gate.json`,
`junit.xml`, and the JSON of github-action-benchmark.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from harness import formatting
from harness.analysis.gate_facts import GateCell, GateFacts
from harness.analysis.gate_outcomes import GateOutcome
from harness.records import ExitStatus, Plain
from harness.report.gate_words import HEADINGS, place, times, verdict_sentence
from harness.report.machine_readable import document, to_text
from harness.report.markdown.gate import gate_page

PAGE, FACTS, JUNIT, ACTION = "gate.md", "gate.json", "junit.xml", "github-action-benchmark.json"
SUMMARY, OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"  # variables that name files of a step


def write_gate_files(folder: Path, facts: GateFacts) -> None:
    """Write all four into a session's folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(gate_page(facts), encoding="utf-8")
    (folder / FACTS).write_text(to_text(gate_document(facts)), encoding="utf-8")
    ElementTree(junit(facts)).write(folder / JUNIT, encoding="utf-8", xml_declaration=True)
    text = json.dumps(action_benchmarks(facts), indent=2, ensure_ascii=False)
    (folder / ACTION).write_text(f"{text}\n", encoding="utf-8")


def tell_github(folder: Path, facts: GateFacts, variables: Mapping[str, str] = os.environ) -> None:
    """Append the page to the step's summary, and the verdict to its outputs, where a step of GitHub
    Actions names files for them.
    """
    page = (folder / PAGE).absolute()
    _append(variables.get(SUMMARY), gate_page(facts))
    _append(variables.get(OUTPUT), f"verdict={facts.verdict}\npage={page}\n")


def tell_github_undecided(reason: str, variables: Mapping[str, str] = os.environ) -> None:
    """The same of a gate that could not measure anything."""
    _append(
        variables.get(SUMMARY), f"## bnbench gate: UNDECIDED\n\n{formatting.plain(reason, 2000)}\n"
    )
    _append(variables.get(OUTPUT), "verdict=UNDECIDED\n")


def gate_document(facts: GateFacts) -> dict[str, Plain]:
    return document("gate", facts.verdict.status, {"verdict": facts.verdict, "facts": facts})


def undecided_document(reason: str) -> dict[str, Plain]:
    """Of a gate that could not measure anything."""
    return document("gate", ExitStatus.UNDECIDED, {"verdict": "UNDECIDED", "reason": reason})


def junit(facts: GateFacts) -> Element:
    """A test case for each cell: one that regressed fails, one that is undecided is skipped."""
    cells = facts.cells
    suite = Element(
        "testsuite",
        name="bnbench gate",
        tests=str(len(cells)),
        failures=str(sum(cell.outcome.is_regression for cell in cells)),
        skipped=str(sum(cell.outcome is GateOutcome.AMBIGUOUS for cell in cells)),
    )
    for cell in cells:
        case = SubElement(
            suite, "testcase", classname=_xml(cell.implementation), name=_xml(place(cell))
        )
        message = _xml(f"{cell.outcome}: {_note(cell)}")
        if cell.outcome.is_regression:
            SubElement(case, "failure", message=message, type=cell.outcome)
        elif cell.outcome is GateOutcome.AMBIGUOUS:
            SubElement(case, "skipped", message=message)
        else:
            SubElement(case, "system-out").text = message
    SubElement(suite, "system-out").text = _xml(f"{facts.verdict}: {verdict_sentence(facts)}")
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return root


def action_benchmarks(facts: GateFacts) -> list[dict[str, Plain]]:
    """As its ``customSmallerIsBetter`` reads them: ratios, since times of two jobs compare
    machines.
    """
    return [
        {
            "name": f"{cell.implementation}, {place(cell)}",
            "unit": "head / base",
            "value": cell.ratio.estimate,
            "range": f"{cell.ratio.low:.4g} to {cell.ratio.high:.4g}",
            "extra": f"{cell.outcome}: {_note(cell)}",
        }
        for cell in facts.cells
        if cell.ratio is not None
    ]


def _note(cell: GateCell) -> str:
    base, head, ratio = times(cell)
    said = f"base {base}, head {head}, head / base {ratio}" if cell.ratio is not None else ""
    reason = formatting.line(cell.reason or "")
    return "; ".join(filter(None, [said, reason])) or HEADINGS[cell.outcome]


def _xml(text: str) -> str:
    """One line without what XML cannot hold."""
    return formatting.line(text, 1000)


def _append(path: str | None, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
