"""A third party's package, installed in a scratch environment, is found in both ways that the
README gives.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "plugins" / "my_bn_package"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """An environment of its own with the package installed, on top of what this one has; the path
    of its Python.
    """
    folder = tmp_path_factory.mktemp("scratch")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env" / "bin" / "python"
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    # addsitedir reads this environment's own .pth files too, an editable bnbench among them.
    (site / "below.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    # building leaves files beside the source
    package = shutil.copytree(PACKAGE, folder / "package")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--no-build-isolation",
            str(package),
        ],
        check=True,
        capture_output=True,
    )
    return python


def bnbench(python, folder, *arguments):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [python, "-c", "import sys; from harness.cli import main; sys.exit(main())", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_an_entry_point_is_listed_by_its_name(scratch, tmp_path):
    names = [
        item["name"]
        for item in json.loads(bnbench(scratch, tmp_path, "list", "--json").stdout)[
            "implementations"
        ]
    ]
    assert "mine" in names


@pytest.mark.slow
@pytest.mark.parametrize(
    "spelling", ["mine", pytest.param("{_target_: my_bn.Mine}", marks=pytest.mark.long)]
)
def test_it_is_measured_beside_the_baseline_under_either_spelling(scratch, tmp_path, spelling):
    ran = bnbench(
        scratch,
        tmp_path,
        "run",
        f"implementations=[torch_native,{spelling}]",
        "problem.shapes=[[4,3,5]]",
        "problem.dtype=float64",
        "task.launches=1",
        "task.blocks=1",
        "tracking=none",
        "device.threads=1",
    )
    assert ran.returncode == 0, ran.stderr
    assert ("mine" if spelling == "mine" else "my_bn.Mine") in ran.stdout
    assert "UNAVAILABLE" not in ran.stdout


@pytest.mark.slow
def test_check_gives_a_verdict_on_its_correctness(scratch, tmp_path):
    asked = ("task.cases=phases/*", "tracking=none", "device.threads=1")
    ran = bnbench(scratch, tmp_path, "check", "mine", *asked)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "mine" in ran.stdout
