"""Numbers come with few digits and a unit, and text from outside cannot break a table."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import formatting
from harness.records import Bytes, Interval, Seconds


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.234e-3, "1.23 ms"),
        (12.34e-6, "12.3 µs"),
        (0.1, "100 ms"),
        (9.996e-4, "1.00 ms"),
        (5e-9, "5.00 ns"),
        (1234.0, "1,230 s"),
        (math.inf, "∞"),
        (None, "–"),
        (3e-10, "0.300 ns"),
    ],
)
def test_times_have_three_digits_and_a_unit_that_suits(
    value: Seconds | None, expected: str
) -> None:
    assert formatting.seconds(value) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (None, "–"),
        (0, "0 B"),
        (128, "128 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (100480, "98.1 KiB"),
        (25690112, "24.5 MiB"),
        (3 * 2**30, "3.00 GiB"),
        (2**41, "2.00 TiB"),
        (2**50, "1.00 PiB"),
    ],
)
def test_sizes_have_three_digits_and_a_binary_unit(count: Bytes | None, expected: str) -> None:
    assert formatting.size(count) == expected


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval(0.983, 0.961, 1.004), "0.98 [0.96, 1.00]"),
        (Interval(9.98, 9.51, 10.234), "9.98 [9.51, 10.23]"),
        (Interval(12.34, 11, 14), "12.3 [11.0, 14.0]"),
        (Interval(0.05, 0.04, 0.06), "0.050 [0.040, 0.060]"),
        (Interval(1234.5, 1000, 1500), "1,234 [1,000, 1,500]"),
        (Interval(2.0, 0.0, math.inf), "2.00 [0, ∞]"),
        (Interval(math.inf, 0.5, math.inf), "∞ [0.50, ∞]"),
        (Interval(1.5, 1e-304, 1e304), "1.50 [0.00, 1e+304]"),
    ],
)
def test_bounds_have_as_many_places_as_their_estimate(interval: Interval, expected: str) -> None:
    assert formatting.bounded(interval) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.031, "3.1 %"),
        (0.12, "12 %"),
        (1.5, "150 %"),
        (0.0996, "10 %"),
        (0.03, "3 %"),
        (0.2, "20 %"),
        (1e300, "1e+302 %"),
    ],
)
def test_percentages(value: float, expected: str) -> None:
    assert formatting.percent(value) == expected


def test_one_is_singular_and_lists_end_in_and() -> None:
    assert (formatting.counted(1, "cell"), formatting.counted(1200, "cell")) == (
        "1 cell",
        "1,200 cells",
    )
    assert formatting.listed(["a", "b", "c"]) == "a, b and c"
    assert formatting.listed(["a"]) == "a"


@given(st.text())
def test_text_from_outside_stays_one_cell_of_a_table(given_text: str) -> None:
    row = formatting.columns(["x"], [[formatting.plain(given_text)]]).splitlines()
    assert len(row) == 3
    assert row[2].replace("\\\\", "").replace("\\|", "").count("|") == 2


def test_a_long_reason_is_shortened_and_says_so() -> None:
    assert formatting.plain("x" * 999, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b <i> & `c` *d*", r"a\|b &lt;i> &amp; \`c\` \*d\*"),
        ("Foo.__init__() takes a_b_c", r"Foo.\_\_init\_\_() takes a_b_c"),
        ("[bold] [x](y) ~~z~~", r"[bold] [x]\(y) \~~z\~~"),
        ("a\nb\x1b[0m\ud800", r"a b\\x1b[0m\\ud800"),
    ],
)
def test_text_means_itself_in_markdown(text: str, expected: str) -> None:
    assert formatting.plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("numpy", "`numpy`"),
        ("m.C(a=[1])", "`m.C(a=[1])`"),
        ("a|b`c", "<code>a&#124;b&#96;c</code>"),
        ("<b>&\n", r"<code>&lt;b&gt;&amp;\n</code>"),
    ],
)
def test_a_name_is_set_as_code_that_no_table_takes_apart(text: str, expected: str) -> None:
    assert formatting.code(text) == expected


def test_a_long_text_is_cut_to_one_line_in_one_pass() -> None:
    assert formatting.line("x" * 10**7, 20) == "x" * 19 + "…"
    assert formatting.line(" x" * 10**7, 20).startswith("x x x")
