"""The house has two floors, and arrows only point down. Walked with `ast`, so nothing needs to be
imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted(
    path for package in ("harness", "implementations") for path in (ROOT / package).rglob("*.py")
)
# From the ground up: a package imports from those on lower floors, and from none on its own.
FLOORS = (
    {"implementations"},
    {"harness.records"},
    {"harness.environment"},
    {"harness.config", "harness.formatting", "harness.statistics"},
    {"harness.bandwidth", "harness.isolation", "harness.problems", "harness.store"},
    {"harness.pytest_suites"},
    {"harness.conformance", "harness.instruction_counts", "harness.tracking"},
    {"harness.timing", "harness.training"},
    {"harness.analysis", "harness.doctor", "harness.tasks"},
    {"harness.session"},
    {"harness.gate", "harness.replay", "harness.api"},
    {"harness.report", "harness"},
    {"harness.cli"},
)
FLOOR_OF = {package: floor for floor, packages in enumerate(FLOORS) for package in packages}
# The only places that may import a library, and what they may import it for is the design's to say.
CONFINED = {
    "hydra": ("harness/config", "harness/cli/"),
    "mlflow": ("harness/tracking",),
    "matplotlib": ("harness/report/figures/",),
}
FACTS = [path for path in PRODUCT if path.is_relative_to(ROOT / "harness/analysis")]
PAGES = ("rich", "jinja2", "matplotlib", "harness.formatting", "harness.report")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every module that an import statement may mean, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def package_of(module: str) -> str | None:
    """The package on a floor that a module is of; None for another project's."""
    parts = module.split(".")
    if parts[0] != "harness":
        return parts[0] if parts[0] in FLOOR_OF else None
    longer = ".".join(parts[:2])
    return longer if longer in FLOOR_OF else "harness"


def test_every_package_has_a_floor():
    folders = {path.parent for path in PRODUCT if path.parent.parent.name == "harness"}
    files = {path for path in PRODUCT if path.parent.name == "harness"} - {
        ROOT / "harness/__init__.py"
    }
    assert {f"harness.{path.stem}" for path in folders | files} <= FLOOR_OF.keys()


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_arrows_only_point_down(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    own = package_of(module)
    others = {package_of(name) for name in imported(path)} - {None, own}
    if own != "harness":
        others.discard("harness")  # `from harness import statistics` names the package and its part
    assert [other for other in others if FLOOR_OF[other] >= FLOOR_OF[own]] == []


@pytest.mark.parametrize(("library", "allowed"), CONFINED.items(), ids=CONFINED)
def test_a_confined_library_is_imported_in_its_place_only(library, allowed):
    users = {
        name_of(path)
        for path in PRODUCT
        if any(name.split(".")[0] == library for name in imported(path))
    }
    assert users, f"nothing imports {library}: the rule guards nothing"
    assert not {user for user in users if not user.startswith(allowed)}


@pytest.mark.parametrize("path", FACTS, ids=name_of)
def test_facts_know_nothing_of_pages(path):
    assert [name for name in imported(path) if name.startswith(PAGES)] == []


def test_no_module_names_a_worker_of_a_floor_above():
    """What a worker offers is registered where it lives, by imports that the test above sees."""
    isolation = [path for path in PRODUCT if path.is_relative_to(ROOT / "harness/isolation")]
    texts = [
        f"{name_of(path)}:{node.lineno}"
        for path in isolation
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and str(node.value).startswith("harness.")
    ]
    assert texts == []


def test_product_code_does_not_assert():
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert not found


def test_nothing_is_unpickled_or_evaluated():
    forbidden = {"eval", "exec", "compile"}
    calls = [
        f"{name_of(path)}:{node.lineno}"
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in forbidden
    ]
    unsafe = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
    modules = {name_of(path) for path in PRODUCT if unsafe & set(imported(path))}
    assert not calls
    assert not modules


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_file_stays_readable_at_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 250
