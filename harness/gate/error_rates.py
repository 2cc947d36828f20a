"""How often a gate alarms for nothing, and how often it finds what was planted, against budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil, log1p
from statistics import fmean
from typing import TYPE_CHECKING

from harness.gate.simulation import Launches, PlayedGate, play
from harness.records import Verdict
from harness.statistics import binomial_interval, binomial_upper
from harness.statistics.stopping_rule import StoppingRule

if TYPE_CHECKING:
    from numpy.random import Generator

EFFECTS = (0.0, 0.03, 0.05, 0.1, 0.2)  # planted in one cell; 0 is base against base
DOUBT = 0.05
# Times as many launches as a budget has for each cell are allowed in one: decided cells save them.
CONCENTRATED = 2
MOST_LAUNCHES = 60
Draw = Callable[["Generator", int], Launches]


@dataclass(frozen=True)
class GateRates:
    """Of so many ``gates`` with one planted ``effect`` and a ``budget`` of seconds a cell.

    ``alarms`` counts gates that called any unplanted cell SLOWER, ``found`` those that called the
    planted one so, ``undecided`` those that could not rule out a slow-down. ``seconds`` and
    ``launches`` were used on average, for each cell.
    """

    effect: float
    budget: float
    cells: int
    gates: int
    alarms: int
    found: int
    undecided: int
    seconds: float
    launches: float

    @property
    def alarm_bound(self) -> float:
        """What false alarms are less probable than, with 95 % confidence (Clopper-Pearson)."""
        return binomial_upper(self.alarms, self.gates, DOUBT)

    @property
    def power(self) -> tuple[float, float, float]:
        """Of how many gates the effect is found, with the bounds of the 95 % interval."""
        return (self.found / self.gates, *binomial_interval(self.found, self.gates, DOUBT))


def rule_for(
    rule: StoppingRule, budget: float, seconds: Sequence[float], most: int = MOST_LAUNCHES
) -> StoppingRule:
    """The rule with as many launches as a budget of so many seconds a cell may come to, up to
    ``most``.
    """
    affordable = ceil(CONCENTRATED * budget / fmean(seconds))
    return replace(rule, most_launches=max(rule.pilot, min(most, affordable)))


def error_rates(
    rule: StoppingRule,
    draw: Draw,
    budgets: Sequence[float],
    gates: int,
    seed: int,
    effects: Sequence[float] = EFFECTS,
    most: int = MOST_LAUNCHES,
) -> Iterator[GateRates]:
    """For each budget of seconds a cell and each effect, over ``gates`` gates. ``draw`` makes as
    many launches as it is asked for, which are never more than ``most``.
    """
    import numpy as np

    for budget in budgets:
        for effect in effects:
            random = np.random.default_rng((seed, round(1000 * effect), round(1000 * budget)))
            seconds = draw(random, rule.pilot).seconds
            own = rule_for(rule, budget, seconds, most)
            played = [_played(own, draw, random, budget, effect) for _ in range(gates)]
            yield _rates(played, budget, effect)


def _played(
    rule: StoppingRule, draw: Draw, random: Generator, budget: float, effect: float
) -> PlayedGate:
    launches = draw(random, rule.most_launches).slowed(log1p(effect))
    return play(rule, launches, budget * len(launches.seconds))


def _rates(played: Sequence[PlayedGate], budget: float, effect: float) -> GateRates:
    cells = len(played[0].verdicts)
    return GateRates(
        effect=effect,
        budget=budget,
        cells=cells,
        gates=len(played),
        alarms=sum(_false_alarm(one, effect) for one in played),
        found=sum(one.verdicts[0] is Verdict.SLOWER for one in played if effect),
        undecided=sum(one.undecided > 0 for one in played),
        seconds=fmean(one.seconds for one in played) / cells,
        launches=fmean(one.launches for one in played) / cells,
    )


def _false_alarm(gate: PlayedGate, effect: float) -> bool:
    unplanted = gate.verdicts[1:] if effect else gate.verdicts
    return Verdict.SLOWER in unplanted
