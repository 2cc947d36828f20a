"""What the README promises a newcomer is true to the letter."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from harness.config import composition
from tests.helpers.commands import command

README = (Path(__file__).parent.parent / "README.md").read_text()
LINES = re.findall(r"^(?:PYTHONPATH=\. )?(bnbench (?:run|check) .*)$", README, re.MULTILINE)
COMMANDS = [line.split("  #")[0] for line in LINES if "..." not in line]
[PLUGIN] = re.findall(r"```python\n(# my_bn\.py\n.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(
    "line", [line for line in COMMANDS if line.startswith("bnbench run") and "mine" not in line]
)
def test_every_run_in_it_composes(line):
    composition.register()
    assert composition.composed([word for word in shlex.split(line)[2:] if word != "-m"]).configs


def test_it_holds_commands_to_check():
    assert len(COMMANDS) > 6


@pytest.mark.slow
def test_its_plugin_passes_the_conformance_suite_as_printed(tmp_path):
    (tmp_path / "my_bn.py").write_text(PLUGIN)
    ran = subprocess.run(
        command("check", "my_bn.Mine", "tracking=none", "device.threads=1"),
        cwd=tmp_path,
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "my_bn.Mine" in ran.stdout
    assert re.search(r"^ ?all +[1-9]\d* of", ran.stdout, re.MULTILINE), ran.stdout
