"""What a measurement says about this machine, with a remedy for what is not good. Nothing is
measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.doctor.bandwidth import Bandwidth
from harness.doctor.finding import Finding, bad, good, notice
from harness.doctor.measurement import Measurement
from harness.doctor.noise import Noise
from harness.records import Verdict
from harness.statistics import verdict

GIGA = 1e9
MINUTE = 60.0
# times the margin, that a minute of a comparison should find, and should at least find
FINE, POOR = (2.0, 5.0)
DISTURBED = 0.25  # of the blocks: past it they are the rule, as for the flag of a record
WIDE = 1.5  # of the 95 % quantile of a bandwidth over the 5 % one
QUIETER = "stop other work and measure again, or use a quieter machine"
RATIOS = "trust ratios within a block, and the floor sampled beside them, not absolute times"


def judge(measured: Measurement) -> list[Finding]:
    """All that is found in a measurement: noise, disturbances, bandwidth, and what could not be
    measured.
    """
    findings = [
        finding
        for noise in measured.noises
        for check in (spread, disturbances, sameness)
        for finding in check(noise, measured.margin)
    ]
    for place in dict.fromkeys(of.place for of in measured.bandwidths):
        findings += steadiness(place, [of for of in measured.bandwidths if of.place == place])
    for name, reason in measured.absent.items():
        findings.append(bad(name, f"not measured: {reason}", _remedy_for_absence(name)))
    return findings


def spread(noise: Noise, margin: float) -> Iterator[Finding]:
    """Whether a minute is enough to find what somebody might care about."""
    plan, within, between = (
        noise.findable[MINUTE],
        noise.components.within,
        noise.components.between,
    )
    subject, said = (
        f"noise, {noise.name}",
        f"{within:.1%} from block to block, {between:.1%} from launch to launch; ",
    )
    if plan is None:
        yield bad(subject, f"{said}two launches do not fit into a minute", QUIETER)
        return
    said += f"in a minute a slow-down of {plan.effect:.1%} is found"
    if plan.effect <= FINE * margin:
        yield good(subject, said)
    else:
        tell = notice if plan.effect <= POOR * margin else bad
        yield tell(subject, said, _remedy_for_noise(noise))


def disturbances(noise: Noise, _: float) -> Iterator[Finding]:
    """Whether blocks were disturbed, as the machine itself tells."""
    worst = max(noise.doubts.values(), default=0)
    if worst > DISTURBED * noise.all_blocks:
        causes = ", ".join(f"{doubt} in {count}" for doubt, count in noise.doubts.items())
        yield bad(f"disturbances, {noise.name}", f"{causes} of {noise.all_blocks} blocks", QUIETER)


def sameness(noise: Noise, margin: float) -> Iterator[Finding]:
    """Whether code is as quick as itself."""
    if verdict(noise.ratio, margin) in {Verdict.FASTER, Verdict.SLOWER}:
        yield bad(
            f"same code, {noise.name}",
            f"it takes {noise.ratio.estimate:.2f} times as long as itself, and surely",
            QUIETER,
        )


def steadiness(place: str, watched: Sequence[Bandwidth]) -> Iterator[Finding]:
    """Whether memory keeps its pace, by all probes of a place."""
    subject = f"bandwidth {place}"
    moving = [of for of in watched if len(of.course.levels) > 1]
    drifting = [of for of in watched if of.course.drift]
    scattered = [of for of in watched if of.high > WIDE * of.low and of not in (*moving, *drifting)]
    if moving:
        yield notice(
            subject,
            f"moves between states that last (GB/s): {'; '.join(map(_states, moving))}",
            f"{RATIOS}; let task.cell_seconds outlast the states",
        )
    if drifting:
        said = ", ".join(f"{of.probe} {of.course.drift:+.0%}" for of in drifting)
        yield notice(
            subject,
            f"drifted in {drifting[0].seconds:.0f} s: {said}",
            f"{RATIOS}; wait until it settles",
        )
    if scattered:
        said = ", ".join(
            f"{of.probe} {of.low / GIGA:.1f} to {of.high / GIGA:.1f}" for of in scattered
        )
        yield notice(subject, f"scatters (5 % to 95 %, GB/s): {said}", QUIETER)
    if not (moving or drifting or scattered):
        said = ", ".join(f"{of.probe} {of.median / GIGA:.1f}" for of in watched)
        yield good(subject, f"steady for {watched[0].seconds:.0f} s (GB/s): {said}")


def _states(of: Bandwidth) -> str:
    low, high = of.course.levels
    return (
        f"{of.probe} {low.value / GIGA:.1f} ({low.share:.0%} of the time, {low.seconds:.1f} s on "
        "end) and "
        f"{high.value / GIGA:.1f}"
    )


def _remedy_for_noise(noise: Noise) -> str:
    if noise.doubts:
        return QUIETER
    if noise.components.between > noise.components.within:
        return "raise task.launches and task.most_launches; more blocks in a launch do not help"
    return "raise task.blocks, and task.cell_seconds with it"


def _remedy_for_absence(name: str) -> str:
    if name == "bandwidth":
        return (
            "install a C++ compiler (Debian: apt-get install g++) and bnbench again with "
            "BNBENCH_NATIVE=1"
        )
    return f"give it more time (--seconds), or {QUIETER}"
