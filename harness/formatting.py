"""Numbers and words as a reader wants them: few digits, a unit, and nothing that Markdown takes for
markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from math import isinf

from harness.records import Bytes, Interval, Seconds
from implementations.published_text import visible

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
VAST = 1e6  # from here on a power of ten says more than digits
SIZES = ((2**50, "PiB"), (2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
REASON_LENGTH = 300  # characters; the journal holds all of it
READ = 10  # times as many characters as are shown: what is left of them when white space is joined
ABSENT = "–"
# What Markdown or HTML would take for markup, the escapes' own signs first.
MARKUP = {
    "\\": "\\\\",
    "&": "&amp;",
    "|": "\\|",
    "<": "&lt;",
    "*": "\\*",
    "`": "\\`",
    "~~": "\\~~",
    "](": "]\\(",
}
EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # an underscore that is not within a word


def seconds(value: Seconds | None) -> str:
    """Three significant digits and the unit that suits: 1.23 ms. Unbounded or absent times have
    signs of their own.
    """
    if value is None:
        return ABSENT
    if isinf(value):
        return "∞"
    rounded = float(f"{value:.3g}")
    size, unit = next((pair for pair in UNITS if rounded >= pair[0]), UNITS[-1])
    return f"{significant(rounded / size)} {unit}"


def size(count: Bytes | None) -> str:
    """Bytes with three significant digits and a binary unit: 98.1 KiB."""
    if count is None:
        return ABSENT
    unit, name = next((pair for pair in SIZES if count >= pair[0]), SIZES[-1])
    return f"{count} B" if unit == 1 else f"{significant(count / unit)} {name}"


def significant(value: float) -> str:
    """Three significant digits, trailing zeros among them."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1000 else f"{value:,.0f}"


def power_of_ten(value: float) -> str:
    """Two significant digits and the power: 2.4e-3."""
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}e{int(power)}" if value else "0"


def ratio(value: float, like: float | None = None) -> str:
    """A ratio to the hundredth, or with as many places as suit ``like``, the estimate that it is a
    bound of.
    """
    if not value or isinf(value):
        return "∞" if value else "0"
    if value >= VAST:
        return f"{value:.0e}"
    size = like if like and not isinf(like) else value
    places = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.2 else 3
    return f"{value:,.{places}f}"


def bounded(interval: Interval) -> str:
    """An estimate and its interval: 0.98 [0.96, 1.00]."""
    low, high = (ratio(bound, interval.estimate) for bound in (interval.low, interval.high))
    return f"{ratio(interval.estimate)} [{low}, {high}]"


def bounded_or_absent(interval: Interval | None) -> str:
    return bounded(interval) if interval else ABSENT


def percent(value: float) -> str:
    """A share or relative difference: 3 %, 3.1 %, and no decimals from ten on."""
    if abs(value) >= VAST:
        return f"{100 * value:.0e} %"
    return f"{100 * value:.{1 if abs(value) < 0.0995 else 0}f}".removesuffix(".0") + " %"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """1 cell, 3 cells."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    *others, last = list(words) or [""]
    return f"{', '.join(others)} and {last}" if others else last


def plain(text: str, length: int = REASON_LENGTH) -> str:
    """One line of ``text`` that means itself in a Markdown table or list, shortened to ``length``
    characters.
    """
    shown = line(text, length)
    for sign, escaped in MARKUP.items():
        shown = shown.replace(sign, escaped)
    return EMPHASIS.sub(r"\\_", shown)


def line(text: str, length: int = REASON_LENGTH) -> str:
    """``text`` in one line, shortened to ``length`` characters, without control characters."""
    joined = visible(" ".join(text[: READ * length].split()))
    return joined if len(joined) <= length else joined[: length - 1].rstrip() + "…"


def points(difference: Interval) -> str:
    """A difference of accuracies in points with its interval: +0.12 [-0.30, +0.54]."""
    middle, low, high = (
        f"{100 * value:+.2f}" for value in (difference.estimate, difference.low, difference.high)
    )
    return f"{middle} [{low}, {high}]"


def code(text: str) -> str:
    """A name set as code, in a table or outside of one. One with signs of Markdown's own is set as
    HTML, where they can be escaped.
    """
    shown = visible(text)
    if not set(shown) & set("`|<>&"):
        return f"`{shown}`"
    return f"<code>{escape(shown).replace('|', '&#124;').replace('`', '&#96;')}</code>"


def columns(header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """A Markdown table; ``right`` are the columns to align there."""
    aligned = set(right)
    rule = ["---:" if position in aligned else "---" for position in range(len(header))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows))
