"""The search tells the simplest example that breaks a law, the same each time, and the worst of all
where none does.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import strategies as st

from harness.conformance.checks.search import search
from harness.conformance.compare import QuantityCheck

NUMBERS = st.integers(0, 10**6)


def holds_below(limit, seen=None):
    """A law that holds for numbers below a limit."""

    def law(draw):
        number = draw("number", NUMBERS)
        if seen is not None:
            seen.append(number)
        yield QuantityCheck("size", 2.0 if number >= limit else number / limit)
        yield QuantityCheck("sign", 0.5)

    return law


def test_an_example_is_shrunk_to_the_simplest():
    size, sign = search(holds_below(1234), 100)
    assert (size.quantity, size.passed) == ("size, for number = 1234,", False)
    assert (sign.quantity, sign.passed) == ("sign, for number = 1234,", True)


def test_everything_that_was_drawn_is_told_in_its_order():
    def law(draw):
        first, second = draw("first", NUMBERS), draw("second", st.booleans())
        yield QuantityCheck("pair", 3.0 if first > 7 and second else 0.0)

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
    found = {
        finding.quantity: finding.ratio for finding in search(holds_below(2 * 10**6, seen), 50)
    }
    assert found == {"size": max(seen) / (2 * 10**6), "sign": 0.5}


def test_a_law_that_finds_nothing_has_nothing_to_tell():
    assert list(search(lambda draw: iter(()), 5)) == []


def test_what_else_a_law_raises_is_raised():
    def law(draw):
        raise ZeroDivisionError("no law")

    with pytest.raises(ZeroDivisionError, match="no law"):
        list(search(law, 5))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """The examples of a search in two new processes, one of which has imported numbers of its own,
    and their folder.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "numbers_of_its_own.py").write_text(f"NUMBERS = {list(range(1000, 10**6, 7777))}\n")
    (folder / "searching.py").write_text(SEARCHING)
    called_in = folder / "called_in"
    called_in.mkdir()
    return called_in, [
        subprocess.run(
            [sys.executable, folder / "searching.py", *imported],
            cwd=called_in,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for imported in ([], ["numbers_of_its_own"])
    ]


SEARCHING = """
import importlib, sys
from hypothesis import strategies as st
from harness.conformance.checks.search import search
for name in sys.argv[1:]:
    importlib.import_module(name)
print("examples:")
list(search(lambda draw: iter([print(draw("number", st.integers(0, 10**6)))] * 0), 100))
"""


def test_nothing_is_written_where_the_command_was_called(elsewhere):
    folder, examples = elsewhere
    assert all(lines.count("\n") == 101 for lines in examples)
    assert not list(folder.iterdir())


@pytest.mark.xfail(
    reason="hypothesis draws numbers that it finds in the source of whatever modules are loaded"
)
def test_the_examples_are_the_same_whatever_else_was_imported(elsewhere):
    once, again = elsewhere[1]
    assert once == again
