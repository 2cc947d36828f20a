"""The ``key=value`` words of a command line, and the jobs that they mean.

A sweep's jobs are those that Hydra's basic sweeper makes of the same words, in the same order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import islice, product

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep

from harness.config.key_messages import ERRORS, unknown_key
from harness.config.schema import Config
from harness.config.usage import UsageError, shortened

# keys that all jobs of a session share, so that no sweep may vary them
OF_THE_SESSION = ("results", "journal", "report", "tracking", "gate")
MOST_JOBS = 100_000  # of a sweep; a job takes seconds at least
KEYS = {key.name for key in fields(Config)}
NOT_ADDED = ("hydra", "experiment")  # what Hydra itself adds to or takes from the defaults


@dataclass(frozen=True)
class JobWords:
    """One job of a sweep: all its overrides, and the ``name`` made of those that vary."""

    number: int
    overrides: list[Override]
    name: str


def parsed(words: Sequence[str], loader: ConfigLoader | None = None) -> list[Override]:
    """Each word as Hydra understands it. Raises ``UsageError``, as all here do.

    ``loader`` is needed for ``glob(...)``.
    """
    parser = OverridesParser.create(config_loader=loader)
    found = [_parsed(parser, word) for word in words]
    for override in found:
        key = str(override.key_or_group)
        if key.startswith(NOT_ADDED):
            continue
        if override.is_add():
            raise UsageError(f"{shown(override)}: no key can be added; {unknown_key(key)}")
        if override.is_force_add() and key.partition(".")[0] not in KEYS:
            raise UsageError(unknown_key(key))
        if override.is_delete():
            raise UsageError(
                f"{shown(override)}: no key can be taken away; give it a value, or leave it "
                "out for the default"
            )
    return found


def sweeps_of(overrides: Sequence[Override]) -> list[Override]:
    """Those with several choices, each seen to be one that a sweep may have."""
    found = [override for override in overrides if override.is_sweep_override()]
    for override in found:
        _check_key(override)
    return found


def jobs(overrides: Sequence[Override], parser: OverridesParser) -> Iterator[JobWords]:
    """The jobs of a sweep: every choice of each swept key with every one of the others."""
    by_key = _by_key(overrides)
    count(overrides)
    choices = [_choices(override, parser) for override in by_key.values()]
    varied = [override.is_sweep_override() for override in by_key.values()]
    for number, chosen in enumerate(product(*choices)):
        name = " ".join(
            shown(override) for override, varies in zip(chosen, varied, strict=True) if varies
        )
        yield JobWords(number, list(chosen), name)


def count(overrides: Sequence[Override]) -> int:
    """How many jobs that makes, without making them."""
    by_key = _by_key(overrides)
    found = math.prod(_count(override) for override in by_key.values())
    if not 0 < found <= MOST_JOBS:
        words = " ".join(shown(each) for each in by_key.values() if each.is_sweep_override())
        raise UsageError(f"{words}: a sweep of {found:,} jobs; allowed: 1 to {MOST_JOBS:,}")
    return found


def lowest(override: Override) -> Override:
    """One choice of a sweep that some other sweeper samples from, in the place of all."""
    parser = OverridesParser.create(config_loader=override.config_loader)
    if override.is_interval_sweep():
        value = str(override.value().start)  # type: ignore[union-attr]  # an interval has a start
    else:
        value = next(iter(override.sweep_string_iterator()), "null")
    return _parsed(parser, f"{override.get_key_element()}={value}")


def shown(override: Override) -> str:
    """The word as given, as far as a message has room for it."""
    return shortened(override.input_line or "")


def _by_key(overrides: Sequence[Override]) -> dict[str, Override]:
    """Each key once: the last override of it counts."""
    return {override.get_key_element(): override for override in overrides}


def _parsed(parser: OverridesParser, word: str) -> Override:
    try:
        override = parser.parse_override(word)
    except (*ERRORS, ValueError) as error:
        reason = (str(error).splitlines() or ["it has no meaning"])[0]
    except RecursionError:
        reason = "it is nested too deeply"
    else:
        override.config_loader = parser.config_loader  # for glob(...)
        return override
    raise UsageError(
        f"{shortened(word)}: {shortened(reason)}; write key=value, and quote what the shell would "
        "take apart, as in 'problem.shapes=[[32,64,56,56]]'"
    )


def _check_key(override: Override) -> None:
    word, key = shown(override), str(override.key_or_group)
    root = key.partition(".")[0]
    if root in OF_THE_SESSION:
        raise UsageError(f"{word}: a session has one {key}; run a command for each")
    if root == "implementations":
        raise UsageError(
            f"{word}: implementations are compared inside a job, so a sweep cannot part them; list "
            "them all, as in 'implementations=[numpy,torch_native]'"
        )
    if key.startswith("hydra"):
        raise UsageError(f"{word}: Hydra's own keys cannot be swept over; give one value")


def _count(override: Override) -> int:
    """How many choices; those of a range are not made to be counted."""
    value = override.value()
    if not override.is_sweep_override():
        return 1
    if override.is_interval_sweep():
        raise UsageError(
            f"{shown(override)}: an interval is sampled from, which Hydra's own sweeper cannot do; "
            f"list the values, as in {override.key_or_group}=A,B,C, or choose a hydra/sweeper"
        )
    if isinstance(value, RangeSweep):
        return _length(override, value)
    found = Counter(override.sweep_string_iterator())
    for choice, times in found.items():
        if times > 1:
            raise UsageError(f"{shown(override)} has {choice} twice; give each choice once")
    if not found:
        raise UsageError(f"{shown(override)} matches nothing that there is to choose from")
    return len(found)


def _length(override: Override, value: RangeSweep) -> int:
    start, stop, step = value.start, value.stop, value.step
    if start is None or stop is None or not step:
        raise UsageError(f"{shown(override)}: write range(START,STOP,STEP), STEP not 0")
    try:
        steps = Fraction(stop) - Fraction(start)
        return max(0, math.ceil(steps / Fraction(step)))
    except (ValueError, OverflowError):  # an infinity or not a number
        raise UsageError(f"{shown(override)}: START, STOP and STEP must be finite") from None


def _choices(override: Override, parser: OverridesParser) -> list[Override]:
    if not override.is_sweep_override():
        return [override]
    key = override.get_key_element()
    values = islice(override.sweep_string_iterator(), MOST_JOBS)
    return [_parsed(parser, f"{key}={value}") for value in values]
