"""A label says what it stands for wherever it is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from harness.records import CANARY, ArmSetting, ThroughputRecord
from harness.report import markdown
from harness.report.arm_settings import arm_sentences
from harness.report.terminal import closing_table
from tests.helpers import synthetic
from tests.helpers.records import throughput_record

ELSEWHERE = ArmSetting(
    "fused_cpu",
    python="../env/bin/python",
    variables={"BNBENCH_ISA": "v3"},
    versions={"python": "3.11.7", "scipy": "1.17", "torch": "2.12.1"},
    instruction_sets={"torch": "AVX512", "fused_cpu": "v3"},
)
SENTENCE = (
    "v3 is fused_cpu with python=../env/bin/python, BNBENCH_ISA=v3; in force there: "
    "python 3.11.7, torch 2.12.1, torch uses AVX512, fused_cpu uses v3."
)


def labelled(name: str, setting: ArmSetting | None) -> ThroughputRecord:
    record = throughput_record(name)
    made: ThroughputRecord = replace(record, identity=replace(record.identity, arm=setting))
    return made


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (ELSEWHERE, SENTENCE),
        (ArmSetting("numpy"), "v3 is numpy."),
        (
            ArmSetting("numpy", path="base"),
            "v3 is numpy with path=base; what is in force there could not be learned.",
        ),
    ],
)
def test_an_arm_is_told_with_its_place_and_what_is_in_force_there(
    setting: ArmSetting, sentence: str
) -> None:
    assert list(arm_sentences([labelled("v3", setting)] * 2)) == [sentence]


def test_arms_without_a_setting_and_the_canary_are_not_told_of() -> None:
    assert not list(arm_sentences([labelled("numpy", None), labelled(CANARY, ELSEWHERE)]))


def test_two_versions_under_one_label_are_both_told_of() -> None:
    later = replace(ELSEWHERE, versions={"python": "3.11.7", "torch": "2.14.0"})
    told = list(arm_sentences([labelled("v3", ELSEWHERE), labelled("v3", later)]))
    assert ["2.12.1" in told[0], "2.14.0" in told[1]] == [True, True]


def test_the_closing_table_and_the_report_tell_of_it(tmp_path: Path) -> None:
    records = [
        replace(record, identity=replace(record.identity, arm=ELSEWHERE))
        if record.implementation == "numpy"
        else record
        for record in synthetic.throughput(synthetic.cell(), {"torch_native": 1.0, "numpy": 2.0})
    ]
    console = Console(width=200)
    with console.capture() as capture:
        console.print(closing_table(records))
    assert SENTENCE.replace("v3 is", "numpy is", 1) in capture.get()
    contents = synthetic.journal(tmp_path / "journal", records)
    page = markdown.write(contents, "s1", tmp_path / "report").read_text()
    assert "- `numpy` is `fused_cpu` with `python=../env/bin/python`, `BNBENCH_ISA=v3`; in" in page
