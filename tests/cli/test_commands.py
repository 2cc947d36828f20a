"""Each command does what its help says, answers slips with what was meant, and exits with the
status it promises.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from harness.cli import check, run
from harness.records import Status
from harness.report.terminal import WIDTH
from harness.store import Journal
from tests.helpers.commands import SMALL, small

pytestmark = pytest.mark.usefixtures("forked_launches")
SHAPE = "problem.shapes=[[4,3,5]]"


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["data"], ["--help"]])
def test_listing_and_help_import_nothing_heavy(arguments):
    program = (
        "import sys\nfrom harness.cli import main\nmain(sys.argv[1:])\n"
        "heavy = {'torch', 'numpy', 'mlflow', 'hydra', 'pandas', 'scipy', 'matplotlib', 'sklearn', "
        "'rich'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout


def test_help_fits_one_screen(bnbench_here):
    lines = bnbench_here("--help").stdout.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 120


def test_the_list_has_what_is_available_and_where_shapes_come_from(bnbench_here):
    data = json.loads(bnbench_here("list", "--json").stdout)
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


def test_the_list_gives_the_reason_of_what_is_missing(bnbench_here, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    data = json.loads(bnbench_here("list", "--json").stdout)
    compiled = next(item for item in data["implementations"] if item["name"] == "torch_compile")
    assert not compiled["available"]
    assert "C++ compiler" in compiled["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
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
def test_wrong_usage_exits_with_two_and_says_what_to_do(bnbench_here, tmp_path, arguments, message):
    ran = bnbench_here(*arguments)
    assert ran.returncode == 2, ran.stderr
    assert message in ran.stderr
    assert ran.stderr.startswith(f"bnbench {arguments[0]}: ")
    assert not (tmp_path / "bnbench-results").exists()


def test_wrong_usage_in_a_process_of_its_own_leaves_no_traceback(bnbench, tmp_path):
    ran = bnbench("run", "task=throughptu")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("bnbench run: task=throughptu is not there; did you mean")
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
    monkeypatch.setattr(run, "main", lambda words: given.extend(words) or 0)
    assert check.main(arguments) == 0
    assert given == ["task=conformance", "implementations=[numpy]", *rest]


@pytest.mark.slow
def test_a_sweep_leaves_a_table_a_report_files_and_a_journal_and_two_sweeps_compare(
    bnbench_here, tmp_path
):
    first = bnbench_here("run", SHAPE, *SMALL, "-m", "problem.activation=relu,null")
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
    assert bnbench_here("run", SHAPE, *SMALL, "tracking=none").returncode == 0
    compared = bnbench_here("compare")
    # The machine decides which verdict it is, and the verdict the exit status.
    [verdict] = re.findall(r"\b(FASTER|SLOWER|SAME|AMBIGUOUS) 1\b", compared.stdout)
    statuses = {"FASTER": 0, "SAME": 0, "SLOWER": 1, "AMBIGUOUS": 3}
    assert compared.returncode == statuses[verdict], compared.stdout + compared.stderr
    assert "REMOVED 2" in compared.stdout  # the baseline and the other arm without an activation
    assert "torch_unfused" in compared.stdout


def test_a_plugin_that_fails_gives_exit_status_one_and_one_that_refuses_does_not(bnbench_here):
    for name, status in (("Wrong", 1), ("Refusing", 0)):
        ran = bnbench_here(
            "run",
            SHAPE,
            *small(
                "task.launches=1",
                f"implementations=[torch_native,{{_target_: troublesome_bn.{name}}}]",
            ),
            "tracking=none",
        )
        assert ran.returncode == status, ran.stderr
        assert ("WRONG" if status else "UNSUPPORTED") in ran.stdout


def test_where_nothing_could_be_measured_the_status_is_three(bnbench_here):
    ran = bnbench_here(
        "run",
        SHAPE,
        "implementations=[numpy]",
        "baseline=numpy",
        "problem.dtype=bfloat16",
        "tracking=none",
        "task.launches=1",
    )
    assert ran.returncode == 3, ran.stdout + ran.stderr


def test_a_gpu_that_is_not_there_is_unavailable_and_not_a_number(bnbench_here):
    ran = bnbench_here("run", SHAPE, *small("task.launches=1"), "device=cuda", "tracking=none")
    assert "UNAVAILABLE" in ran.stdout
    assert ran.returncode == 3


def test_the_doctor_gives_a_remedy_for_whatever_is_not_good(bnbench_here):
    ran = bnbench_here("doctor", "--json")
    findings = json.loads(ran.stdout)
    assert ran.returncode == 0
    assert findings
    assert all((finding["remedy"] is None) == (finding["state"] == "good") for finding in findings)


def test_the_doctor_names_each_subject_with_its_remedy(bnbench_here):
    ran = bnbench_here("doctor")
    assert ran.returncode == 0
    assert "clock" in ran.stdout
    assert "memory" in ran.stdout


def test_a_users_own_folder_named_conf_or_harness_hides_nothing(bnbench, tmp_path):
    for name in ("conf", "harness", "implementations"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong one')\n")
    (tmp_path / "conf" / "config.yaml").write_text("wrong: true\n")
    ran = bnbench("run", SHAPE, *small("task.launches=1"), "tracking=none")
    assert ran.returncode == 0, ran.stderr


def test_a_users_configuration_folder_adds_a_preset(bnbench_here, tmp_path):
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "tiny.yaml").write_text(
        "# @package _global_\nproblem: {shapes: [[4, 3]], suite: null}\ntask: {launches: 1}\n"
    )
    ran = bnbench_here("run", "--config-dir", "mine", "experiment=tiny", "--cfg", "job")
    assert ran.returncode == 0, ran.stderr
    assert "launches: 1" in ran.stdout
