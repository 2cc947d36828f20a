"""Coverage, power and false verdicts with plain and with moderated variances, by simulation.

    python tests/experiments/moderated_coverage.py [--sessions 100] [--seed 0]

A session has cells with one comparison each, whose launches differ by 2 % of the time, on average
of logarithms. ``spread`` is the standard deviation of the logarithm of that noise from cell to
cell. Of "outlying rows" one in twenty has four times the noise, of "outlying launches" one in
twenty is off by five times as much. Arms are as quick as the baseline or 3, 5, 10 or 20 % slower;
verdicts are at a margin of 3 %, with Holm's correction over the session. The product's own
functions do it: `priors`, `interval`, `decision_level`, `holm`, `verdict`.

Writes `reports/moderation.md`, with what `recorded_launches` finds in the committed sessions. Exits
with 1 where moderated coverage of three launches or more is, in a row, more than 0.01 from what was
promised beyond doubt: the 99.9 % interval of what was counted lies wholly outside those bounds.
Outlying launches in two stages are only shown, since a pilot that met none promises too much.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from harness import formatting, statistics
from harness.records import Verdict
from harness.statistics import LaunchVariance, VariancePrior
from tests.experiments.recorded_launches import recorded_table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "reports/moderation.md"
ALPHA, MARGIN, NOISE = 0.05, 0.03, 0.02
EFFECTS = (0.0, 0.03, 0.05, 0.1, 0.2)
LAUNCHES = (2, 3, 4, 8)
OUTLYING = 0.05
ROW_FARTHER, LAUNCH_FARTHER = 4.0, 5.0  # times
ALLOWED = 0.01  # from what was promised
DOUBT = 0.001  # that a row among many is judged by
SURE_LAUNCHES = 3  # from which on a row has to keep the promise
PAGE_TEXT = """\
# Moderated variances: simulated, and on recorded sessions

`{command}`. Each entry is plain / moderated:
with each comparison's own variance, and with the one that the session's other cells moderate.
[MEASURING](../MEASURING.md) explains both.

## Twenty cells

{sessions} sessions in each row. Launches differ by {noise} on average of logarithms; verdicts are
at a margin of 3 %, corrected by Holm's method over a session's twenty comparisons. +3 % to +20 %:
the share of arms so much slower that are called SLOWER. +3 % lies on the margin, so that each such
verdict is false, as are all that contradict the true ratio. At most 5 % of sessions should have
any.

{twenty}

## Other numbers of cells

With a spread of 0.3, and as many comparisons in each row. Arms that share a baseline as noisy as
they are tell less than as many cells.

{others}

## Two stages

The pilot's variance, plain or moderated, decides how many launches there are, up to four times as
many, and is the one that the interval has.

{two_stages}

## Where moderated coverage is more than 1 % from the promised 95 %

{astray}

## Recorded sessions

The committed samples, with the first two or three launches alone, and with all. Decided: the
verdicts that stand after Holm's correction, at a margin of 3 % and a level of 5 %. Samples tell no
bytes and no flags: the trend is over process and blocks only, and flagged records count.

