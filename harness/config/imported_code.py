"""Keys of Hydra's own that name code, which Hydra would import into bnbench's process."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.config.usage import UsageError

# A launcher or sweeper by its class, a callback, a logger's class, a package to search.
NAMES_CODE = re.compile(r"_target_|callbacks|pkg://|logging.*(\bclass\b|\(\))", re.DOTALL)


def refuse_imported_code(overrides: Sequence[str]) -> None:
    """Raise ``UsageError`` for the first such key.

    Plug-ins run in workers, where they cost no more than their own records.
    """
    for word in overrides:
        if re.match(r"[+~]*hydra\b", word) and NAMES_CODE.search(word):
            raise UsageError(
                f"{word} has Hydra import code into bnbench's own process; allowed: keys that name "
                "none, as hydra/launcher=joblib, and --config-dir FOLDER for groups of your own"
            )
