"""The table that ends a command fits 120 columns and tells every outcome."""

from __future__ import annotations

import pytest
from rich.console import Console

from harness.conformance.cases.properties import PROPERTIES
from harness.records import AnyRecord, Status
from harness.report.terminal import closing_table
from tests.helpers import synthetic
from tests.helpers.pages import shown
from tests.helpers.synthetic import BASELINE, SPEEDS, case, cell, throughput


def test_everything_fits_the_columns() -> None:
    text = shown(closing_table(synthetic.everything()))
    assert max(map(len, text.splitlines())) <= 120
    for expected in ("5 UNSUPPORTED", "no ratio 1", "> 200", "2 of 3", "diverged 1"):
        assert expected in text


def test_a_row_tells_how_an_implementation_keeps_a_property_by_its_sentence() -> None:
    records = [
        *(case("numpy", f"data/{number}") for number in range(3)),
        case("numpy", "data/3", Status.WRONG),
        case("numpy", "data/4", Status.WRONG, explanation="known"),
        case("numpy", "data/5", mistrusted=["output"]),
        case("numpy", "novel/0"),
        case("torch_native", "data/0"),
        case("torch_native", "data/1"),
    ]
    lines = [line.split() for line in shown(closing_table(records)).splitlines() if line.strip()]
    others = [["1", "WRONG"], ["1", "declared"], ["1", "MISTRUSTED"]]
    assert lines[1] == ["property", "numpy", "torch_native"]
    assert lines[3:] == [
        ["large", "means,", "denormals,", "sparse,", "NaN", "3", "of", "6", "2"],
        *others,
        ["novel", "1"],
        ["all", "4", "of", "7", "2"],
        *others,
    ]


@pytest.mark.parametrize(("count", "tables"), [(1, 1), (4, 1), (5, 2), (9, 3)])
def test_however_many_implementations_there_are_each_has_a_column_and_all_fits(
    count: int, tables: int
) -> None:
    names = [
        "torch_native",
        "torch_compile",
        "torch_unfused",
        "numpy",
        "fused_cpu",
        "my_package.module.Class(a=1,b=x)",
        "onednn",
        "jax",
        "numba",
    ][:count]
    text = shown(
        closing_table(
            [
                case(name, f"{group}/{number}", Status.UNSUPPORTED)
                for name in names
                for group in PROPERTIES
                for number in range(10)
            ]
        )
    )
    assert text.count("cases passed") == text.count("PyTorch's errors") == tables
    assert max(map(len, text.splitlines())) <= 120
    assert text.count(" 10 UNSUPPORTED") == count * len(PROPERTIES)
    assert "…" not in text
    headers = "".join(text.split())
    assert all(name in headers for name in names if "." not in name)


def test_long_names_are_folded_and_leave_the_sentences_their_room() -> None:
    names = [f"package.of.mine.Implementation(number={number})" for number in range(4)]
    text = shown(closing_table([case(name, "laws/0") for name in names]))
    assert "the contract's laws, by search" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "…" not in text