{recorded}
"""
CELLS = 20
KINDS = ("plain", "moderated")
LARGER = 4  # times as many launches as the pilot's, at most
ROUNDING = 1e-9  # of an effect that is meant to lie on the margin


@dataclass(frozen=True)
class Scenario:
    """How noise differs from cell to cell. With a ``slope`` its logarithm rises with a covariate
    that the fit is given; ``baseline`` is the noise that all ``arms`` of a cell share. Of
    ``two_stages`` the first is a pilot, which decides how many launches follow, up to thrice as
    many.
    """

    name: str
    spread: float = 0.0
    outlying_rows: float = 0.0
    outlying_launches: float = 0.0
    slope: float = 0.0
    cells: int = CELLS
    arms: int = 1
    baseline: float = 0.0
    two_stages: bool = False


SCENARIOS = (
    Scenario("equal noise"),
    Scenario("spread 0.3", 0.3),
    Scenario("spread 1.0", 1.0),
    Scenario("spread 0.3, outlying rows", 0.3, outlying_rows=OUTLYING),
    Scenario("spread 0.3, outlying launches", 0.3, outlying_launches=OUTLYING),
    Scenario("noise that goes with bytes", 0.3, slope=0.7),
)
OTHER_SIZES = (
    Scenario("3 cells", 0.3, cells=3),
    Scenario("5 cells", 0.3, cells=5),
    Scenario("10 cells", 0.3, cells=10),
    Scenario("5 cells of 4 arms, noisy baseline", 0.3, cells=5, arms=4, baseline=1.0),
)
TWO_STAGES = (
    Scenario("spread 0.3", 0.3, two_stages=True),
    Scenario("spread 1.0", 1.0, two_stages=True),
    Scenario("spread 0.3, outlying launches", 0.3, outlying_launches=OUTLYING, two_stages=True),
)


@dataclass(frozen=True)
class Comparison:
    """One comparison, in truth and as measured: its row is of the pilot among the launches."""

    effect: float
    outlying: bool
    launches: Sequence[float]
    row: LaunchVariance


@dataclass
class Tally:
    """What all comparisons came to, with one kind of variance."""

    comparisons: int = 0
    covered: int = 0
    outlying: int = 0
    outlying_covered: int = 0
    half_widths: list[float] = field(default_factory=list)
    made: dict[float, int] = field(default_factory=lambda: dict.fromkeys(EFFECTS, 0))
    slower: dict[float, int] = field(default_factory=lambda: dict.fromkeys(EFFECTS, 0))
    launches: int = 0
    false: int = 0
    sessions: int = 0
    sessions_with_false: int = 0

    @property
    def coverage(self) -> float:
        return self.covered / self.comparisons


Row = tuple[Scenario, int, dict[str, Tally]]


def session(random: np.random.Generator, about: Scenario, pilot: int) -> list[Comparison]:
    """The comparisons of one session."""
    made, launches = [], pilot * (LARGER if about.two_stages else 1)
    for cell in range(about.cells):
        place = float(random.uniform(-1.5, 1.5))
        size = NOISE * math.exp(about.slope * place)
        shared = about.baseline * size * random.standard_normal(launches)
        for _ in range(about.arms):
            outlying = bool(random.random() < about.outlying_rows)
            deviation = size * math.exp(random.normal(0, about.spread))
            own = deviation * (ROW_FARTHER if outlying else 1) * random.standard_normal(launches)
            own *= np.where(random.random(launches) < about.outlying_launches, LAUNCH_FARTHER, 1)
            effect = float(random.choice(EFFECTS))
            ratios = (math.log1p(effect) + own - shared).tolist()
            variance = float(np.var(ratios[:pilot], ddof=1))
            row = LaunchVariance(variance, pilot - 1, str(cell), (place,))
            made.append(Comparison(effect, outlying, ratios, row))
    return made


def judge(made: Sequence[Comparison], priors: Sequence[VariancePrior | None], tally: Tally) -> None:
    """Count what the comparisons of a session come to."""
    pilot = int(made[0].row.freedom) + 1
    launches = [wanted(one, pilot, prior) for one, prior in zip(made, priors, strict=True)]
    levels = [
        statistics.decision_level(ratios, MARGIN, pilot, prior)
        for ratios, prior in zip(launches, priors, strict=True)
    ]
    stands = statistics.holm(levels, ALPHA)
    false = 0
    for one, ratios, prior, stood in zip(made, launches, priors, stands, strict=True):
        interval = statistics.interval(ratios, ALPHA, pilot, prior)
        covered = interval.low <= 1 + one.effect <= interval.high
        verdict = statistics.verdict(interval, MARGIN) if stood else Verdict.AMBIGUOUS
        tally.covered += covered
        tally.outlying += one.outlying
        tally.outlying_covered += one.outlying and covered
        tally.half_widths.append(math.log(interval.high / interval.estimate))
        tally.made[one.effect] += 1
        tally.slower[one.effect] += verdict is Verdict.SLOWER
        false += is_false(verdict, one.effect)
    tally.comparisons += len(made)
    tally.launches += sum(map(len, launches))
    tally.false += false
    tally.sessions += 1
    tally.sessions_with_false += bool(false)


def wanted(one: Comparison, pilot: int, prior: VariancePrior | None) -> Sequence[float]:
    """As many of the launches that could be made as the pilot asks for."""
    if len(one.launches) == pilot:
        return one.launches
    count = statistics.launches_wanted(one.launches[:pilot], ALPHA, MARGIN, prior)
    return one.launches[:count]


def is_false(verdict: Verdict, effect: float) -> bool:
    """Whether a verdict contradicts the true effect; one on the margin is neither beyond nor in."""
    if verdict is Verdict.SAME:
        return effect > MARGIN + ROUNDING
    if verdict is Verdict.SLOWER:
        return effect <= MARGIN + ROUNDING
    return verdict is Verdict.FASTER


def simulate(about: Scenario, launches: int, sessions: int, seed: int) -> dict[str, Tally]:
    """Both kinds of variances, on the same sessions."""
    random, tallies = np.random.default_rng(seed), {kind: Tally() for kind in KINDS}
    for _ in range(sessions):
        made = session(random, about, launches)
        judge(made, [None] * len(made), tallies["plain"])
        judge(made, expected([one.row for one in made]), tallies["moderated"])
    return tallies


def expected(rows: Sequence[LaunchVariance]) -> list[VariancePrior | None]:
    """The prior of each row, as `harness.analysis.moderation` has it."""
    fitted = statistics.priors(rows)
    found = [(row, fitted[row.cell]) for row in rows]
    return [None if prior is None else prior.of(row.covariates) for row, prior in found]


def coverage_table(rows: Sequence[Row]) -> str:
    header = ["noise", "launches", "coverage", "half-width, median"]
    header += [f"+{formatting.percent(effect)}" for effect in EFFECTS[1:]]
    header += ["false, of all", "sessions with any"]
    lines = [_coverage_row(*row) for row in rows]
    return formatting.columns(header, lines, range(1, len(header)))


def _coverage_row(about: Scenario, pilot: int, tallies: dict[str, Tally]) -> list[str]:
    both = [tallies[kind] for kind in KINDS]
    launches = " / ".join(f"{one.launches / one.comparisons:.1f}" for one in both)
    coverage = _pair(one.coverage for one in both)
    if about.outlying_rows:
        coverage += f", outlying {_pair(one.outlying_covered / one.outlying for one in both)}"
    return [
        about.name,
        f"{pilot}, then {launches}" if about.two_stages else str(pilot),
        coverage,
        _pair(math.expm1(median(one.half_widths)) for one in both),
        *(_found(both, effect) for effect in EFFECTS[1:]),
        _pair(one.false / one.comparisons for one in both),
        _pair(one.sessions_with_false / one.sessions for one in both),
    ]


def _found(both: Sequence[Tally], effect: float) -> str:
    return _pair((one.slower[effect] / max(one.made[effect], 1) for one in both), digits=0)


def _pair(shares: Iterable[float], digits: int = 1) -> str:
    """Plain / moderated, in percent."""
    plain, moderated = (f"{100 * share:.{digits}f}" for share in shares)
    return f"{plain} / {moderated} %"


def astray(about: Scenario, pilot: int, moderated: Tally) -> str | None:
    """Where coverage is further from the promise than allowed, by what was counted."""
    if abs(moderated.coverage - (1 - ALPHA)) <= ALLOWED:
        return None
    low, high = statistics.binomial_interval(moderated.covered, moderated.comparisons, ALPHA)
    launches = f"a pilot of {pilot}" if about.two_stages else f"{pilot} launches"
    return (
        f"{about.name}, {launches}: {100 * moderated.coverage:.1f} % "
        f"(95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
    )


def is_broken(about: Scenario, pilot: int, moderated: Tally) -> bool:
    """Whether a row breaks the promise, beyond doubt, where one is made."""
    if pilot < SURE_LAUNCHES or (about.two_stages and about.outlying_launches):
        return False
    low, high = statistics.binomial_interval(moderated.covered, moderated.comparisons, DOUBT)
    return low > 1 - ALPHA + ALLOWED or high < 1 - ALPHA - ALLOWED


def page(
    rows: Sequence[Row], others: Sequence[Row], staged: Sequence[Row], sessions: int, command: str
) -> str:
    every = [*rows, *others, *staged]
    far = [astray(about, pilot, found["moderated"]) for about, pilot, found in every]
    return PAGE_TEXT.format(
        command=command,
        sessions=sessions,
        noise=formatting.percent(NOISE),
        twenty=coverage_table(rows),
        others=coverage_table(others),
        two_stages=coverage_table(staged),
        astray="\n".join(f"- {text}" for text in far if text) or "- Nowhere.",
        recorded=recorded_table(ALPHA, MARGIN),
    )


def run(scenarios: Sequence[Scenario], sessions: int, seed: int) -> list[Row]:
    cases = [(about, launches) for about in scenarios for launches in LAUNCHES]
    rows = []
    for number, (about, launches) in enumerate(cases):
        began, count = time.monotonic(), sessions * CELLS // (about.cells * about.arms)
        rows.append((about, launches, simulate(about, launches, count, seed + number)))
        took = time.monotonic() - began
        sys.stderr.write(f"{about.name}, {launches} launches: {took:.1f} s\n")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sessions", type=int, default=100, help="of twenty cells, simulated for each row"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.sessions < 1:
        parser.error(f"--sessions is {given.sessions}, and must be at least 1")
    rows = run(SCENARIOS, given.sessions, given.seed)
    others = run(OTHER_SIZES, given.sessions, given.seed + len(rows))
    staged = run(TWO_STAGES, given.sessions, given.seed + len(rows) + len(others))
    command = f"python tests/experiments/moderated_coverage.py --sessions {given.sessions}"
    PAGE.write_text(page(rows, others, staged, given.sessions, command), encoding="utf-8")
    every = [*rows, *others, *staged]
    return int(any(is_broken(about, pilot, found["moderated"]) for about, pilot, found in every))


if __name__ == "__main__":
    sys.exit(main())
