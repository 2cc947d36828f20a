"""What Hydra would do as asked, and a session cannot have: it is refused before anything is
written.
"""

from __future__ import annotations

from omegaconf import DictConfig

from harness.config.usage import UsageError


def refuse_folders_of_jobs(hydra: DictConfig) -> None:
    """Raise ``UsageError`` where Hydra's own configuration has jobs change their folder."""
    if hydra.job.chdir:
        raise UsageError(
            "hydra.job.chdir=true would take each job to a folder of its own, and its records to "
            "another journal; leave it out, and say with results=FOLDER where results go"
        )
