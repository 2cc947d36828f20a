"""What the operating system says of a file or folder, in words that say what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path

from harness.config.usage import shortened

ELSEWHERE = "choose another folder with results=FOLDER"
ADVICE = {
    errno.ENOSPC: f"free some space, or {ELSEWHERE}",
    errno.EDQUOT: f"free some of your quota, or {ELSEWHERE}",
    errno.EROFS: ELSEWHERE,
    errno.EACCES: f"allow bnbench to read and write there, or {ELSEWHERE}",
    errno.EPERM: f"allow bnbench to read and write there, or {ELSEWHERE}",
    errno.EISDIR: f"a file is wanted there: move the folder away, or {ELSEWHERE}",
    errno.ENOTDIR: f"a folder is wanted there: {ELSEWHERE}",
    errno.EEXIST: f"a folder is wanted there: {ELSEWHERE}",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EMFILE: "allow more open files with `ulimit -n`",
    errno.EIO: f"see to the disk, or {ELSEWHERE}",
}


class CutShortError(Exception):
    """The disk ended a command in its middle. Exit status 1."""


def is_folder(word: str) -> bool:
    """Whether it names a folder; a word that no path can be does not."""
    try:
        return Path(word).is_dir()
    except (OSError, ValueError):
        return False


def is_json_file(word: str) -> bool:
    """Whether it is named as a file of JSON is, and is a file."""
    try:
        return word.endswith(".json") and Path(word).is_file()
    except (OSError, ValueError):
        return False


def disk_trouble(error: OSError, path: object = None, key: str = "results") -> str:
    """Which file, what is the matter with it, and what to do about it. ``path`` is the file where
    the error names none, as errors of writing do not; ``key`` says which folder it is in.
    """
    named = error.filename if error.filename is not None else path
    where = "" if named is None else f"{shortened(str(named))}: "
    reason = error.strerror or str(error) or type(error).__name__
    advice = ADVICE.get(error.errno or 0, "see that it is there, and can be read and written")
    advice = advice.replace("results=", f"{key}=")
    return shortened(f"{where}{reason}; {advice}", 1000)
