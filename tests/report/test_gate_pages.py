"""What a gate says, wherever that is: the verdict first, what is broken loud, the same folded."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from harness.analysis.gate_facts import GateFacts
from harness.analysis.gate_outcomes import GateOutcome
from harness.records import Status, StopReason
from harness.report.gate_files import (
    ACTION,
    FACTS,
    JUNIT,
    OUTPUT,
    PAGE,
    SUMMARY,
    action_benchmarks,
    tell_github,
    tell_github_undecided,
    write_gate_files,
)
from harness.report.markdown.gate import CUT, LONGEST, MARKER, gate_page
from harness.report.terminal.gate import gate_table
from tests.helpers.gate_facts import cells, facts

BROKEN = cells((1.0,), {"head": Status.WRONG})
MIXED = facts([*cells((1.0, 1.1, 0.9)), *BROKEN])


def shown(given: GateFacts, width: int = 120) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(gate_table(given))
    return output.getvalue()


def test_the_page_has_the_marker_then_the_verdict_then_what_is_wrong_and_folds_the_rest():
    page = gate_page(MIXED)
    order = [
        MARKER,
        "## bnbench gate: REGRESSION",
        "BROKEN 1, SLOWER 1 of 4 cells",
        "### BROKEN",
        "### SLOWER",
        "<details><summary>FASTER 1",
        "<details><summary>SAME 1",
        "at most 1 % of gates of two equal trees raise an alarm",
    ]
    places = [page.index(part) for part in order]
    assert places == sorted(places)
    assert page.startswith(MARKER)
    assert "a wrong result" not in page[: page.index("### BROKEN")]


def test_the_terminal_begins_with_the_verdict_and_counts_what_is_the_same():
    text = shown(MIXED)
    assert text.startswith("REGRESSION  BROKEN 1, SLOWER 1 of 4 cells.")
    assert "not listed: SAME 1" in text
    assert text.index("BROKEN ") < text.index("SLOWER ")
    assert "main (commit aaaaaaaaaa)" in text
    assert "v2 (commit cccccccccc with changes in my_bn.py)" in text


def test_the_terminal_fits_a_narrow_one():
    assert max(map(len, shown(MIXED, 60).splitlines())) <= 60


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (facts(cells((1.0, 0.9))), "No regression in 2 cells: FASTER 1, SAME 1."),
        (
            facts(cells((1.0,), flagged=["head"])),
            "In 1 of 1 cell head may be slower by more than 3",
        ),
        (facts([]), "Nothing could be compared in 0 cells: none was measured."),
        (facts(cells((1.0,)), incomplete=("2 of 9 missing.",)), "2 of 9 missing."),
    ],
)
def test_the_sentence_says_what_the_verdict_rests_on(given, sentence):
    assert sentence in shown(given)
    assert sentence in gate_page(given)


@pytest.mark.parametrize(
    ("stopped", "advice"),
    [
        (StopReason.BUDGET, "give it more time, as with gate.seconds=600"),
        (StopReason.LAUNCHES, "allow more launches, as with task.most_launches=16"),
    ],
)
def test_what_stopped_an_undecided_cell_says_what_it_lacks(stopped, advice):
    noisy = [replace(one, stopped=stopped) for one in cells((1.0,), noise=0.3)]
    assert advice in gate_page(facts(noisy)).replace("\\_", "_")
    doubtful = [replace(one, doubtful=True) for one in cells((1.0,), flagged=["head"])]
    assert "the notes on them say why" in gate_page(facts(doubtful))


def test_two_equal_trees_are_told_as_that():
    same = replace(MIXED, head=MIXED.base)
    assert "Both are the same tree." in gate_page(same)


def test_a_page_stays_within_a_comment_and_says_where_the_rest_is():
    [broken] = BROKEN
    many = [replace(broken, reason="<script>| no" * 20, implementation=f"a{n}") for n in range(900)]
    page = gate_page(facts(many))
    assert len(page) <= LONGEST
    assert CUT in page
    assert "<script>" not in gate_page(facts(many[:1]))


def test_the_files_are_read_by_other_tools(tmp_path: Path):
    write_gate_files(tmp_path / "new", MIXED)
    folder = tmp_path / "new"
    data = json.loads((folder / FACTS).read_text())
    assert (data["schema"], data["verdict"], data["status"]) == (1, "REGRESSION", 1)
    assert [one["outcome"] for one in data["facts"]["cells"]].count("BROKEN") == 1
    suite = ET.parse(folder / JUNIT).getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "2")
    assert len(suite.findall("testcase/failure")) == 2
    for one in json.loads((folder / ACTION).read_text()):
        assert {"name", "unit", "value", "range", "extra"} == one.keys()
        assert isinstance(one["value"], float)


def test_what_has_no_ratio_is_no_benchmark_of_the_action():
    assert len(action_benchmarks(MIXED)) == 3


def test_a_reason_with_what_xml_cannot_hold_is_written_as_its_escape(tmp_path: Path):
    [broken] = BROKEN
    write_gate_files(tmp_path, facts([replace(broken, reason="\x1b[31m\x00<&")]))
    failure = ET.parse(tmp_path / JUNIT).find(".//failure")
    assert "\\x1b[31m\\x00<&" in failure.get("message")


def test_github_is_told_by_the_files_that_a_step_names(tmp_path: Path):
    variables = {SUMMARY: str(tmp_path / "summary"), OUTPUT: str(tmp_path / "output")}
    (tmp_path / "summary").write_text("before\n")
    write_gate_files(tmp_path, MIXED)
    tell_github(tmp_path, MIXED, variables)
    assert (tmp_path / "summary").read_text() == "before\n" + gate_page(MIXED)
    output = (tmp_path / "output").read_text()
    assert output == f"verdict=REGRESSION\npage={tmp_path / PAGE}\n"


def test_github_is_told_of_a_gate_that_could_not_begin(tmp_path: Path):
    variables = {SUMMARY: str(tmp_path / "summary"), OUTPUT: str(tmp_path / "output")}
    tell_github_undecided("base does not build: <no>", variables)
    assert "UNDECIDED\n\nbase does not build: &lt;no>" in (tmp_path / "summary").read_text()
    assert (tmp_path / "output").read_text() == "verdict=UNDECIDED\n"


def test_without_github_nothing_is_written(tmp_path: Path):
    write_gate_files(tmp_path, MIXED)
    before = sorted(tmp_path.iterdir())
    tell_github(tmp_path, MIXED, {})
    assert sorted(tmp_path.iterdir()) == before


def test_every_outcome_has_a_heading_and_a_place():
    for outcome in GateOutcome:
        [made] = BROKEN
        assert outcome in gate_page(facts([replace(made, outcome=outcome)]))
