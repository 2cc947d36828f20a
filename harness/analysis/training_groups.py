"""Training records arranged as a reader asks for them: arms side by side, each with its seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.analysis.matching import key_without
from harness.analysis.selection import training_records
from harness.records import AnyRecord, TrainingCell, TrainingFigures, TrainingRecord

TrainingPairs = list[tuple[TrainingFigures, TrainingFigures]]


@dataclass(frozen=True)
class TrainingGroup:
    """Trainings alike in all but the seed: ``arms`` has the records of each arm by seed.

    ``definition`` is the first one's cell, from which the others differ in the seed alone.
    """

    definition: TrainingCell
    arms: Mapping[str, Mapping[int, TrainingRecord]]

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(seed for arm in self.arms.values() for seed in arm))

    @property
    def baseline(self) -> str:
        return self.definition.baseline

    @property
    def alpha(self) -> float:
        return self.definition.alpha

    @property
    def timed(self) -> bool:
        """Whether arms ran one after the other, so that their times can be compared."""
        return self.definition.timed

    def figures_of(self, arm: str) -> dict[int, TrainingFigures]:
        """An arm's figures, by seed, where there are any."""
        return {
            seed: record.figures
            for seed, record in self.arms[arm].items()
            if record.figures is not None
        }

    def pairs(self, arm: str, other: str) -> TrainingPairs:
        """Figures of both arms at each seed at which both have some."""
        ours, theirs = self.figures_of(arm), self.figures_of(other)
        return [(ours[seed], theirs[seed]) for seed in ours if seed in theirs]


def training_groups(records: Iterable[AnyRecord]) -> list[TrainingGroup]:
    """The training records, by all but the seed, then by arm and seed."""
    groups: dict[str, dict[str, dict[int, TrainingRecord]]] = {}
    definitions: dict[str, TrainingCell] = {}
    for record in training_records(records):
        key = key_without(record.cell, "seed")
        definitions.setdefault(key, record.cell)
        arms = groups.setdefault(key, {})
        arms.setdefault(record.implementation, {})[record.cell.seed] = record
    return [TrainingGroup(definitions[key], arms) for key, arms in groups.items()]
