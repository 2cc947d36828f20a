"""Commands of other programs that end with this process, even where it is killed."""

from __future__ import annotations

import shutil


def ending_with_parent() -> tuple[str, ...]:
    """The words before such a command; none where util-linux lacks `setpriv --pdeathsig`, before
    2.33, and a killed process then leaves its child running to its end.
    """
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()
