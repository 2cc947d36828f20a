"""Text stays the text that was given, on its way into Hydra's grammar and to a shell."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from harness.config import UsageError, composition
from harness.config.overrides import assignment, in_mapping, words_for_hydra
from harness.config.shell import shell_command, shell_word

TEXTS = [
    "plain",
    "bnbench-results/x",
    "rü",
    "größe (v2)",
    "a=b",
    "a,b",
    "a b",
    " a ",
    "2024_06_01",
    "1e3",
    "007",
    "true",
    "null",
    "it's",
    'a "b"',
    "a[/]b",
    "[a]",
    "{a: b}",
    "glob(x)",
    "C:\\",
    "-x",
    "~x",
]


@pytest.fixture(autouse=True)
def _registered() -> None:
    composition.register()


def meaning(word: str) -> object:
    """The value that Hydra takes an override for."""
    return OverridesParser.create().parse_override(word).value()


@pytest.mark.parametrize("text", TEXTS)
def test_an_assignment_means_the_text(text: str) -> None:
    assert meaning(assignment("results", text)) == text


@pytest.mark.parametrize(
    "text",
    ["2024_06_01", "1e3", "true", "007", "rü", "größe (v2)", "a=b", " a", "a[/]b", "r(1)", "a?b"],
)
def test_a_text_that_a_user_gives_is_not_taken_for_a_number_or_an_error(text: str) -> None:
    [word] = words_for_hydra([f"results={text}"])
    assert meaning(word) == text


def test_a_text_is_the_same_in_all_keys_that_refer_to_it() -> None:
    words = ["results=2024_06_01", assignment("tracking.experiment", "${results}")]
    [config] = composition.composed(words).configs
    assert (config.journal, config.tracking.experiment) == ("2024_06_01/journal", "${results}")


@pytest.mark.parametrize("word", ["results=[a", "results='a", "task.steps=ü", "margin=1e-2x"])
def test_a_slip_in_what_is_no_plain_text_stays_an_error(word: str) -> None:
    with pytest.raises(UsageError):
        composition.composed([word])


@pytest.mark.parametrize("name", ["größe (v2)", "a=b", "a,b", "[a]"])
def test_a_folder_of_presets_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name / "experiment").mkdir(parents=True)
    preset = "# @package _global_\nmargin: 0.07\n"
    (tmp_path / name / "experiment" / "mine.yaml").write_text(preset)
    made = composition.composed(["experiment=mine"], str(tmp_path / name))
    assert made.configs[0].margin == 0.07


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("3", "3"),
        ("[1, 2]", "[1, 2]"),
        ("fast", "fast"),
        ("a b", "a b"),
        ("a,b: c", '"a,b: c"'),
        ("http://host", "http://host"),
        ("rü", '"rü"'),
    ],
)
def test_a_value_of_a_mapping_is_quoted_where_it_has_to_be(value: str, written: str) -> None:
    assert in_mapping(value) == written


@pytest.mark.parametrize("word", [*TEXTS, "a\nb", "\x1b[31m'", "\u202e", "\udcff", ""])
def test_a_shell_takes_a_command_word_by_word(word: str) -> None:
    printed = shell_word(word)
    assert printed.isprintable()
    program = ["bash", "-c", f"printf %s {printed}"]
    assert subprocess.check_output(program).decode(errors="surrogateescape") == word
    if word.isprintable():
        assert shlex.split(shell_command(["bnbench", word])) == ["bnbench", word]


def test_credentials_are_in_the_environment_and_in_no_word_that_hydra_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BNBENCH_CREDENTIALS_0", "another")
    uri = "http://me:hunter2@127.0.0.1:9?token=hunter2"
    words = [f'tracking.uri="{uri}"', f"implementations=[{{_target_: m.C, uri: '{uri}'}},numpy]"]
    made = composition.composed(words)
    assert made.configs[0].tracking.uri == uri
    assert made.configs[0].implementations == [{"_target_": "m.C", "uri": uri}, "numpy"]
    assert "hunter2" not in "".join(made.overrides)


def test_a_presets_credentials_are_replaced_for_hydra(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ntracking: {uri: 'http://me:hunter2@h'}\n"
        "implementations: [{_target_: m.C, uri: 'http://me:hunter2@h', n: null}]\n"
    )
    made = composition.composed(["experiment=mine"], str(tmp_path))
    again = composition.composed(made.overrides, str(tmp_path))
    assert again.configs == made.configs
    replaced = [word for word in made.overrides[1:] if not word.startswith("hydra.")]
    assert [word.partition("=")[0] for word in replaced] == ["tracking.uri", "implementations"]
    assert "hunter2" not in "".join(made.overrides)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["experiment=quick,dtypes"], "(experiment=quick): the preset sweeps over task"),
        (["hydra.job.chdir=true"], "its records to another journal"),
        (["results=r?x=1"], "because of the ? or %"),
        (["results=r%41"], "because of the ? or %"),
    ],
)
def test_what_a_session_cannot_have_is_refused_where_it_is_composed(
    words: list[str], message: str
) -> None:
    with pytest.raises(UsageError) as refused:
        composition.composed(words)
    assert message in str(refused.value)


def test_presets_without_a_sweep_of_their_own_can_be_swept_over() -> None:
    made = composition.composed(["experiment=resnet20,fashion_mnist"])
    assert [config.task.name for config in made.configs] == ["convergence"] * 2
