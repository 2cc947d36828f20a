"""A mutant is a change of one line that a person could have made, and the same seed makes the same
ones.
"""

from __future__ import annotations

import ast
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.experiments.mutation.changes import CHANGES
from tests.experiments.mutation.mutants import (
    Mutant,
    applied,
    difference,
    draw,
    files,
    found,
    mutants_of,
)

ROOT = Path(__file__).parents[3]


def changes(line: str, before: str = "", operator: str | None = None) -> set[str]:
    """What the last line of a text may become, by the operator of that name or by any."""
    text = f"{before}{line}\n"
    return {
        difference(mutant, text)[1]
        for mutant in mutants_of(text, "it.py")
        if mutant.line == text.count("\n") and operator in {None, mutant.operator}
    }


EXPECTED = {
    "arithmetic": [
        ("a + b", {"a - b"}),
        ("a - b", {"a + b"}),
        ("a * b", {"a / b"}),
        ("a / b", {"a * b"}),
        ("a ** b", set()),
        ("(a+(b)) * c", {"(a-(b)) * c", "(a+(b)) / c"}),
        ("a += b", {"a -= b"}),
        ("a |= b", set()),
        ("f(*a)", set()),
    ],
    "comparison": [
        ("a < b", {"a <= b", "a >= b"}),
        ("a <= b", {"a < b", "a > b"}),
        ("a > b", {"a >= b", "a <= b"}),
        ("a >= b", {"a > b", "a < b"}),
        ("a == b", {"a != b"}),
        ("a != b", {"a == b"}),
        ("a is b", {"a is not b"}),
        ("a is  not b", {"a is b"}),
        ("a in b", set()),
        ("a < b in c == d", {"a <= b in c == d", "a >= b in c == d", "a < b in c != d"}),
    ],
    "and/or": [("a and b", {"a or b"}), ("a or b or c", {"a and b or c", "a or b and c"})],
    "number": [
        ("a = 8", {"a = 9", "a = 7"}),
        ("a = -1", {"a = -2", "a = -0"}),
        ("a = 0.5", {"a = 0.25"}),
        ("a = 0.0", {"a = 1.0"}),
        ("a = True", set()),
        ("a = '8'", set()),
    ],
    "True/False": [("a = True", {"a = False"}), ("f(b=False)", {"f(b=True)"}), ("a = 1", set())],
    "not dropped": [
        ("a = not b", {"a = b"}),
        ("a = not(b)", {"a = (b)"}),
        ("a = -b", set()),
        ("a = b is not c", set()),
    ],
    "statement dropped": [
        ("f(a)", {"pass"}),
        ("a.b += c", {"pass"}),
        ("a = f(b)", set()),
        ("yield_ = a", set()),
    ],
    "arguments swapped": [
        ("f(a, b, 1)", {"f(b, a, 1)"}),
        ("f(a.b, (c.d), e)", {"f(c.d, (a.b), e)"}),
        ("f(1, 2, '3')", {"f(2, 1, '3')"}),
        ("f(a, a)", set()),
        ("f(*a, *b)", set()),
        ("f(a=b, c=d)", set()),
    ],
    "condition negated": [
        ("if a and b: c", {"if not (a and b): c"}),
        ("a if b else c", {"a if not (b) else c"}),
        ("[a for a in b if c(a)]", {"[a for a in b if not (c(a))]"}),
        ("if a is b: c", set()),
        ("if not a: b", set()),
    ],
    "min/max": [
        ("min(a)", {"max(a)"}),
        ("a.b.max()", {"a.b.min()"}),
        ("np.maximum(a, b)", {"np.minimum(a, b)"}),
        ("mini(a)", set()),
    ],
}


def test_every_operator_is_tried():
    assert {*EXPECTED, "None returned"} == set(CHANGES)


