"""What Hydra would do as asked, and a session cannot have: it is refused before anything is
written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from harness.config.usage import UsageError

PRESETS = "experiment"


def refuse_folders_of_jobs(hydra: DictConfig) -> None:
    """Raise ``UsageError`` where Hydra's own configuration has jobs change their folder."""
    if hydra.job.chdir:
        raise UsageError(
            "hydra.job.chdir=true would take each job to a folder of its own, and its records to "
            "another journal; leave it out, and say with results=FOLDER where results go"
        )


def refuse_presets_that_each_sweep(
    sweeps: Sequence[Override], params_of: Callable[[str], Mapping[str, object]]
) -> None:
    """A sweep over presets one of which sweeps by itself: Hydra would drop that one's own sweep.

    ``params_of`` says what an override that chooses one preset sweeps over. Raises ``UsageError``.
    """
    for override in sweeps:
        if override.key_or_group != PRESETS or not override.is_choice_sweep():
            continue
        for preset in override.sweep_string_iterator():
            swept = params_of(f"{PRESETS}={preset}")
            if swept:
                raise UsageError(
                    f"{override.input_line}: {preset} sweeps over {', '.join(swept)}, which would "
                    "be left out; run a command for each preset"
                )
