"""What a report says of correctness: every case, what is behind each that did not pass, and how to
see it again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.records import ComparedQuantity, Status
from tests.helpers import synthetic
from tests.helpers.old_records import journal_of_lines
from tests.helpers.pages import report_of, written
from tests.helpers.synthetic import case

EXPLANATION = "it sums in float32 | as torch does (https://example.org/1)"


def sample(**changed: Any) -> ComparedQuantity:
    made = ComparedQuantity("output", passed=False, ratio=0.5, index=(0, 3), ulp=4.0)
    return replace(made, **changed)


RECORDS = [
    case("numpy", "phases/inference/layer/fresh"),
    case(
        "numpy",
        "data/large_mean",
        Status.WRONG,
        samples=[sample(), sample(quantity="running_var", ratio=41.2, ulp=3e9), sample(ratio=2.0)],
    ),
    case(
        "numpy", "data/nan", Status.WRONG, samples=[sample(ratio=3e8), sample(ratio=None, ulp=None)]
    ),
    case(
        "numpy",
        "data/fault",
        Status.WRONG,
        samples=[
            sample(ratio=None),
            sample(ratio=None, ulp=None, index=(), quantity="input", fault="was | changed"),
        ],
    ),
    case("numpy", "data/known", Status.WRONG, explanation=EXPLANATION, samples=[sample(ratio=7.0)]),
    case("numpy", "data/vast", mistrusted=["output", "running_var"]),
    case("numpy", "threads/two", Status.CRASHED, fixed_threads=2),
    case("torch_native", "threads/two", fixed_threads=2),
    case("torch_native", "data/nan", threads=1),
    case("my.Bn(a=<b>)", "novel/case", Status.UNSUPPORTED),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("conformance"), RECORDS)


def row(report: str, start: str) -> str:
    return next(line for line in report.splitlines() if line.startswith(f"| {start} |"))


def test_the_summary_tells_passes_failures_and_what_is_neither(report: str) -> None:
    assert (
        "- `numpy` **failed 4 of 7 cases** (3 WRONG, 1 CRASHED) and passed 1; 1 WRONG as "
        "declared; "
        "1 MISTRUSTED, which proves nothing.\n"
    ) in report
    assert "- `torch_native` passed all 2 cases.\n" in report
    assert (
        "- <code>my.Bn(a=&lt;b&gt;)</code> passed 0 of 1 case and failed none; 1 UNSUPPORTED.\n"
        in report
    )
    assert "- 4 records failed.\n" in report


def test_the_matrix_has_a_row_a_property_by_its_sentence_and_one_of_all(report: str) -> None:
    assert (
        row(report, "property")
        == "| property | `numpy` | `torch_native` | <code>my.Bn(a=&lt;b&gt;)</code> |"
    )
    assert row(report, "large means, denormals, sparse, NaN") == (
        "| large means, denormals, sparse, NaN | 0 of 5: 3 WRONG, 1 declared, 1 MISTRUSTED | 1 | "
        "– |"
    )
    assert row(report, "novel") == "| novel | – | – | 0 of 1: 1 UNSUPPORTED |"
    assert row(report, "**all**").startswith(
        "| **all** | 1 of 7: 3 WRONG, 1 CRASHED, 1 declared, 1 MISTRUSTED | 2 |"
    )


def test_a_failure_stands_with_its_reason_and_the_command_that_repeats_it(report: str) -> None:
    assert (
        "- `numpy` **WRONG** in `data/large_mean`, `data/nan` and `data/fault`: "
        f"{synthetic.FAILURES[Status.WRONG]}<br>"
        "`bnbench check numpy task.cases=data/large_mean device.threads=2`\n"
    ) in report
    assert "<br>`bnbench check numpy task.cases=threads/two`\n" in report


def test_a_documented_deviation_is_explained_and_no_failure(report: str) -> None:
    explained = EXPLANATION.replace("|", "\\|")
    assert f"- `numpy` WRONG as declared in `data/known`: {explained}\n" in report
    assert "`data/known`" not in report[report.index("Failures") : report.index("Declared")]


def test_what_proves_too_little_is_named_with_its_quantities_and_never_as_passed(
    report: str,
) -> None:
    assert "MISTRUSTED: these quantities were compared, and nothing was proved." in report
    assert "- `numpy` MISTRUSTED in `data/vast`: output and running_var\n" in report
    assert row(report, "`data/vast`").split(" | ")[1] == "MISTRUSTED"
    assert "Flagged: 0." in report


def test_it_counts_among_the_largest_errors_no_more_than_among_the_passes(tmp_path: Path) -> None:
    assert "Largest error" not in written(
        tmp_path, [case("numpy", "data/vast", mistrusted=["output"])]
    )


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("phases/inference/layer/fresh", "OK | 0.250 | 1.50 | output[0, 3, 2] |"),
        ("data/large_mean", "**WRONG** | 41.2 | 3e+09 | running_var[0, 3] |"),
        ("data/nan", "**WRONG** | ∞ | – | output[0, 3] |"),
        ("data/fault", "**WRONG** | – | – | input was \\| changed |"),
        ("data/known", "WRONG as declared | 7.00 | 4.00 | output[0, 3] |"),
        ("threads/two", "**CRASHED** | – | – | – |"),
        ("novel/case", "UNSUPPORTED | – | – | – |"),
    ],
)
def test_every_case_has_a_row_with_its_worst_element(report: str, name: str, rest: str) -> None:
    assert row(report, f"`{name}`") == f"| `{name}` | {rest}"


def test_each_implementation_has_its_table_and_a_command_that_serves_its_other_cases(
    report: str,
) -> None:
    blocks = report.split("<details>\n")[1:]
    assert [block.splitlines()[0] for block in blocks] == [
        f"<summary><code>{name}</code>: every case</summary>"
        for name in ("numpy", "torch_native", "my.Bn(a=&lt;b&gt;)")
    ]
    assert all(block.count("</details>") == 1 for block in blocks)
    assert [block.count("\n| `") for block in blocks] == [7, 2, 1]
    assert "\nbnbench check torch_native task.cases=data/nan device.threads=1\n" in blocks[1]


def test_markdown_within_the_details_is_read_as_such(report: str) -> None:
    lines = report.splitlines()
    for position, line in enumerate(lines):
        if line.startswith(("<summary>", "| case |", "```sh", "</details>")):
            assert not lines[position + 1 if line.startswith("<summary>") else position - 1], line


def test_an_old_journal_still_has_its_report(tmp_path: Path) -> None:
    line = {
        "identity": {
            "task": "conformance",
            "implementation": "numpy",
            "source": "s",
            "environment": "e",
            "cell": {"case": "phases/inference,layer,fresh", "device": "cpu", "threads": 2},
        },
        "session": "s1",
        "time": synthetic.TIME,
        "status": "OK",
        "reason": None,
        "flags": [],
        "cost": {},
        "samples": [],
        "figures": {
            "worst": 0.5,
            "quantity": "output",
            "index": [1],
            "ulp": None,
            "comparisons": 3,
        },
        "schema": 1,
    }
    report = report_of(journal_of_lines(tmp_path / "journal", [line]), tmp_path)
    assert row(report, "`phases/inference,layer,fresh`").endswith("| OK | 0.500 | – | output[1] |")
    assert "'task.cases=\"phases/inference,layer,fresh\"'" in report


def test_what_was_not_asked_leads_and_what_was_asked_otherwise_or_is_out_of_date_is_told(
    tmp_path: Path,
) -> None:
    passed = case("numpy", "data/0")
    assert passed.figures is not None
    fitted = replace(passed.figures, asked="this instead of that", refusal="it takes no residual")
    outdated = replace(passed.figures, outdated="it was odd (https://example.org/1)")
    records = [
        replace(passed, figures=fitted),
        replace(case("numpy", "data/1"), figures=outdated),
        case("numpy", "data/2", Status.UNSUPPORTED),
        case("numpy", "laws/shift", Status.UNSUPPORTED),
    ]
    page = written(tmp_path, records)
    whole = page.index('- **Not asked** of `numpy`: "the contract\'s laws, by search": ')
    part = page.index('- Not asked of `numpy`: 1 of 3 cases of "large means, ')
    assert page.index("**Conformance**") < whole < part < page.index("- `numpy` passed 2 of 4")
    assert "- `numpy` in `data/1`: it was odd (https://example.org/1)\n" in page
    assert "- `numpy` in `data/0`: it takes no residual\n" in page
    assert row(page, "`data/0`").startswith("| `data/0` | OK, asked this instead of that |")
