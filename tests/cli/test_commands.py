"""Each command does what its help says, tells slips well, and exits with the status it promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from harness.cli import main
from harness.records import Status
from harness.report.terminal import WIDTH
from harness.store import Journal
from tests.helpers.commands import SMALL

SHAPE = "problem.shapes=[[4,3,5]]"


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["data"], ["--help"]])
def test_listing_and_help_import_nothing_heavy(arguments):
    program = (
        "import sys\nfrom harness.cli.main import main\nmain(sys.argv[1:])\n"
        "heavy = {'torch', 'numpy', 'mlflow', 'hydra', 'pandas', 'scipy', 'matplotlib', 'sklearn', "
        "'rich'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout


def test_help_fits_one_screen(bnbench):
    lines = bnbench("--help").stdout.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 120


def test_the_list_tells_what_is_available_and_where_shapes_come_from(bnbench):
    data = json.loads(bnbench("list", "--json").stdout)
    assert {"numpy", "torch_native"} <= {
        item["name"] for item in data["implementations"] if item["available"]
    }
    assert all(suite["source"] for suite in data["suites"])
    assert {preset["name"] for preset in data["presets"]} >= {
        "quick",
        "resnet50",
        "layouts",
        "dtypes",
        "fashion_mnist",
    }
    assert all(preset["description"] for preset in data["presets"])


def test_the_list_gives_the_reason_of_what_is_missing(bnbench):
    data = json.loads(bnbench("list", "--json", PATH="/nowhere").stdout)
    compiled = next(item for item in data["implementations"] if item["name"] == "torch_compile")
    assert not compiled["available"]
    assert "C++ compiler" in compiled["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rnu"], "did you mean 'run'"),
        (["run", "task=throughptu"], "did you mean 'throughput'"),
        (["run", "device.thread=1"], "did you mean 'device.threads'"),
        (["run", "implementations=[nunpy]"], "did you mean 'numpy'"),
        (["run", "implementations=[{_target_: no.such.Thing}]"], "PYTHONPATH"),
        (["run", "problem.shapes=[[3]]"], "shape"),
        (["run", "problem.memory_format=channels_last", "problem=mlp"], "channels_last"),
        (["run", "task=conformance", "task.cases=no-such-case"], "case"),
        (["run", "frobnicate"], "key=value"),
        (["run", "-m", "problem.dtype=float32,float23"], "did you mean 'float32'"),
        (["run", "--config-dir", "nowhere"], "no folder"),
        (["run", "-m", "results=a,b"], "one results"),
        (["run", "results="], "results is empty"),
        (["run", "results=/dev/null"], "folders to write to"),
        (
            ["run", "problem.dtype=float64", "problem.parameter_dtype=float32"],
            "float32 for bfloat16",
        ),
        (["run", "problem.shapes=[[1,3]]"], "one value a channel"),
        (["run", "implementations=[5]"], "no implementation 5"),
        (["compare", "--alpha", "2"], "alpha up to 0.5"),
        (["ui", "--port", "99999999"], "1 to 65535"),
        (["check"], "which implementation"),
        (["check", "--thorough"], "which implementation"),
        (["check", "numpy", "--thorogh"], "'--thorogh' is no key=value"),
        (["run", "task=conformance", "--thorough"], "'--thorough' is no key=value"),
        (["compare", "one"], "two sessions"),
        (["compare"], "two sessions"),
        (["data", "digit"], "did you mean 'digits'"),
        (
            ["run", "task=convergence", "task.dataset=fashion_mnist", "task.data_folder=nowhere"],
            "bnbench data fashion_mnist",
        ),
        (["run", "task=convergence", "task.data_folder=nowhere"], "leave it out"),
        (["list", "--jsno"], "--help"),
    ],
)
def test_wrong_usage_exits_with_two_and_says_what_to_do(bnbench, tmp_path, arguments, said):
    ran = bnbench(*arguments)
    assert ran.returncode == 2, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "bnbench-results").exists()


@pytest.mark.parametrize(
    ("arguments", "rest"),
    [
        (["numpy"], []),
        (["--thorough", "numpy"], ["task.thorough=true"]),
        (
            ["numpy", "task.cases=data/*", "--thorough", "-m"],
            ["task.cases=data/*", "task.thorough=true", "-m"],
        ),
    ],
)
def test_check_is_a_run_of_conformance_thorough_if_asked(monkeypatch, arguments, rest):
    given = []
    monkeypatch.setattr(main, "run", lambda words: given.extend(words) or 0)
    assert main.check(arguments) == 0
    assert given == ["task=conformance", "implementations=[numpy]", *rest]


@pytest.mark.slow
def test_a_parallel_sweep_leaves_a_table_a_report_files_and_a_journal_and_two_sweeps_compare(
    bnbench, tmp_path
):
    first = bnbench(
        "run",
        SHAPE,
        *SMALL,
        "-m",
        "problem.activation=relu,null",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
    )
    assert first.returncode == 0, first.stderr
    assert max(map(len, first.stdout.splitlines())) <= WIDTH
    assert "torch_unfused" in first.stdout
    report = tmp_path / re.search(r"report +(\S+)", first.stdout)[1]
    assert {path.name for path in report.parent.iterdir()} >= {
        "report.md",
        "table.txt",
        "records.jsonl",
        "samples.parquet",
        "environment.json",
        "config.yaml",
    }
    contents = Journal(tmp_path / "bnbench-results/journal").read()
    assert len(contents.plans) == 2
    assert {record.status for record in contents.records.values()} == {Status.OK}
    assert len(contents.records) == 2 * 3
    bnbench("run", SHAPE, *SMALL, "tracking=none")
    compared = bnbench("compare")
    assert compared.returncode in (0, 1, 3), compared.stderr
    assert "torch_unfused" in compared.stdout


def test_a_plugin_that_fails_gives_exit_status_one_and_one_that_refuses_does_not(bnbench):
    for name, status in (("Wrong", 1), ("Refusing", 0)):
        ran = bnbench(
            "run",
            SHAPE,
            *SMALL,
            "tracking=none",
            "task.launches=1",
            f"implementations=[torch_native,{{_target_: troublesome_bn.{name}}}]",
        )
        assert ran.returncode == status, ran.stderr
        assert ("WRONG" if status else "UNSUPPORTED") in ran.stdout


def test_where_nothing_could_be_measured_the_status_is_three(bnbench):
    ran = bnbench(
        "run",
        SHAPE,
        "implementations=[numpy]",
        "baseline=numpy",
        "problem.dtype=bfloat16",
        "tracking=none",
        "task.launches=1",
    )
    assert ran.returncode == 3, ran.stdout + ran.stderr


def test_a_gpu_that_is_not_there_is_unavailable_and_not_a_number(bnbench):
    ran = bnbench("run", SHAPE, *SMALL, "device=cuda", "tracking=none", "task.launches=1")
    assert "UNAVAILABLE" in ran.stdout
    assert ran.returncode == 3


def test_the_doctor_gives_a_remedy_for_whatever_is_not_good(bnbench):
    findings = json.loads(bnbench("doctor", "--json").stdout)
    assert findings
    assert all((finding["remedy"] is None) == (finding["state"] == "good") for finding in findings)
    assert bnbench("doctor").returncode == 0


def test_a_users_own_folder_named_conf_or_harness_hides_nothing(bnbench, tmp_path):
    for name in ("conf", "harness", "implementations"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "conf" / "config.yaml").write_text("wrong: true\n")
    ran = bnbench("run", SHAPE, *SMALL, "tracking=none", "task.launches=1")
    assert ran.returncode == 0, ran.stderr


def test_a_users_configuration_folder_adds_a_preset(bnbench, tmp_path):
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "tiny.yaml").write_text(
        "# @package _global_\nproblem: {shapes: [[4, 3]], suite: null}\ntask: {launches: 1}\n"
    )
    ran = bnbench("run", "--config-dir", "mine", "experiment=tiny", "--cfg", "job")
    assert ran.returncode == 0, ran.stderr
    assert "launches: 1" in ran.stdout
