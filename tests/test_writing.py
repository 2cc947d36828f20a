"""The plug-ins of "Writing an implementation" are right, and what the page points to is there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from harness.conformance.cases import matching
from harness.conformance.checks import check
from harness.conformance.compare import failure_summary
from implementations import Unsupported
from implementations.adapters import from_differentiable, from_functions
from implementations.builtin import torch_unfused
from implementations.interface import ContractError
from tests.helpers.steps import train

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "WRITING.md").read_text()
ASKED = ("phases/*", "layouts/*", "repeats/*", "strided/*", "dtypes/*_mixed/*")


def imported(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def jax(monkeypatch):
    """JAX where it is installed; else as much of it as the example uses, by NumPy."""
    if importlib.util.find_spec("jax") is not None:
        return
    made: Any = ModuleType("jax")
    made.numpy = np
    made.jit = lambda function, **keywords: function
    made.block_until_ready = lambda arrays: arrays
    monkeypatch.setitem(sys.modules, "jax", made)
    monkeypatch.setitem(sys.modules, "jax.numpy", np)


def least(folder):
    readme = (ROOT / "README.md").read_text()
    [text] = re.findall(r"```python\n(# my_bn\.py\n.*?)```", readme, re.DOTALL)
    path = folder / "my_bn.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "attribute", "fewest"),
    [("least", "Mine", 1), ("good_bn", "Good", 50), ("jax_bn", "Jax", 25)],
)
def test_each_of_its_plugins_is_right_in_what_it_supports(name, attribute, fewest, jax, tmp_path):
    path = least(tmp_path) if name == "least" else ROOT / "examples" / f"{name}.py"
    implementation = getattr(imported(path), attribute)()
    passed = 0
    for case in [case for pattern in ASKED for case in matching(pattern)]:
        try:
            found = list(check(implementation, case))
        except Unsupported:
            continue
        assert failure_summary(found) is None, case.name
        passed += 1
    assert passed >= fewest


def test_what_it_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE)
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def wrong_saved(*operands):
    output, saved = torch_unfused.forward(*operands)
    return output, (*saved[:3], True)


def too_few_gradients(*arguments):
    return torch_unfused.backward(*arguments)[:3]


def without_weight(input, residual, weight, *others):
    return torch_unfused.layer(input, residual, weight.detach(), *others)


@pytest.mark.parametrize(
    "make",
    [
        from_functions(wrong_saved, torch_unfused.backward),
        from_functions(torch_unfused.forward, too_few_gradients),
        from_differentiable(without_weight),
    ],
)
def test_the_errors_that_it_shows_are_those_that_are_raised(make):
    with pytest.raises(ContractError) as raised:
        train(make())
    assert str(raised.value).partition(") ")[2] in PAGE


def test_both_ways_to_it_are_linked():
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "](WRITING.md)" in (ROOT / page).read_text()
