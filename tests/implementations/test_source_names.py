"""A verdict about a name is given where sources leave no doubt, and nowhere else."""

from __future__ import annotations

import pytest

from implementations import source_names
from implementations.module_source import parsed
from implementations.source_names import Verdict, near_name, verdict

CLEAR = {
    "class Mine:\n    pass": Verdict.OTHER,
    "class Mine(object):\n    pass": Verdict.OTHER,
    "class Base(dict):\n    pass\nclass Mine(Base):\n    pass": Verdict.OTHER,
    "from json import JSONDecoder as Mine": Verdict.OTHER,
    "from json import decoder as Mine": Verdict.OTHER,
    "from pk.others import *": Verdict.OTHER,
    "from . import others\nclass Mine(others.Mine):\n    pass": Verdict.OTHER,
    "import pk.others\nclass Mine(pk.others.Mine):\n    pass": Verdict.OTHER,
    "import pk.others as o\nclass Mine(o.Mine):\n    pass": Verdict.OTHER,
    "import torch\nclass Mine(torch.nn.Module):\n    pass": Verdict.OTHER,
    "from torch.nn import BatchNorm2d as Mine": Verdict.OTHER,
    "": Verdict.ABSENT,
    "def f():\n    Mine = 1": Verdict.ABSENT,
    "class Other:\n    Mine = 1": Verdict.ABSENT,
    "from pk.others import Its": Verdict.ABSENT,
}
DOUBTFUL = [
    "Mine = make()",
    "Mine: object = make()",
    "def Mine():\n    pass",
    "if True:\n    Mine = 1",
    "try:\n    import Mine\nexcept ImportError:\n    pass",
    "with open('x') as Mine:\n    pass",
    "class Mine(Unknown):\n    pass",
    "class Mine(make()):\n    pass",
    "class Mine(Mine):\n    pass",
    "class Mine(metaclass=Meta):\n    pass",
    "class Mine:\n    def __new__(cls):\n        return make()",
    "@made\nclass Mine:\n    pass",
    "if x:\n    class Mine:\n        pass\nelse:\n    Mine = make()",
    "from implementations.interface import Implementation as Mine",
    "from implementations.interface import Implementation as I\nclass Mine(I):\n    pass",
    "from implementations import interface\nclass Mine(interface.Implementation):\n    pass",
    "from no_such_package import *",
    "from math import *",
    "from pk.mine import *",
    "def __getattr__(name):\n    return make(name)",
    "globals()['Mine'] = make()",
    "import sys\nsys.modules[__name__] = make()",
    "def f():\n    global Mine\n    Mine = 1\nf()",
    "def Mine(:",
]


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "pk").mkdir()
    (tmp_path / "pk" / "__init__.py").write_text("")
    (tmp_path / "pk" / "others.py").write_text("class Mine:\n    pass\nclass Its:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "pk"


@pytest.mark.parametrize(("source", "expected"), CLEAR.items())
def test_what_sources_show_is_told(package, source, expected):
    (package / "mine.py").write_text(f"'''A module.'''\n{source}\n")
    assert verdict("pk.mine", "Mine") is expected


@pytest.mark.parametrize("source", DOUBTFUL)
def test_what_sources_leave_open_is_possible(package, source):
    (package / "mine.py").write_text(f"'''A module.'''\n{source}\n")
    assert verdict("pk.mine", "Mine") is Verdict.POSSIBLE


def test_a_like_name_is_a_public_one_that_the_module_has(package):
    (package / "mine.py").write_text("class Simple:\n    pass\n_Simpel = Simple\n")
    assert near_name("pk.mine", "Simpel") == "Simple"
    assert near_name("pk.mine", "Complicated") is None


def test_modules_that_all_import_each_other_are_looked_through_at_most_once(package, monkeypatch):
    names = [f"m{number}" for number in range(30)]
    for name in names:
        lines = [f"from pk.{other} import *" for other in names if other != name]
        (package / f"{name}.py").write_text("\n".join(lines))
    parses = []
    monkeypatch.setattr(source_names, "parsed", lambda path: parses.append(path) or parsed(path))
    assert verdict("pk.m0", "Mine") is Verdict.POSSIBLE
    assert len(parses) <= len(names)
