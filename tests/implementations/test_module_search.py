"""Modules are found where import would find them, and nothing is imported for it."""

from __future__ import annotations

import sys

import pytest

from implementations import registry
from implementations.module_search import is_module, near_module, source_file

HOSTILE = {
    "ends": "raise SystemExit(7)",
    "aborts": "import os; os.abort()",
    "hangs": "while True: pass",
    "prints": "print('imported')",
    "raises": "raise RuntimeError('imported')",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the import path, with a package that each does something else on import."""
    for name, source in HOSTILE.items():
        package = tmp_path / f"that_{name}"
        package.mkdir()
        (package / "__init__.py").write_text(f"{source}\n")
        (package / "kernels.py").write_text(f"{source}\nclass Mine:\n    pass\n")
    (tmp_path / "spaces" / "inner").mkdir(parents=True)
    (tmp_path / "spaces" / "inner" / "kernels.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_needed_of_a_package_is_found_without_running_it(folder, capfd, name):
    module = f"that_{name}.kernels"
    target = {"_target_": f"{module}.Mine"}
    assert source_file(module) == folder / f"that_{name}" / "kernels.py"
    assert registry.unavailable(target) == registry.mistake(target)
    assert "is not an Implementation" in registry.mistake(target)
    assert "did you mean 'Mine'" in registry.mistake({"_target_": f"{module}.Mime"})
    assert f"did you mean '{module}'" in registry.mistake({"_target_": f"{module}s.Mine"})
    assert registry.is_foreign(target)
    before = registry.source_hash(target)
    (folder / f"that_{name}" / "kernels.py").write_text("")
    assert registry.source_hash(target) != before
    assert not any(loaded.startswith("that_") for loaded in sys.modules)
    assert capfd.readouterr() == ("", "")


def test_packages_without_an_init_lead_to_modules_and_are_none(folder):
    assert source_file("spaces.inner.kernels") == folder / "spaces" / "inner" / "kernels.py"
    assert not is_module("spaces.inner")
    assert not is_module("spaces.outer.kernels")


def test_modules_of_the_interpreter_are_modules_without_a_file():
    assert is_module("sys")
    assert source_file("sys") is None


def test_a_finder_that_fails_hides_nothing(folder, monkeypatch):
    class Failing:
        @staticmethod
        def find_spec(*_):
            raise ValueError("not today")

    monkeypatch.setattr(sys, "meta_path", [Failing, *sys.meta_path])
    assert is_module("that_prints.kernels")


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("that_print.kernels", "that_prints.kernels"),
        ("that_prints.kernel", "that_prints.kernels"),
        ("nothing_like_it_at_all", None),
        ("that_print.nothing_like_it_at_all", None),
        ("that_prints.kernels", None),
    ],
)
def test_a_like_module_is_one_that_is_there(folder, given, near):
    assert near_module(given) == near
