"""Whatever installed packages register, each name is had or has its reason, and hides no other."""

from __future__ import annotations

import json
import sys

import pytest

from harness.cli import main
from harness.config import Config, ConformanceConfig, UsageError
from harness.config.choices import ALTERNATIVES
from harness.records import CANARY
from harness.tasks.arms import arms_of
from implementations import Unavailable, registry

# Of each line of an entry_points.txt: the name, and a part of why it cannot be had.
FAULTY = {
    "canary = evil.mine:Mine": "second run",
    "none = evil.mine:Mine": "task.alternatives",
    "a.b = evil.mine:Mine": "a name begins with a letter",
    "null = evil.mine:Mine": "takes it for a value",
    "True = evil.mine:Mine": "takes it for a value",
    "a,b = evil.mine:Mine": "a name begins with a letter",
    "a b = evil.mine:Mine": "a name begins with a letter",
    "[x]y = evil.mine:Mine": "a name begins with a letter",
    "\x1b[31mred = evil.mine:Mine": "a name begins with a letter",
    "= evil.mine:Mine": "a name begins with a letter",
    "torch_native = evil.mine:Mine": "bnbench has a 'torch_native' of its own; rename it there, or "
    "write {_target_: evil.mine.Mine}",
    "twice = evil.mine:Mine": "registered more than once, by evil 1.0 and second",
    "nothing_but_this": "evil 1.0 has 'nothing_but_this'; write it as NAME =",
    "no_class = evil.mine": "write it as NAME =",
    "path = evil/mine.py:Mine": "write it as NAME =",
    "no_module = nowhere.to.be:Found": "there is no module 'nowhere.to.be'",
    "misspelt = evil.mine:Mime": "did you mean 'Mine'",
    "decoder = json:JSONDecoder": "is not an Implementation",
    "invalid = evil.invalid:Mine": "not valid Python",
    "programs = evil.programs:Mine": "its PROGRAMS cannot be read",
}
GOOD = ("MyBN", "my-bn", "bn2")
REFUSED = [line.partition("=")[0].strip() for line in list(FAULTY)[:12]]
REFUSED.remove("torch_native")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package that must not be imported, and its distribution with every line of the above."""
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "evil" / "mine.py").write_text("Mine = made()\n")
    (tmp_path / "evil" / "invalid.py").write_text("def Mine(:\n")
    (tmp_path / "evil" / "programs.py").write_text("PROGRAMS = made()\nMine = made()\n")
    good = [f"{name} = evil.mine:Mine" for name in GOOD]
    distribution(
        tmp_path, "evil", "[other]\nx\n[bnbench.implementations]", "# a comment", *FAULTY, *good
    )
    distribution(tmp_path, "second", "[bnbench.implementations]", "twice = evil.mine:Mine")
    unreadable = distribution(tmp_path, "third")
    unreadable.write_bytes(b"[bnbench.implementations]\nm\xe4h = evil.mine:Mine\n")
    monkeypatch.syspath_prepend(tmp_path)


def distribution(folder, name, *lines):
    """Its metadata as an installer leaves them; the path of its entry points."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return metadata / "entry_points.txt"


def config(*names):
    return Config(task=ConformanceConfig(), implementations=list(names))


def test_the_list_has_each_with_its_reason_and_hides_none(installed, capsys):
    assert main(["list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["implementations"]
    rows = {(row["name"], row["reason"]) for row in listed}
    for line, reason in FAULTY.items():
        name = line.partition("=")[0].strip()
        assert any(row[0] == name and row[1] and reason in row[1] for row in rows), line
    assert {(name, None) for name in (*GOOD, "torch_native", "numpy")} <= rows
    assert any("not in UTF-8" in str(reason) for _, reason in rows)
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "\\x1b[31mred" in shown
    assert all(sign.isprintable() for sign in shown.replace("\n", ""))


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_had_is_refused_with_the_reason(installed, name):
    [reason] = [reason for line, reason in FAULTY.items() if line.partition("=")[0].strip() == name]
    with pytest.raises(UsageError) as raised:
        arms_of(config(name))
    assert reason in str(raised.value)
    if name not in {CANARY, *ALTERNATIVES}:
        with pytest.raises(Unavailable) as unavailable:
            registry.load(name)
        assert reason in str(unavailable.value)


def test_a_built_ins_name_means_the_built_in_and_the_other_is_told(installed):
    assert not registry.is_foreign(arms_of(config("torch_native"))["torch_native"].implementation)
    reasons = [reason for name, reason in registry.unusable() if name == "torch_native"]
    assert reasons == [f"evil 1.0 registers it, but {FAULTY['torch_native = evil.mine:Mine']}"]


def test_a_good_name_is_an_arm(installed):
    assert set(arms_of(config(*GOOD))) == {"torch_native", *GOOD}


def test_a_change_in_what_is_installed_is_seen(installed, tmp_path):
    assert "later" not in registry.names()
    distribution(tmp_path, "fourth", "[bnbench.implementations]", "later = evil.mine:Mine")
    assert "later" in registry.names()


def test_an_installation_hidden_by_another_registers_nothing_twice(
    installed, tmp_path, monkeypatch
):
    below = tmp_path / "below"
    below.mkdir()
    distribution(below, "evil", "[bnbench.implementations]", "MyBN = evil.mine:Mine")
    monkeypatch.setattr("sys.path", [str(tmp_path), str(below), *sys.path])
    assert "MyBN" in registry.names()
