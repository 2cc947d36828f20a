"""Commands as a shell takes them, in one line whatever their words hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterable


def shell_command(words: Iterable[str]) -> str:
    """The words for a shell, to copy. Control characters are written as their escapes."""
    return " ".join(map(shell_word, words))


def shell_word(word: str) -> str:
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_in_dollar_quotes, word))}'"


def _in_dollar_quotes(character: str) -> str:
    r"""As bash has it in ``$'...'``: \n, \x1b, \u202e; a lone surrogate is a byte of a name."""
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # as `os.fsdecode` has bytes that are not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
