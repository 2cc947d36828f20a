"""`bnbench list`: everything there is to choose from."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from harness.cli.arguments import json_flag
from harness.cli.listing import listing, titles
from harness.records import ExitStatus, to_plain


def main(arguments: Sequence[str]) -> int:
    found = listing()
    if json_flag("list", arguments):
        sys.stdout.write(json.dumps(to_plain(found), indent=2) + "\n")
    else:
        sys.stdout.write(titles(found))
    return ExitStatus.OK
