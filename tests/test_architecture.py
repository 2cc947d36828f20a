"""The house has two floors, and arrows only point down. Walked with `ast`, so nothing needs to be
imported.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted(
    path for package in ("harness", "implementations") for path in (ROOT / package).rglob("*.py")
)
# The only places that may import a library, and what they may import it for is the design's to say.
CONFINED = {
    "hydra": ("harness/config", "harness/cli/"),
    "mlflow": ("harness/tracking", "harness/tracking"),
    "matplotlib": ("harness/report/figures/",),
}
LISTING = ("harness.cli.listing", "harness.cli", "implementations", "implementations.registry")


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


@pytest.mark.parametrize(
    "path",
    [path for path in PRODUCT if path.is_relative_to(ROOT / "implementations")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_thing_measured_knows_nothing_of_the_harness(path):
    assert not {name for name in imported(path) if name.split(".")[0] in ("harness", "conf")}


@pytest.mark.parametrize(("library", "allowed"), CONFINED.items(), ids=CONFINED)
def test_a_confined_library_is_imported_in_its_place_only(library, allowed):
    users = {
        str(path.relative_to(ROOT))
        for path in PRODUCT
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users, f"nothing imports {library}: the rule guards nothing"
    assert not {user for user in users if not user.startswith(allowed)}


@pytest.mark.parametrize(
    "path",
    [path for path in PRODUCT if path.is_relative_to(ROOT / "harness/analysis")],
    ids=lambda path: path.stem,
)
def test_facts_know_nothing_of_pages(path):
    pages = ("harness.report", "harness.tracking", "rich", "jinja2", "matplotlib")
    assert not {name for name in imported(path) if name.startswith(pages)}


def test_product_code_does_not_assert():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert not found


def test_nothing_is_unpickled_or_evaluated():
    forbidden = {"eval", "exec", "compile"}
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in forbidden
    ]
    modules = {
        path
        for path in PRODUCT
        if imported(path) & {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    }
    assert not calls
    assert not modules


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_stays_readable_at_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 360
