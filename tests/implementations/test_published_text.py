"""What is stored or shown has neither credentials nor characters that a terminal would obey."""

from __future__ import annotations

import pytest

from implementations import registry
from implementations.published_text import visible, without_credentials


@pytest.mark.parametrize(
    ("given", "published"),
    [
        ("http://me:hunter2@127.0.0.1:9", "http://***@127.0.0.1:9"),
        ("https://token@host/a.git", "https://***@host/a.git"),
        ("MLflow at http://me:p@ss/w?rd@host could not", "MLflow at http://***@host could not"),
        (
            "postgresql+psycopg2://u:p@h/db?password=x&a=1",
            "postgresql+psycopg2://***@h/db?password=***&a=1",
        ),
        ("http://h/x?a=1&access_token=x", "http://h/x?a=1&access_token=***"),
        ("(http://a:b@c) and (http://d:e@f)", "(http://***@c) and (http://***@f)"),
        ("http://${oc.env:NAME}@host", "http://***@host"),
        ("http://***@host?token=***", "http://***@host?token=***"),
        ("https://host/a@b sqlite:////a/b@c me@host", "https://host/a@b sqlite:////a/b@c me@host"),
        ("a=b&token=c", "a=b&token=c"),
    ],
)
def test_credentials_are_taken_out_of_uris_and_nothing_else(given: str, published: str) -> None:
    assert without_credentials(given) == published


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("größe ×2", "größe ×2"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\u202eright to left", r"\u202eright to left"),
        ("\ud800", r"\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_its_escape(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_the_name_of_an_arm_is_one_line_without_credentials() -> None:
    arguments = {"uri": "http://me:hunter2@host", "text": "a\nb\x1b"}
    name = registry.name_of({"_target_": "m.C", **arguments})
    assert name == r"m.C(uri=http://***@host,text=a\nb\x1b)"


@pytest.mark.parametrize("part", ["x", "://", "?key", "a:", "@", ";"])
def test_a_long_text_is_searched_in_one_pass(part: str) -> None:
    """A search that went back would take hours."""
    assert len(without_credentials(f"http://h{300_000 * part}"))
