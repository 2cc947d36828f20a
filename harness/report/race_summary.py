"""What a race came to, in sentences."""

from __future__ import annotations

from harness.report import convergence, factors, sameness, tallies, text
from harness.report.conformance import tolled
from harness.report.sameness import Sameness
from harness.report.tallies import RaceTally
from harness.report.views import Race


def sentences(race: Race) -> list[str]:
    """How every arm did, how implementations of BN compare with the baseline, and what that is
    worth.
    """
    against = tallies.reference(race)
    said = [_arm(race, tally, against) for tally in tallies.convergence(race)]
    said += [_same(race, one) for one in sameness.sameness(race) if one.seeds or one.parted]
    if convergence.few_seeds(race):
        said.append(f"So few seeds ({len(race.seeds)}) support no general claim.")
    return said if race.timed else [*said, f"{convergence.SIDE_BY_SIDE}."]


def _arm(race: Race, tally: RaceTally, against: str | None) -> str:
    name, about = text.code(tally.implementation), race.about
    if not tally.seeds:
        return f"{name} has no result: {tolled(tally.statuses)}."
    goal = f"{text.percent(about['target'])} of the validation images"
    if tallies.missed(tally.steps):
        said = (
            f"{name} **missed** {goal} within {about['steps']:,} steps in {tally.misses} of "
            f"{tally.seeds} seeds"
        )
    else:
        took = "" if tally.seconds is None else f" ({text.seconds(tally.seconds)})"
        said = (
            f"{name} reached {goal} after a median of "
            f"{convergence.steps(tally.steps, about['steps'])} steps{took}, "
            f"{tally.misses} of {tally.seeds} seeds missing it"
        )
    if tally.steps_ratio:
        said += f"; {text.bounded(tally.steps_ratio)} times the steps of {text.code(str(against))}"
    rest = tolled(tally.statuses)
    return f"{said}; test accuracy {convergence.ended(tally)}" + (f"; {rest}." if rest else ".")


def _same(race: Race, one: Sameness) -> str:
    """An implementation against the baseline: how fast along which path, and to the same end or
    another.
    """
    baseline = race.about["baseline"]
    split = factors.between(race, one.implementation, baseline)
    told = [split] * bool(split) + [sameness.told(race, one)]
    return f"{text.code(one.implementation)} against {text.code(baseline)}: {'; '.join(told)}."
