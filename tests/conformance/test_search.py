"""The search tells the simplest example that breaks a law, the same each time, and the worst of all where none does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import strategies as st

from harness.conformance.checks.search import search
from harness.conformance.compare import Finding

NUMBERS = st.integers(0, 10**6)


def holds_below(limit, seen=None):
    """A law that holds for numbers below a limit."""
    def law(draw):
        number = draw("number", NUMBERS)
        if seen is not None:
            seen.append(number)
        yield Finding("size", 2.0 if number >= limit else number / limit)
        yield Finding("sign", 0.5)

    return law


def test_an_example_is_shrunk_to_the_simplest():
    size, sign = search(holds_below(1234), 100)
    assert (size.quantity, size.passed) == ("size, for number = 1234,", False)
    assert (sign.quantity, sign.passed) == ("sign, for number = 1234,", True)


def test_everything_that_was_drawn_is_told_in_its_order():
    def law(draw):
        first, second = draw("first", NUMBERS), draw("second", st.booleans())
        yield Finding("pair", 3.0 if first > 7 and second else 0.0)

    (found,) = search(law, 100)
    assert found.quantity == "pair, for first = 8, second = True,"


def test_the_examples_are_the_same_each_time_and_as_many_as_asked_for():
    once, again = [], []
    for seen in (once, again):
        list(search(holds_below(10**7, seen), 25))
    assert once == again
    assert len(once) == 25
    assert len(set(once)) > 10


def test_another_seed_draws_other_examples():
    once, other = [], []
    list(search(holds_below(10**7, once), 25))
    list(search(holds_below(10**7, other), 25, 1))
    assert once != other


def test_a_law_that_holds_gives_the_worst_of_each_quantity():
    seen = []
    found = {finding.quantity: finding.ratio for finding in search(holds_below(2 * 10**6, seen), 50)}
    assert found == {"size": max(seen) / (2 * 10**6), "sign": 0.5}


def test_a_law_that_finds_nothing_has_nothing_to_tell():
    assert list(search(lambda draw: iter(()), 5)) == []


def test_what_else_a_law_raises_is_raised():
    def law(draw):
        raise ZeroDivisionError("no law")

    with pytest.raises(ZeroDivisionError, match="no law"):
        list(search(law, 5))


def test_nothing_is_written_where_the_command_was_called(tmp_path):
    """In a process of its own: hypothesis looks for a place to write to once."""
    code = "import harness.conformance.checks.search as s; from hypothesis import strategies as st; " \
           "print(list(s.search(lambda draw: iter([draw('x', st.integers())] * 0), 20)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert ran.stdout == "[]\n"
    assert not list(tmp_path.iterdir())
