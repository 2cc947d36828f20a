"""The two workflow files of the example repository do what GATING.md promises: their own commands
are run, from a folder with nothing else in it, with a stand-in for GitHub.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it ships no types

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests/gate/example_repository"
WORKFLOWS = EXAMPLE / ".github/workflows"
MARKER = "<!-- bnbench gate -->"
# The smallest gate there is: one launch decides nothing on times, and all on what is wrong.
SMALL = """\
# @package _global_
problem: {shapes: [[4, 3, 5]]}
task: {launches: 3, most_launches: 3, blocks: 1, sample_seconds: 0.001}
device: {threads: 1}
"""
# Ends with one status after the other.
BNBENCH = """\
#!/bin/sh
echo "$@" >> log
read next rest < answers
echo "$rest" > answers
exit $next
"""
# Answers as `gh` would, after its own --jq; a comment is a file.
GH = """\
#!/bin/sh
case "$1 $2 $*" in
"run download"*) cp "$STATE/gate.md" . ;;
"pr list"*) echo 7 ;;
*PATCH*comments/42*) cp gate.md "$STATE/comment"; echo replaced >> "$STATE/log" ;;
*POST*issues/7/comments*) cp gate.md "$STATE/comment"; echo new >> "$STATE/log" ;;
*issues/7/comments*) if [ -e "$STATE/comment" ]; then echo 42; fi ;;
*) echo "no such call: $*" >&2; exit 1 ;;
esac
"""


def steps(path: Path) -> list[dict[str, Any]]:
    [job] = yaml.safe_load(path.read_text())["jobs"].values()
    return [step for step in job["steps"] if "run" in step]


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Comes first on the path; what a runner installs is there already."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder, "pip", "#!/bin/sh\nexit 0\n")
    return folder


def run_steps(
    path: Path, folder: Path, programs: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """As a runner does: each step's script by a bash that ends at the first failure; the last."""
    first = [str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]
    for step in steps(path):
        ran = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=folder,
            env={**os.environ, "PATH": os.pathsep.join(first), **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if ran.returncode != 0:
            break
    return ran


def output(path: Path) -> Mapping[str, str]:
    pairs = (line.partition("=")[::2] for line in path.read_text().splitlines())
    return dict(pairs)


def test_it_fails_warns_or_passes_as_the_gate_says_and_asks_once_more_where_that_is_undecided(
    tmp_path, programs
):
    program(programs, "bnbench", BNBENCH)
    for answers, status, calls in (("0", 0, 1), ("1", 1, 1), ("2", 2, 1), ("3 1", 1, 2)):
        (tmp_path / "log").unlink(missing_ok=True)
        (tmp_path / "answers").write_text(f"{answers}\n")
        assert run_steps(WORKFLOWS / "gate.yml", tmp_path, programs).returncode == status
        assert len((tmp_path / "log").read_text().splitlines()) == calls
    (tmp_path / "answers").write_text("3 3\n")
    ran = run_steps(WORKFLOWS / "gate.yml", tmp_path, programs)
    assert ran.returncode == 0
    assert "::warning::the gate could not decide" in ran.stdout
    assert (tmp_path / "log").read_text().splitlines()[-1].endswith("gate.seconds=720")


def test_a_comment_is_made_once_and_replaced_at_the_next_push(tmp_path, programs):
    program(programs, "gh", GH)
    state = {"STATE": str(tmp_path), "RUN": "1", "HEAD": "abc", "GH_REPO": "me/mine"}
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (tmp_path / "gate.md").write_text(f"{MARKER}\n{number}\n")
        ran = run_steps(WORKFLOWS / "comment.yml", folder, programs, **state)
        assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "log").read_text() == "new\nreplaced\n"
    assert (tmp_path / "comment").read_text() == f"{MARKER}\n2\n"


def test_measuring_has_no_secret_and_no_right_to_write_and_commenting_runs_no_code_of_a_fork():
    measuring = yaml.safe_load((WORKFLOWS / "gate.yml").read_text())
    commenting = yaml.safe_load((WORKFLOWS / "comment.yml").read_text())
    assert measuring["permissions"] == {"contents": "read"}
    assert "secrets." not in (WORKFLOWS / "gate.yml").read_text()
    [job] = commenting["jobs"].values()
    assert [step for step in job["steps"] if "uses" in step] == []
    assert "${{" not in "".join(step["run"] for step in job["steps"])


def test_this_repository_comments_in_the_same_way_and_gates_its_kernels():
    own = ROOT / ".github/workflows"
    assert (own / "comment.yml").read_text() == (WORKFLOWS / "comment.yml").read_text()
    gate = yaml.safe_load((own / "gate.yml").read_text())
    assert gate["name"] == "gate"  # by which comment.yml finds it
    assert "implementations/**" in gate[True]["pull_request"]["paths"]  # YAML 1.1 reads `on` so


@pytest.mark.slow
def test_a_wrong_result_in_a_pull_request_fails_its_gate_and_is_commented_on(tmp_path, programs):
    repository, output_file = tmp_path / "repository", tmp_path / "output"
    shutil.copytree(EXAMPLE, repository)
    (repository / "bench/experiment/gate.yaml").write_text(SMALL)
    git(repository, "init", "--quiet")
    commit(repository)
    kernel = repository / "src/my_bn.py"
    kernel.write_text(kernel.read_text().replace("return output.relu()", "return 1.5 * output"))
    commit(repository)

    ran = run_steps(
        WORKFLOWS / "gate.yml",
        repository,
        programs,
        GITHUB_OUTPUT=str(output_file),
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        # as an author's CI may not: nothing is fetched
        PIP_NO_BUILD_ISOLATION="0",
        PIP_NO_INDEX="1",
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    found = output(output_file)
    assert found["verdict"] == "REGRESSION"
    page = Path(found["page"]).read_text()
    assert page.startswith(f"{MARKER}\n\n## bnbench gate: REGRESSION\n\nBROKEN 1 of 1 cell.")
    assert "`mine`" in page
    assert (tmp_path / "summary").read_text() == page
    assert git(repository, "worktree", "list").count("\n") == 1
    assert git(repository, "status", "--porcelain") == ""


def commit(repository: Path) -> None:
    git(repository, "add", "--all")
    git(repository, "-c", "user.name=n", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x")


def git(repository: Path, *arguments: str) -> str:
    ran = subprocess.run(
        ["git", *arguments], cwd=repository, check=True, capture_output=True, text=True
    )
    return ran.stdout
