"""Implementations are found, judged and hashed without being imported."""

from __future__ import annotations

import sys
import zipfile

import pytest

import implementations
from implementations import Unavailable, registry


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `pk` whose plug-in imports its kernel in the way that the test writes."""
    folder = tmp_path / "pk"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "kern.py").write_text("V = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "pk"]:
        del sys.modules[name]


def test_the_built_in_implementations_are_installed():
    assert set(implementations.names()) >= {
        "numpy",
        "torch_native",
        "torch_unfused",
        "torch_compile",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "from . import kern",
        "from .kern import V",
        "import pk.kern",
        "from pk import kern",
        "from pk.kern import V",
        "def f():\n    from pk import kern",
        "import importlib\nkern = importlib.import_module('pk.kern')",
    ],
)
def test_a_change_in_what_a_plugin_imports_from_its_package_changes_its_hash(package, statement):
    (package / "mine.py").write_text(statement + "\n")
    specification = {"_target_": "pk.mine.Mine"}
    before = registry.source_hash(specification)
    assert registry.source_hash(specification) == before
    (package / "kern.py").write_text("V = 2\n")
    assert registry.source_hash(specification) != before


def test_an_import_that_is_put_into_a_file_of_the_same_size_is_followed(package):
    specification = {"_target_": "pk.mine.Mine"}
    (package / "mine.py").write_text("import pk.none\n")
    registry.source_hash(specification)
    (package / "mine.py").write_text("import pk.kern\n")
    before = registry.source_hash(specification)
    (package / "kern.py").write_text("V = 2\n")
    assert registry.source_hash(specification) != before


def test_arguments_and_the_contract_are_part_of_the_hash(package):
    (package / "mine.py").write_text("from implementations import interface\n")
    assert registry.source_hash({"_target_": "pk.mine.Mine", "a": 1}) != registry.source_hash(
        {"_target_": "pk.mine.Mine"}
    )
    (package / "other.py").write_text("")
    assert registry.source_hash({"_target_": "pk.mine.X"}) != registry.source_hash(
        {"_target_": "pk.other.X"}
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_package\n", "needs the Python package 'no_such_package'"),
        (
            "PROGRAMS = {'a Fortran compiler': ('no-such-f90',)}\n",
            "a Fortran compiler: install one of no-such-f90",
        ),
    ],
)
def test_what_the_machine_lacks_is_told_without_importing(package, source, reason):
    (package / "mine.py").write_text(source + "raise RuntimeError('imported')\n")
    assert reason in registry.unavailable({"_target_": "pk.mine.Mine"})
    with pytest.raises(Unavailable, match=reason) as raised:
        registry.load({"_target_": "pk.mine.Mine"})
    assert not isinstance(raised.value, registry.LoadFailure)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('on import')\n", "on import"),
        ("class Mine:\n    pass\n", "not an Implementation"),
        ("\n", "no attribute 'Mine'"),
        ("def Mine(:\n", "SyntaxError"),
    ],
)
def test_what_is_the_implementations_own_fault_is_no_property_of_the_machine(
    package, source, reason
):
    (package / "mine.py").write_text(source)
    with pytest.raises(registry.LoadFailure, match=reason):
        registry.load({"_target_": "pk.mine.Mine"})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def Mine(:\n", "its module is not valid Python"),
        ("Mine = '\0'\n", "its module is not valid Python"),
        (f"Mine = {'-' * 100_000}1\n", "its module is not valid Python"),
        (f"Mine = {'1 + ' * 1_500}1\n", None),
        ("PROGRAMS = made()\nMine = made()\n", "its PROGRAMS cannot be read"),
        ("PROGRAMS: dict = {'a compiler': 'cc'}\nMine = made()\n", "its PROGRAMS cannot be read"),
        ("PROGRAMS = {'a compiler': (1,)}\nMine = made()\n", "its PROGRAMS cannot be read"),
        ("PROGRAMS = ['cc']\nMine = made()\n", "its PROGRAMS cannot be read"),
        ("Mine = made('\\d')\n", None),
    ],
)
def test_no_source_spoils_the_listing(package, source, reason):
    (package / "mine.py").write_text(source)
    found = registry.unavailable({"_target_": "pk.mine.Mine"})
    assert found == reason or (reason and reason in found)
    assert registry.source_hash({"_target_": "pk.mine.Mine"})


def test_a_module_that_cannot_be_read_is_judged_when_it_is_loaded(package):
    archive = package.parent / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("packed.py", "import no_such_package\n")
    sys.path.insert(0, str(archive))  # with the folders that the fixture takes off again
    assert registry.unavailable({"_target_": "packed.Mine"}) is None
    assert registry.source_hash({"_target_": "packed.Mine"})
