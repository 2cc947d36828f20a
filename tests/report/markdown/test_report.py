"""A report says all that the journal holds, shows no failure as a number, and is the same for the
same journal.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.records import Status
from harness.report import write
from harness.report.markdown import writing
from harness.report.markdown.writing import MOST_DRAWN
from harness.store import Contents
from tests.helpers import synthetic
from tests.helpers.pages import rows, written
from tests.helpers.synthetic import BASELINE, SPEEDS, cell
from tests.helpers.trainings import with_cell


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def contents(folder: Path) -> Contents:
    return synthetic.journal(
        folder / "journal", synthetic.everything(), missing=["feedfacefeedface"], torn=True
    )


@pytest.fixture(scope="module")
def report(contents: Contents, folder: Path) -> str:
    return write(contents, "s1", folder / "out").read_text(encoding="utf-8")


def of_the_second_section(report: str, start: str) -> str:
    return rows(report[report.index("\n### 2.") :], start)[0]


def test_the_same_journal_gives_the_same_report(
    contents: Contents, report: str, tmp_path: Path
) -> None:
    assert write(contents, "s1", tmp_path).read_text(encoding="utf-8") == report


def test_every_figure_is_linked_and_there(report: str, folder: Path) -> None:
    linked = set(re.findall(r"\]\((figures/[^)]+)\)", report))
    assert linked == {
        str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.png")
    }
    assert linked == {
        "figures/speed-1-1.png",
        "figures/speed-2-1.png",
        "figures/accuracy-1-1.png",
        "figures/accuracy-2-1.png",
        "figures/floor-1-1.png",
        "figures/floor-2-1.png",
        "figures/curves-1.png",
    }


def test_verdicts_come_before_any_table(report: str) -> None:
    first = report[: report.index("| ---")]
    assert "`torch_compile`: **FASTER** in 10 of 10 cells; 0.82 times the baseline's time" in first
    assert (
        "`numpy` **failed 2 of 15 cases** (1 WRONG, 1 CRASHED) and passed 8; 5 UNSUPPORTED."
        in first
    )
    assert "`torch_native` passed all 27 cases." in first
    assert "**1 of 152 planned records missing**" in first
    assert "`none` **missed** 90 % validation accuracy within 200 steps in 2 of 3 seeds" in first


def test_command_and_environment_and_configuration_are_told(report: str) -> None:
    for sentence in (
        "bnbench run problem=resnet50 'implementations=[a,b]'",
        "cpu.model = EPYC",
        "torch = 2.13.0",
        "load = 0.5",
        f"`{synthetic.ENVIRONMENT}`",
        "task.name = all",
    ):
        assert sentence in report


def test_all_arms_of_a_cell_stand_side_by_side(report: str) -> None:
    header = rows(report, "float32 relu")[0]
    assert (
        header
        == "| float32 relu | `torch_native` | `torch_compile` | `torch_unfused` | `numpy` | A/A |"
    )
    entries = rows(report, "32×64×112×112")[0].split(" | ")
    assert re.fullmatch(
        r"49\.\d ms<br>baseline<br>×floor 2\.\d\d \[2\.\d\d, 2\.\d\d\]"
        r"<br>error 8\.0e-8 \(`grad_weight`\)",
        entries[1],
    )
    assert re.fullmatch(
        r"\d+ ms<br>\d\.\d\d \[\d\.\d\d, \d\.\d\d\]<br>\*\*SLOWER\*\*, MDE [\d.]+ %"
        r"<br>×floor 23\.\d \[23\.\d, 2\d\.\d\]<br>error 6\.0e-8 \(`grad_weight`\)",
        entries[4],
    )
    assert re.fullmatch(r"1\.00 \[0\.99, 1\.01\] \|", entries[5])


def test_a_failure_is_a_status_with_its_reason_and_never_a_number(report: str) -> None:
    entry = of_the_second_section(report, "32×256×56×56").split(" | ")[4]
    assert entry == "**WRONG**"
    assert "- `numpy` WRONG in 32×256×56×56: output is off by 41 times the tolerance" in report


def test_where_the_baseline_failed_medians_stand_and_the_reason_for_no_ratio_is_given(
    report: str,
) -> None:
    entries = of_the_second_section(report, "32×512×28×28").split(" | ")
    assert entries[1] == "**CRASHED**"
    assert re.fullmatch(r"\d+ ms<br>no ratio<br>×floor .*", entries[4])
    assert (
        "- `torch_compile`, `torch_unfused` and `numpy` no ratio in 32×512×28×28: torch_native is "
        "CRASHED" in report
    )
    assert r"its last words: a \| b &lt; c" in report


def test_a_flag_forbids_the_verdict_and_not_the_number(report: str) -> None:
    entry = rows(report, "32×64×56×56")[0].split(" | ")[3]
    assert re.fullmatch(
        r"33\.\d ms<br>2\.\d\d \[.*\]<br>no verdict, MDE .* %<br>×floor .*<br>DISTURBED", entry
    )
    assert (
        "- `torch_unfused` DISTURBED in 32×64×56×56 float32 relu, forward training, layer" in report
    )


def test_the_geometric_mean_tells_how_many_cells_it_covers(report: str) -> None:
    row = of_the_second_section(report, "`numpy`")
    assert row == "| `numpy` | 9.41 | 8 of 10 | 0 | 8 | 0 | 0 | no ratio 1, WRONG 1 | 23.6 × |"


def test_cases_are_counted_by_group(report: str) -> None:
    assert rows(report, "backward") == ["| backward | 9 | 0 of 5: 5 UNSUPPORTED |"]
    assert rows(report, "**all**")[0].startswith("| **all** | 27 | 8 of 15:")
    assert "- `numpy` **WRONG** in `forward/4`: output is off" in report
    assert (
        "- `numpy` UNSUPPORTED in 5 cases (`backward/0`, `backward/1`, `backward/2`, …): no "
        "bfloat16 here" in report
    )


def test_misses_and_divergence_are_told_and_counted(report: str) -> None:
    assert rows(report, "`none`")[0].startswith("| `none` | 3 | > 200 | 2 of 3 | > 200 ms |")
    by_seed = rows(report, "`none`")[1].split(" | ")
    assert by_seed[2:] == ["missed", "missed |"]
    assert "- `numpy` diverged at step 51 of seed 2" in report


def test_what_is_torn_missing_or_flagged_is_counted(report: str) -> None:
    assert "Planned: 152 records. Missing: 1. Flagged: 2." in report
    assert "Torn lines in the journal: 1." in report


def test_records_of_an_earlier_session_are_shown_as_such(tmp_path: Path) -> None:
    synthetic.journal(tmp_path / "journal", synthetic.throughput(cell(), SPEEDS), session="s1")
    contents = synthetic.journal(
        tmp_path / "journal", synthetic.throughput(cell(), SPEEDS), session="s2"
    )
    assert "- 5 records measured by an earlier session." in write(
        contents, "s2", tmp_path
    ).read_text(encoding="utf-8")


def test_the_baseline_stands_first_wherever_it_was_listed(tmp_path: Path) -> None:
    report = written(
        tmp_path, synthetic.throughput(cell(), {"numpy": 9.5, "canary": 1.0, BASELINE: 1.0})
    )
    assert rows(report, "float32 relu") == ["| float32 relu | `torch_native` | `numpy` | A/A |"]


def test_arms_of_different_sessions_are_told_not_to_be_compared_by_their_medians(
    tmp_path: Path,
) -> None:
    old, new = (synthetic.throughput(cell(), SPEEDS, session=session) for session in ("s1", "s2"))
    report = written(tmp_path, [*old[:-1], new[-1]])
    assert (
        "Arms were measured by different sessions in 32×64×112×112: there compare ratios" in report
    )
    assert "different sessions" not in written(tmp_path / "alone", old)


def test_a_job_that_could_not_be_carried_through_is_told_with_its_reason(tmp_path: Path) -> None:
    contents = synthetic.journal(
        tmp_path / "journal", [], failure="UsageError: 9 threads on 2 CPUs"
    )
    report = write(contents, "s1", tmp_path).read_text(encoding="utf-8")
    assert "- **1 job could not be carried through.**" in report
    assert (
        "- Job `1 device.threads=9` could not be carried through: UsageError: 9 threads on 2 CPUs"
        in report
    )


def test_a_canary_beyond_the_margin_is_a_warning(tmp_path: Path) -> None:
    report = written(tmp_path, synthetic.throughput(cell(), {**SPEEDS, "canary": 1.2}))
    assert (
        "includes a ratio of 1 in 0 of 1 cell, and lies within ±3 % in 0; it **lies beyond ±3 % in "
        "32×64×112×112**: distrust" in report
    )


def test_a_session_in_which_everything_failed_still_has_a_report(tmp_path: Path) -> None:
    failed = dict.fromkeys(SPEEDS, Status.CRASHED)
    report = written(tmp_path, synthetic.throughput(cell(), SPEEDS, failed=failed))
    assert "`numpy`: CRASHED in 1 of 1 cell." in report
    assert (tmp_path / "out/figures/speed-1-1.png").exists()


def test_a_lone_arm_and_seed_have_nothing_to_be_compared_with(tmp_path: Path) -> None:
    records = synthetic.throughput(cell(), {BASELINE: 1.0}) + synthetic.convergence([BASELINE], [0])
    report = written(tmp_path, records)
    assert "No cell has an A/A ratio" in report
    assert "P(sooner than" not in report


def test_cells_of_other_conditions_have_sections_of_their_own(tmp_path: Path) -> None:
    report = written(
        tmp_path,
        synthetic.throughput(cell(threads=1), SPEEDS) + synthetic.throughput(cell(), SPEEDS),
    )
    assert "### 1. Training step, layer, fresh outputs, warm cache, cpu, 1 thread\n" in report
    assert "### 2. Training step, layer, fresh outputs, warm cache, cpu, 2 threads\n" in report


def test_an_unknown_session_is_an_error_that_names_those_there_are(
    contents: Contents, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="no session 'nope'; it holds s1"):
        write(contents, "nope", tmp_path)


def test_text_from_outside_breaks_no_report(tmp_path: Path) -> None:
    name, reason = "m.C(a=x|`y`,b=$_$)", "lone \ud800, ESC \x1b[31m, <script> and |\n# a heading"
    failed = replace(synthetic.case(name, "data/0", Status.WRONG), reason=reason)
    timed = synthetic.throughput(cell(), {synthetic.BASELINE: 1.0, name: 2.0})
    report = written(tmp_path, [failed, *timed])
    assert "<code>m.C(a=x&#124;&#96;y&#96;,b=$_$)</code>" in report
    assert r"lone \\ud800, ESC \\x1b[31m, &lt;script> and \| # a heading" in report


@pytest.mark.parametrize(
    ("sizes", "drawn"),
    [
        ([1, 1, 1, 1], [1, 2, 3, 4]),
        ([1, 2, 1, 1, 3], [2, 5]),
        ([2] * (MOST_DRAWN + 1), [*range(1, MOST_DRAWN + 1)]),
    ],
    ids=["a few", "a sweep's", "too many"],
)
def test_of_many_sections_those_of_a_single_cell_have_no_figure(sizes, drawn) -> None:
    assert writing._worth_drawing(sizes) == drawn


def test_where_a_figure_is_left_out_the_report_says_so(tmp_path: Path) -> None:
    trainings = synthetic.convergence(seeds=[0])
    swept = [
        with_cell(record, learning_rate=rate)
        for rate in (0.1, 0.2, 0.3, 0.4, 0.5)
        for record in trainings
    ]
    report = write(synthetic.journal(tmp_path, swept), "s1", tmp_path / "out").read_text()
    assert report.count("Without a figure: of more than 4 such groups, those of several") == 5
    assert not list((tmp_path / "out/figures").iterdir())
