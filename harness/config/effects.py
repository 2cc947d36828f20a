"""Keys of a command line that would change nothing in what the command does, or that contradict
each other: refused, so that nobody takes the result for what was asked.

Only what the command line itself says is judged: a preset may serve several tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.config.choices import GHOST
from harness.config.schema import Config, ConvergenceConfig, ThroughputConfig
from harness.config.usage import UsageError

# Of each task: the keys, or groups of keys, that it does not read, and why.
UNREAD = {
    "conformance": {
        "problem": "its cases have problems of their own",
        "seed": "its cases have seeds of their own",
        "baseline": "it compares no implementation with another",
        "margin": "it times nothing",
        "alpha": "it estimates nothing",
    },
    "convergence": {
        "problem": "its problems are those of task.model",
        "margin": "it compares accuracies, within one point",
    },
}


# What only `bnbench gate` reads.
OF_A_GATE = ("gate.build", "gate.cache", "gate.seconds", "gate.alarms", "gate.instructions")


def refuse_keys_of_a_gate(overrides: Sequence[str], keys: Sequence[str] = OF_A_GATE) -> None:
    """Raise ``UsageError`` for the first such key, given to another command."""
    for word in overrides:
        if key_of(word) in {"gate", *keys}:
            raise UsageError(f"{word} has no effect: it is of bnbench gate; leave it out")


def refuse_without_effect(overrides: Sequence[str], configs: Iterable[Config]) -> None:
    """Raise ``UsageError`` for the first key that is given two values, or changes nothing in any
    of the jobs' configurations, which are gone through once.
    """
    _refuse_contradictions(overrides)
    reasons: dict[str, str | None] = {}
    for config in configs:
        for word in overrides:
            if reasons.get(word, "") is not None:  # it has no effect in the jobs so far
                reason = _reason(key_of(word), word.partition("=")[2], config)
                reasons[word] = reason and reasons.get(word, reason)
    for word, reason in reasons.items():
        if reason is not None:
            raise UsageError(f"{word} has no effect: {reason}; leave it out")


def _refuse_contradictions(overrides: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for word in overrides:
        key = key_of(word)
        if first.setdefault(key, word) != word and not key.startswith("hydra"):
            raise UsageError(f"{first[key]} and {word} contradict each other; give one of them")


def key_of(word: str) -> str:
    """The key of ``key=value``, or of the other forms of an override: ``+key=value``, ``~key``."""
    return word.partition("=")[0].lstrip("+~").partition("@")[0].replace("/", ".")


def _reason(key: str, value: str, config: Config) -> str | None:
    """Why the key changes nothing under that configuration; None where it may."""
    task, group = config.task, key.partition(".")[0]
    unread = UNREAD.get(task.name, {})
    if group in unread:
        return f"task={task.name} does not read it, since {unread[group]}"
    suite_is_given = key == "problem" and value == config.problem.suite
    if config.problem.shapes is not None and (
        key in {"problem.batch", "problem.suite"} or suite_is_given
    ):
        return "problem.shapes says which problems there are, with their batch sizes"
    if key == "task.ghost_batch" and isinstance(task, ConvergenceConfig):
        return None if GHOST in task.alternatives else f"task.alternatives has no {GHOST}"
    if key == "gate.fail_if" and not isinstance(task, ThroughputConfig):
        return f"task={task.name} finds nothing slower"
    if key in {"tracking.uri", "tracking.experiment"} and not config.tracking.enabled:
        return "tracking is turned off"
    return None
