"""What Hydra would do as asked, and a session cannot have: it is refused before anything is
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra import compose
from hydra.core.override_parser.types import Override

from harness.config.usage import UsageError

PRESETS = "experiment"


def hydra_part(words: Sequence[str]) -> Any:  # a DictConfig, whose keys are Hydra's own
    """Hydra's own configuration for these overrides, in a block where Hydra is initialized.

    Raises ``UsageError`` where jobs would change their folder.
    """
    hydra = compose("config", overrides=list(words), return_hydra_config=True).hydra
    if hydra.job.chdir:
        raise UsageError(
            "hydra.job.chdir=true would take each job to a folder of its own, and its records to "
            "another journal; leave it out, and say with results=FOLDER where results go"
        )
    return hydra


def refuse_presets_that_each_sweep(overrides: Sequence[Override], fixed: Sequence[str]) -> None:
    """A sweep over presets one of which sweeps by itself: Hydra would drop that one's own sweep.

    ``fixed`` are the overrides that are no sweeps. Raises ``UsageError``.
    """
    for override in overrides:
        if override.key_or_group != PRESETS or not override.is_choice_sweep():
            continue
        for preset in override.sweep_string_iterator():
            swept = hydra_part([*fixed, f"{PRESETS}={preset}"]).sweeper.get("params")
            if swept:
                raise UsageError(
                    f"{override.input_line}: {preset} sweeps over {', '.join(swept)}, which would "
                    "be left out; run a command for each preset"
                )