def test_what_failed_what_is_known_to_and_what_proves_nothing_have_colours_of_their_own() -> None:
    console = Console(width=120, force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(
            closing_table(
                [
                    case("numpy", "laws/0"),
                    case("numpy", "data/0", Status.WRONG),
                    case("numpy", "data/1", mistrusted=["output"]),
                    case("numpy", "data/2", Status.WRONG, explanation="known"),
                ]
            )
        )
    text = capture.get()
    assert "\x1b[31m1 WRONG" in text
    assert "\x1b[33m1 declared" in text
    assert "\x1b[33m1 MISTRUSTED" in text
    assert "\x1b[32m1\x1b" in text


def test_a_cell_shows_medians_ratios_and_verdicts_of_all_its_arms() -> None:
    flagged = synthetic.throughput(
        cell(), SPEEDS, failed={"numpy": Status.TIMEOUT}, flagged=["torch_unfused"]
    )
    lines = shown(closing_table(flagged)).splitlines()
    by_name = {
        name: next(line for line in lines if f" {name} " in line)
        for name in SPEEDS
        if name != "canary"
    }
    assert by_name[BASELINE].startswith("32×64×112×112")
    assert "[0.99, 1.01]" in by_name[BASELINE]
    assert "FASTER" in by_name["torch_compile"]
    assert "no verdict DISTURBED" in by_name["torch_unfused"]
    assert by_name["numpy"].split() == ["numpy", "TIMEOUT"]


def test_beneath_stand_what_disturbed_it_the_correction_and_where_the_time_went() -> None:
    text = shown(closing_table(synthetic.throughput(cell(), SPEEDS, flagged=["numpy"])))
    for line in (
        (
            "350 samples, 14 taken again; 48 blocks, 8 set aside; in doubt: waiting 7, steal 1; "
            "others used 0.25 CPUs; DISTURBED in 1 of 1 cell."
        ),
        (
            "Verdicts are corrected for 2 comparisons (Holm) and hold together with 95 % "
            "confidence; that made none AMBIGUOUS."
        ),
        "The harness itself took 25 % of 20.0 s; timed calls were 30 %.",
    ):
        assert line in " ".join(text.split())


def test_a_verdict_that_does_not_stand_tells_what_it_was() -> None:
    records = [
        record
        for number, shape in enumerate(synthetic.SHAPES)
        for record in synthetic.throughput(
            cell(shape), {BASELINE: 1.0, "torch_compile": 0.93}, seed=number, noise=0.03
        )
    ]
    text = shown(closing_table(records))
    fallen = text.count("AMBIGUOUS (FASTER before Holm)")
    assert fallen > 0
    assert f"that made {fallen} AMBIGUOUS." in text


def test_times_stand_beside_their_distance_from_the_hardwares_limit_or_why_there_is_none() -> None:
    lines = shown(closing_table(synthetic.throughput(cell(), SPEEDS))).splitlines()
    assert sum(" 2.5 × " in f"{line} " for line in lines if BASELINE in line) == 2
    absent = shown(closing_table(synthetic.throughput(cell(), SPEEDS, floor=False)))
    assert f"×floor absent in the only cell: {synthetic.ABSENT_FLOOR}" in absent


def test_nothing_new_is_said_of_records_of_the_first_protocol() -> None:
    text = shown(closing_table(synthetic.old(synthetic.throughput(cell(), SPEEDS))))
    assert "FASTER" in text
    assert not any(word in text for word in ("floor", "blocks", "itself"))


def test_where_cells_are_too_many_their_overview_stands_for_them() -> None:
    records = [
        record
        for size in range(1, 20)
        for record in synthetic.throughput(cell((8, 8, size, size)), SPEEDS)
    ]
    text = shown(closing_table(records))
    assert "19 cells, each in the report." in text
    assert "8×8×5×5" not in text
    assert "19 of 19" in text


def test_an_empty_session_says_so() -> None:
    assert shown(closing_table([])).strip() == "no records"


def test_a_name_from_outside_is_shown_as_it_is_and_not_taken_for_markup() -> None:
    name = "m.C(a=[bold],b=[/])"
    records: list[AnyRecord] = [
        case(name, "data/0"),
        *throughput(cell(), {BASELINE: 1.0, name: 2.0}),
        *synthetic.convergence([BASELINE, name]),
    ]
    text = "".join(shown(closing_table(records)).split())
    assert text.count("[bold]") >= 3
    assert text.count("[/]") >= 3


def test_what_was_not_asked_stands_above_the_table() -> None:
    records = [case("numpy", "data/0"), case("numpy", "laws/0", Status.UNSUPPORTED)]
    lines = shown(closing_table(records)).splitlines()
    assert lines[0].startswith('not asked of numpy: "the contract\'s laws, by search": ')
