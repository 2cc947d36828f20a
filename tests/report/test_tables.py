"""The table that ends a command fits 120 columns and tells every outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from harness.comparison import Comparison, Outcome
from harness.conformance.cases.properties import PROPERTIES
from harness.records import Interval, Status
from harness.tables import closing_table, comparison_table
from tests.helpers import synthetic
from tests.helpers.synthetic import BASELINE, SPEEDS, case, cell

if TYPE_CHECKING:
    from rich.console import RenderableType


def shown(table: RenderableType) -> str:
    console = Console(width=120, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_everything_fits_the_columns() -> None:
    said = shown(closing_table(synthetic.everything()))
    assert max(map(len, said.splitlines())) <= 120
    for expected in ("5 UNSUPPORTED", "no ratio 1", "> 200", "2 of 3", "diverged 1"):
        assert expected in said


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
    others = [["1", "WRONG"], ["1", "documented"], ["1", "MISTRUSTED"]]
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
    said = shown(
        closing_table(
            [
                case(name, f"{group}/{number}", Status.UNSUPPORTED)
                for name in names
                for group in PROPERTIES
                for number in range(10)
            ]
        )
    )
    assert said.count("cases passed") == said.count("PyTorch's errors") == tables
    assert max(map(len, said.splitlines())) <= 120
    assert said.count(" 10 UNSUPPORTED") == count * len(PROPERTIES)
    assert "…" not in said
    headers = "".join(said.split())
    assert all(name in headers for name in names if "." not in name)


def test_long_names_are_folded_and_leave_the_sentences_their_room() -> None:
    names = [f"package.of.mine.Implementation(number={number})" for number in range(4)]
    said = shown(closing_table([case(name, "laws/0") for name in names]))
    assert "the contract's laws, by search" in said
    assert max(map(len, said.splitlines())) <= 120
    assert "…" not in said


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
    said = capture.get()
    assert "\x1b[31m1 WRONG" in said
    assert "\x1b[33m1 documented" in said
    assert "\x1b[33m1 MISTRUSTED" in said
    assert "\x1b[32m1\x1b" in said


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
    assert by_name[BASELINE].startswith(" 32×64×112×112")
    assert "[0.99, 1.01]" in by_name[BASELINE]
    assert "FASTER" in by_name["torch_compile"]
    assert "no verdict DISTURBED" in by_name["torch_unfused"]
    assert by_name["numpy"].split() == ["numpy", "TIMEOUT"]


def test_beneath_stand_what_disturbed_it_the_correction_and_where_the_time_went() -> None:
    said = shown(closing_table(synthetic.throughput(cell(), SPEEDS, flagged=["numpy"])))
    for line in (
        (
            "350 samples, 14 taken again; 48 blocks, 8 set aside; in doubt: waiting 7, steal 1; "
            "others used 0.25 CPUs; "
            "DISTURBED in 1 of 1 cell."
        ),
        (
            "Verdicts are corrected for 2 comparisons (Holm) and hold together with 95 % "
            "confidence; that made none "
            "AMBIGUOUS."
        ),
        "The harness itself took 25 % of 20.0 s; timed calls were 30 %.",
    ):
        assert line in " ".join(said.split())


def test_a_verdict_that_does_not_stand_tells_what_it_was() -> None:
    records = [
        record
        for number, shape in enumerate(synthetic.SHAPES)
        for record in synthetic.throughput(
            cell(shape), {BASELINE: 1.0, "torch_compile": 0.93}, seed=number, noise=0.03
        )
    ]
    said = shown(closing_table(records))
    fallen = said.count("AMBIGUOUS (FASTER before Holm)")
    assert fallen > 0
    assert f"that made {fallen} AMBIGUOUS." in said


def test_times_stand_beside_their_distance_from_the_hardwares_limit_or_why_there_is_none() -> None:
    lines = shown(closing_table(synthetic.throughput(cell(), SPEEDS))).splitlines()
    assert sum(" 2.5 × " in f"{line} " for line in lines if BASELINE in line) == 2
    absent = shown(closing_table(synthetic.throughput(cell(), SPEEDS, floor=False)))
    assert f"×floor absent in the only cell: {synthetic.ABSENT_FLOOR}" in absent


def test_nothing_new_is_said_of_records_of_the_first_protocol() -> None:
    said = shown(closing_table(synthetic.old(synthetic.throughput(cell(), SPEEDS))))
    assert "FASTER" in said
    assert not any(word in said for word in ("floor", "blocks", "itself"))


def test_where_cells_are_too_many_their_overview_stands_for_them() -> None:
    records = [
        record
        for size in range(1, 20)
        for record in synthetic.throughput(cell((8, 8, size, size)), SPEEDS)
    ]
    said = shown(closing_table(records))
    assert "19 cells, each in the report." in said
    assert "8×8×5×5" not in said
    assert "19 of 19" in said


def test_an_empty_session_says_so() -> None:
    assert shown(closing_table([])).strip() == "no records"


@pytest.mark.parametrize("note", ["[/red] is no markup", "OK → WRONG: off by\n3 ulp in [0, 1]"])
def test_a_comparison_shows_its_note_as_it_is(note: str) -> None:
    compared = [
        Comparison(
            "throughput",
            "numpy",
            "32×64×56×56 float32 relu, training step, layer, fresh outputs, "
            "warm cache, cpu, 2 threads",
            Outcome.SLOWER,
            Interval(1.2, 1.1, 1.3),
            note,
        )
    ]
    said = shown(comparison_table(compared))
    assert max(map(len, said.splitlines())) <= 120
    assert "1.20 [1.10, 1.30]" in said
    assert "SLOWER" in said
    assert note.rsplit(maxsplit=1)[-1] in said


def test_what_did_not_change_is_counted_and_not_listed() -> None:
    compared = [
        Comparison("conformance", name, f"forward/{case}, cpu, 2 threads", outcome)
        for name in ("numpy", "torch_native")
        for case, outcome in enumerate((Outcome.UNCHANGED, Outcome.BROKEN, Outcome.MENDED))
    ]
    said = shown(comparison_table(compared))
    assert "UNCHANGED 2, BROKEN 2, MENDED 2." in said
    assert said.count("forward/") == 2
    assert "nothing to compare" in shown(comparison_table([]))
