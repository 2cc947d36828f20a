"""The words for pytest that a user gives."""

from __future__ import annotations

import shlex

from harness.config.usage import UsageError

# By how a word begins, what makes a run useless here, and why.
REFUSED = {
    "--benchmark-json": "results are read from a file of bnbench's own",
    "--benchmark-disable": "then nothing is timed",
    "--benchmark-skip": "then nothing is timed",
    "--benchmark-compare": "base and head are compared by bnbench",
    "--numprocesses": "benchmarks side by side disturb each other; leave it out",
    "--dist": "benchmarks side by side disturb each other; leave it out",
    "-n": "benchmarks side by side disturb each other; leave it out",
    "--collect-only": "then nothing runs",
    "--co": "then nothing runs",
}


def suite_arguments(text: str) -> tuple[str, ...]:
    """The words of ``--pytest 'tests/benchmarks -k rows'``. Raises ``UsageError``."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--pytest {text!r}: {error}; quote it as for a shell") from error
    for word in words:
        for beginning, reason in REFUSED.items():
            if _begins(word, beginning):
                raise UsageError(f"--pytest: {word} is not possible: {reason}")
    return words


def _begins(word: str, beginning: str) -> bool:
    """Whether the word is that option, with its value or without: -n4, --dist=load."""
    if beginning.startswith("--"):
        name = word.partition("=")[0]
        return name == beginning or (
            beginning == "--benchmark-compare" and name.startswith(beginning)
        )
    return word == beginning or (word.startswith(beginning) and word[2:3].isdigit())