@pytest.mark.parametrize(
    ("operator", "line", "expected"),
    [(operator, *case) for operator, cases in EXPECTED.items() for case in cases],
)
def test_a_line_becomes_what_its_operator_makes_of_it(operator, line, expected):
    assert changes(line, operator=operator) == expected


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("f()", {"return None"}),
        ("f() -> Any", {"return None"}),
        ("f() -> int | None", {"return None"}),
        ("f() -> tuple[int | None, ...]", set()),
        ("f() -> int", set()),
    ],
)
def test_none_is_returned_where_the_function_s_type_admits_it(signature, expected):
    assert changes("    return a", f"def {signature}:\n", "None returned") == expected


def test_the_innermost_function_is_asked_whether_it_may_return_none():
    assert changes("        return a", "def f() -> int:\n    def g():\n", "None returned") == {
        "return None"
    }
    assert changes("    return None", "def f():\n", "None returned") == set()


@pytest.mark.parametrize(
    "line",
    [
        '"""Twice 1 + 1 is not 3."""',
        "import a, b",
        "from a import b as c",
        "a: Literal[1, 2]",
        "def f(a: g(1, 2)) -> h(1, 2): ...",
        "Pair = tuple[1, 2]",
        "raise ValueError(f'{a + 1} is not {b and c}, but 1')",
        "raise ValueError('1 < 2')",
    ],
)
def test_what_does_not_run_or_is_a_message_has_no_mutants(line):
    assert changes(line) == set()


def test_nothing_is_changed_for_the_type_checker_only():
    assert changes("    a = 1", "if TYPE_CHECKING:\n") == set()
    assert changes("    a = 1", "if TYPE_CHECKING:\n    b = 1\nelse:\n") == {"a = 2", "a = 0"}


def test_a_change_that_would_touch_two_lines_is_none():
    assert not {mutant.operator for mutant in mutants_of("f(a,\n  b)\n", "it.py")}
    assert {mutant.line for mutant in mutants_of("a = (b  # + c\n     + d)\n", "it.py")} == {2}


def test_a_place_is_counted_in_characters():
    (mutant,) = mutants_of("a = {'é × ≤': b + c}\n", "it.py")
    assert mutant == Mutant("it.py", 1, 17, "+", "-", "arithmetic")


def test_a_mutant_is_not_applied_to_a_file_that_has_changed():
    (mutant,) = mutants_of("a + b\n", "it.py")
    with pytest.raises(ValueError, match="has '-', not '\\+': the file has changed"):
        applied(mutant, "a - b\n")


@pytest.mark.parametrize("file", files(ROOT))
def test_every_mutant_of_a_real_file_parses_and_changes_one_line_and_the_meaning(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    tree, lines = ast.dump(ast.parse(text)), text.splitlines()
    for mutant in mutants_of(text, file):
        changed = applied(mutant, text)
        assert ast.dump(ast.parse(changed)) != tree, mutant
        pairs = enumerate(zip(lines, changed.splitlines(), strict=True), 1)
        assert [number for number, (old, new) in pairs if old != new] == [mutant.line]


def test_what_computes_and_what_judges_are_among_the_files():
    assert {
        "implementations/builtin/numpy_vectorized.py",
        "implementations/prepared.py",
        "harness/conformance/compare.py",
        "harness/conformance/tolerances.py",
    } <= set(files(ROOT))
    assert files(ROOT, "*/numpy_*.py") == ["implementations/builtin/numpy_vectorized.py"]
    assert files(ROOT, "nothing") == []


def test_the_same_seed_draws_the_same_distinct_mutants():
    every = found(ROOT)
    drawn = draw(every, 50, seed=3)
    assert len(set(every)) == len(every)
    assert len(set(drawn)) == 50
    assert drawn == draw(every[::-1], 50, seed=3) != draw(every, 50, seed=4)
    assert sorted(draw(every[:5], 50, seed=3)) == every[:5]


def test_a_mutant_is_plain_data():
    (mutant,) = mutants_of("a + b\n", "it.py")
    assert Mutant(**json.loads(json.dumps(asdict(mutant)))) == mutant
