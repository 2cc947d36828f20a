"""`bnbench compare` on two files of pytest-benchmark's: ratios, and why they are no verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.compare import main
from harness.config import UsageError

CPU = {"count": 2, "brand_raw": "EPYC", "hz_actual": [2000, 0]}
MACHINE = {"node": "here", "machine": "x86_64", "python_version": "3.11.7", "cpu": CPU}
COMMIT = {"id": "a" * 40, "dirty": False}


def written(name, times, **changes):
    """A file as pytest-benchmark writes it."""
    benchmarks = [
        {
            "fullname": f"tests/benchmarks/test_a.py::{test}",
            "name": test,
            "group": None,
            "extra_info": {"problem": "rows"},
            "stats": {
                "median": seconds,
                "min": seconds,
                "iqr": seconds / 10,
                "rounds": 20,
                "iterations": 3,
            },
        }
        for test, seconds in times.items()
    ]
    data = {
        "machine_info": MACHINE,
        "commit_info": COMMIT,
        "benchmarks": benchmarks,
        "datetime": "2026-12-01T04:30:09+00:00",
        "version": "5.3.1",
        **changes,
    }
    Path(name).write_text(json.dumps(data))
    return name


@pytest.fixture
def compared(tmp_path, monkeypatch, capsys):
    """What it prints of two files, which decide nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")  # or a narrow terminal's table has fewer

    def compare(before, after, **changes):
        status = main([written("a.json", before), written("b.json", after, **changes)])
        assert status == 3
        return capsys.readouterr().out

    return compare


def test_it_shows_ratios_and_gives_no_verdict(compared):
    shown = compared({"test_one": 1e-3, "test_two": 2e-3}, {"test_one": 2e-3, "test_two": 2e-3})
    [one] = [line.split() for line in shown.splitlines() if "test_one" in line]
    assert one[1:] == ["1.00", "ms", "2.00", "ms", "2.00", "10", "%"]
    assert "No verdict: each file is one run" in shown
    assert not {"SLOWER", "FASTER", "SAME"} & set(shown.split())


def test_it_says_how_to_get_a_verdict(compared):
    shown = compared({"test_one": 1.0}, {"test_one": 1.0}, commit_info={"id": "b" * 40})
    assert "bnbench gate aaaaaaaaaaaa --pytest tests/benchmarks/test_a.py" in shown
    assert "same commit" not in shown


def test_what_else_differs_is_named(compared):
    cpu = {**CPU, "count": 64, "hz_actual": [1]}
    machine = {**MACHINE, "python_version": "3.12.1", "cpu": cpu}
    shown = compared({"test_one": 1.0}, {"test_one": 1.0}, machine_info=machine)
    assert "The runs differ in python_version: 3.11.7 → 3.12.1" in shown
    assert "The runs differ in cpu.count: 2 → 64" in shown
    assert "hz_actual" not in shown


@pytest.mark.parametrize(
    ("commit", "said"),
    [
        (COMMIT, "Both are of the same commit: what differs is noise"),
        ({"id": "b" * 40, "dirty": True}, "after is of bbbbbbbbbbbb with changes that no commit"),
        ({"id": "unversioned"}, "after does not say which commit"),
    ],
)
def test_which_code_they_are_of_is_said_as_far_as_the_files_do(compared, commit, said):
    assert said in compared({"test_one": 1.0}, {"test_one": 1.0}, commit_info=commit)


def test_tests_of_one_file_alone_have_no_ratio(compared):
    shown = compared({"test_old": 1.0}, {"test_new": 2.0})
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if "::" in line}
    assert list(rows.values()) == [
        ["1.00", "s", "–", "–", "10", "%"],
        ["–", "2.00", "s", "–", "10", "%"],
    ]
    assert "No test is in both" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "b.json is no JSON"),
        (b"\xff", "b.json is no JSON"),
        (b"[1]", "of another program's"),
        (b'{"benchmarks": []}', "of another program's"),
        (b'{"benchmarks": [], "version": "5.3.1"}', "no benchmark in it"),
        (b'{"benchmarks": [1], "version": "9.0"}', "pytest-benchmark 9.0's; known are"),
        (b'{"benchmarks": [1], "version": "5.3.1"}', "not a valid ResultFile"),
    ],
)
def test_a_file_that_is_none_of_its_own_is_refused(tmp_path, monkeypatch, content, said):
    monkeypatch.chdir(tmp_path)
    Path("b.json").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        main([written("a.json", {"test_one": 1.0}), "b.json"])


def test_a_time_of_zero_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="which is no time"):
        main([written("a.json", {"test_one": 1.0}), written("b.json", {"test_one": 0.0})])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.json", "missing.json"], "missing.json: there is no such file"),
        (["a.json", "session"], "what stands beside it is none"),
        (["a.json"], "two sessions are compared, and 1 given"),
    ],
)
def test_two_files_are_wanted(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    written("a.json", {"test_one": 1.0})
    with pytest.raises(UsageError, match=said):
        main(words)


def test_as_json_it_has_the_ratios_and_the_status_of_what_is_undecided(compared, capsys):
    compared({"test_one": 1e-3}, {"test_one": 2e-3})
    assert main(["a.json", "b.json", "--json"]) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["status"]) == ("compare", 3)
    [test] = document["tests"].values()
    assert test == {"before": 1e-3, "after": 2e-3, "ratio": 2.0}
