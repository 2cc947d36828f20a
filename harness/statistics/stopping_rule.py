"""When a gate knows enough: which cells are decided, and which ones get another launch.

A gate holds head against base in many cells, and looks after the pilot and after each further
launch. Two error rates are kept over all of its looks:

    alarms   of a whole gate whose head is as quick as its base: that any cell is called SLOWER
    alpha    of each cell's interval: that it misses the true ratio

A cell is SLOWER where its interval lies beyond the margin and "no slower at all" is refuted at the
gate's level, shared among its cells by Holm's method; FASTER is the mirror image, SAME needs the
interval only. So an alarm always means an effect beyond the margin, while the price of many cells
is paid where it is due, in the evidence against no effect.

Launches have outliers, and of three launches two that are off together look like an effect. So
what is left without the `LEFT_OUT` farthest launches has to lie beyond the margin as well. And a
cell that is far noisier than the others can look quiet in a few launches, so the evidence against
no effect takes the noise of head or canary, whichever is larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log1p

from harness.records import Interval, Verdict
from harness.statistics.alpha_spending import nominal_levels, spent_share
from harness.statistics.decisions import verdict
from harness.statistics.gate_noise import (
    CellLaunches,
    mean,
    moderated_mean,
    noisier_variance,
    open_priors,
    variance,
)
from harness.statistics.intervals import bounded_exp
from harness.statistics.moderation import VariancePrior
from harness.statistics.student import Estimate, t_beyond, t_quantile

LEFT_OUT = 2
LEAST_PILOT = LEFT_OUT + 1


@dataclass(frozen=True)
class StoppingRule:
    """``pilot`` launches of every cell come first; more than ``most_launches`` no cell gets."""

    alarms: float = 0.01
    alpha: float = 0.05
    margin: float = 0.03
    pilot: int = LEAST_PILOT
    most_launches: int = 12

    def __post_init__(self) -> None:
        for name in ("alarms", "alpha"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(
                    f"{name}={getattr(self, name)} is no probability between 0 and 1; "
                    "give one such as 0.01"
                )
        if not self.margin > 0:
            raise ValueError(f"margin={self.margin} is not above 0; give one such as 0.03")
        if not LEAST_PILOT <= self.pilot <= self.most_launches:
            raise ValueError(
                f"a pilot of {self.pilot} and at most {self.most_launches} launches do not fit; a "
                f"pilot has at least {LEAST_PILOT}, and no more than there may be in all"
            )


@dataclass(frozen=True)
class Look:
    """One look at a cell: after how many launches, which ``share`` of the levels may be spent by
    then, what the interval says, and how surely the data refute that head is no slower, or no
    faster, than base: one-sided p-values.
    """

    launches: int
    share: float
    verdict: Verdict
    slower: float
    faster: float


@dataclass(frozen=True)
class Standing:
    """What is known of a cell. ``interval`` is of the newest look and covers at all looks together.

    ``may_be_slower`` where it reaches beyond the margin: a cell that does and stays AMBIGUOUS
    leaves the gate undecided.
    """

    cell: str
    looks: tuple[Look, ...]
    verdict: Verdict
    interval: Interval
    may_be_slower: bool

    @property
    def is_decided(self) -> bool:
        return self.verdict is not Verdict.AMBIGUOUS


def look(
    rule: StoppingRule,
    cells: Sequence[CellLaunches],
    before: Sequence[Standing] = (),
    *,
    last: bool = False,
) -> tuple[Standing, ...]:
    """How each cell stands with these launches. ``before`` is what the look before this one gave:
    what was decided then stays so. A ``last`` look spends what is left of the levels.

    Raises ValueError for a cell with fewer launches than the pilot.
    """
    known = {one.cell: one for one in before}
    decided = {one.cell for one in before if one.is_decided}
    priors = open_priors(cells, decided)
    looked = [
        known[one.cell]
        if one.cell in decided
        else _looked(rule, one, known.get(one.cell), priors[one.cell], last)
        for one in cells
    ]
    return _corrected(rule, looked)


def undecided(rule: StoppingRule, standings: Sequence[Standing]) -> tuple[str, ...]:
    """The cells that get another launch, those first in which most speaks for an alarm."""
    open_ones = [
        one
        for one in standings
        if not one.is_decided and one.looks[-1].launches < rule.most_launches
    ]
    return tuple(one.cell for one in sorted(open_ones, key=lambda one: one.looks[-1].slower))


def _looked(
    rule: StoppingRule,
    cell: CellLaunches,
    before: Standing | None,
    prior: VariancePrior | None,
    last: bool,
) -> Standing:
    """With one look more. At a last one that brings no launch, the newest look is held again."""
    count = len(cell.log_ratios)
    if count < rule.pilot:
        raise ValueError(
            f"{cell.cell} has {count} launches; the first look needs the pilot's {rule.pilot}"
        )
    earlier = tuple(one for one in before.looks if one.launches < count) if before else ()
    share = 1.0 if last else spent_share(count, rule.most_launches)
    own = variance(cell.log_ratios)
    found = moderated_mean(cell.log_ratios, own, prior)
    doubted = moderated_mean(cell.log_ratios, noisier_variance(cell, own), prior)
    level = _nominal(
        rule.alpha / 2, [*((one.launches, one.share) for one in earlier), (count, share)]
    )
    interval = _interval(found, level[-1])
    new = Look(
        count,
        share,
        _robust_verdict(interval, cell.log_ratios, rule.margin),
        slower=_p_value(doubted.mean, doubted),
        faster=_p_value(-doubted.mean, doubted),
    )
    reaches = interval.high > 1 + rule.margin
    return Standing(cell.cell, (*earlier, new), Verdict.AMBIGUOUS, interval, reaches)


def _nominal(level: float, looks: Sequence[tuple[int, float]]) -> tuple[float, ...]:
    launches, shares = zip(*looks, strict=True)
    return nominal_levels(level, launches, shares)


def _interval(found: Estimate, level: float) -> Interval:
    """Of the estimate, with this probability beyond either end."""
    half_width = t_quantile(1 - level, found.freedom) * found.error
    return Interval(
        *map(bounded_exp, (found.mean, found.mean - half_width, found.mean + half_width))
    )


def _p_value(mean: float, found: Estimate) -> float:
    """That chance alone makes the mean as large."""
    if not found.error:
        return 0.0 if mean > 0 else 1.0
    return t_beyond(mean / found.error, found.freedom)


def _robust_verdict(interval: Interval, log_ratios: Sequence[float], margin: float) -> Verdict:
    """What the interval says; FASTER and SLOWER only where that does not hang on outliers."""
    found, edge, ordered = verdict(interval, margin), log1p(margin), sorted(log_ratios)
    holds = {
        Verdict.SLOWER: mean(ordered[:-LEFT_OUT]) > edge,
        Verdict.FASTER: mean(ordered[LEFT_OUT:]) < -edge,
    }
    return found if holds.get(found, True) else Verdict.AMBIGUOUS


def _corrected(rule: StoppingRule, standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """With the verdicts that stand. SLOWER and FASTER are two families, each corrected by Holm's
    method; a cell may find its evidence at an earlier look once others have left the family
    (Maurer and Bretz 2013, "Multiple testing in group sequential trials using graphical
    approaches", Statistics in Biopharmaceutical Research 5).
    """
    slower = _standing_alarms(rule, standings, Verdict.SLOWER)
    faster = _standing_alarms(rule, standings, Verdict.FASTER)
    return tuple(
        replace(one, verdict=_verdict(one, one.cell in slower, one.cell in faster))
        for one in standings
    )


def _verdict(standing: Standing, slower: bool, faster: bool) -> Verdict:
    if standing.is_decided:
        return standing.verdict
    if slower or faster:
        return Verdict.SLOWER if slower else Verdict.FASTER
    newest = standing.looks[-1].verdict
    return newest if newest is Verdict.SAME else Verdict.AMBIGUOUS


def _standing_alarms(
    rule: StoppingRule, standings: Sequence[Standing], kind: Verdict
) -> frozenset[str]:
    """The cells of this verdict, by Holm's steps: each one found leaves more for the others."""
    found: set[str] = {one.cell for one in standings if one.verdict is kind}
    while True:
        level = rule.alarms / max(1, len(standings) - len(found))
        more = {
            one.cell
            for one in standings
            if not one.is_decided and one.cell not in found and _refutes(one, kind, level)
        }
        if not more:
            return frozenset(found)
        found |= more


def _refutes(standing: Standing, kind: Verdict, level: float) -> bool:
    """Whether at any look the interval says so, and "no effect" is refuted at that look's share."""
    if all(one.verdict is not kind for one in standing.looks):
        return False
    levels = _nominal(level, [(one.launches, one.share) for one in standing.looks])
    return any(
        one.verdict is kind and (one.slower if kind is Verdict.SLOWER else one.faster) < allowed
        for one, allowed in zip(standing.looks, levels, strict=True)
    )
