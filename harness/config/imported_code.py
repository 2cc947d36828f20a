"""Keys of Hydra's own that name code, which Hydra would import into bnbench's process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from omegaconf import DictConfig, OmegaConf

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


# Where Hydra's own launchers, sweepers and handlers are, and those of installed plug-ins of Hydra,
# which it imports before it reads any configuration.
TRUSTED = ("hydra.", "hydra_plugins.", "logging.", "colorlog.")


def refuse_imported_code_of_presets(hydra: DictConfig) -> None:
    """Raise ``UsageError`` where Hydra's own configuration, as composed, names code of others: a
    preset of the user's can do that too.
    """
    composed = OmegaConf.to_container(hydra, resolve=False)
    for place, name in _named_code(composed, "hydra"):
        if not name.startswith(TRUSTED):
            raise UsageError(
                f"{place}: {name} has Hydra import code into bnbench's own process, in a preset; "
                "take it out of the preset"
            )


def _named_code(node: object, place: str) -> Iterator[tuple[str, str]]:
    """What is named as a class or a factory, and where it stands."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        inside = f"{place}.{key}"
        if key in {"_target_", "class", "()"}:
            yield inside, str(value)
        else:
            yield from _named_code(value, inside)
