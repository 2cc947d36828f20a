"""A command imports no plug-in: what is wrong with one is told at once, and what it does on being
imported befalls a worker.
"""

from __future__ import annotations

import json
import sys

import pytest

import harness
from harness import api
from harness.cli import check, run
from harness.config import ConformanceConfig
from harness.records import Status

ABSENT = "did you mean 'Simple'"
OTHER = "json.JSONDecoder is not an Implementation; make it with from_functions"


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A package that prints and ends the process that imports it."""
    package = tmp_path / "plugins" / "hostile_bn"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("print('imported')\nraise SystemExit(7)\n")
    (package / "simple.py").write_text("Simple = make()\n")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=":")
    yield "hostile_bn.simple.Simple"
    assert "hostile_bn" not in sys.modules


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "hostile_bn.simple.Simpel"], ABSENT),
        (["check", "hostile_bn.simpel.Simple"], "did you mean 'hostile_bn.simple'"),
        (["check", "hostile_bn.simple"], "hostile_bn.simple is a module; name what is in it"),
        (["check", "{_target_: json.JSONDecoder}"], OTHER),
        (["check", "json.JSONDecoder(strict=False)"], OTHER),
        (["check", "torch.nn.BatchNorm1d"], "torch.nn.BatchNorm1d is not an Implementation"),
        (["run", "implementations=[{_target_: ..}]"], "write {_target_: package.module.Class}"),
        (["run", "implementations=[{label: numpy}]"], "there is no _target_ and no name"),
        (["check", "nan"], "no implementation 'nan'"),
        (["check", "numpy,torch_native"], "no implementation 'numpy,torch_native'"),
        (["check", "it's"], 'no implementation "it\'s"'),
        (["run", "implementations=[none]"], "one of task.alternatives"),
        (["check", "numpy", "implementations=[fused_cpu]"], "contradicts check"),
        (["check", "numpy", "task=throughput"], "contradicts check"),
        (["check", "numpy", "~task"], "contradicts check"),
        (["check", "numpy", "--thorough", "task.thorough=false"], "give one of them"),
        (["check", "numpy", "problem.dtype=float16"], "has no effect"),
        (["run", "tracking=none", "tracking.uri=x"], "has no effect"),
        (["ui", "task=convergence"], "has no effect on ui"),
        (["replay", "it", "resume=true"], "a replay runs everything again"),
    ],
)
def test_a_mistake_is_told_once_and_at_once(bnbench_here, hostile, tmp_path, arguments, message):
    ran = bnbench_here(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"bnbench {arguments[0]}: ")
    assert message in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "bnbench-results").exists()


def test_listing_and_configuring_a_hostile_plugin_show_nothing_of_it(bnbench_here, hostile):
    assert json.loads(bnbench_here("list", "--json").stdout)["implementations"]
    shown = bnbench_here("run", f"implementations=[{{_target_: {hostile}}}]", "--cfg", "job")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "imported" not in shown.stdout


def test_a_check_of_a_hostile_plugin_asks_one_worker_once(hostile, monkeypatch):
    monkeypatch.setattr(
        api, "ConformanceConfig", lambda **keywords: ConformanceConfig(**keywords, timeout=60.0)
    )
    records = harness.check({"_target_": hostile}, threads=1)
    assert len(records) > 100
    assert {record.status for record in records} == {Status.CRASHED}
    [reason] = {record.reason for record in records}
    assert reason == ("on being loaded: the worker died of exit status 7; its last words: imported")


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (["numpy", "mine"], "[numpy,mine]"),
        (["my_bn.Mine"], "[{_target_: my_bn.Mine}]"),
        (["{_target_: my_bn.Mine, block: 4}"], "[{_target_: my_bn.Mine, block: 4}]"),
        (["my_bn.Mine(block=4,fast=None)"], "[{_target_: my_bn.Mine, block: 4, fast: null}]"),
        (["null", "a b"], "['null','a b']"),
    ],
)
def test_check_takes_an_implementation_however_it_is_written(monkeypatch, words, listed):
    given = []
    monkeypatch.setattr(run, "main", lambda words: given.extend(words) or 0)
    assert check.main(words) == 0
    assert given == ["task=conformance", f"implementations={listed}"]
