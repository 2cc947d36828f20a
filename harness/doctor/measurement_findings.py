"""Findings about what was measured of this machine: its noise, disturbances and bandwidth."""

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
# Times the margin: a slow-down that a minute of a comparison should find, and one that it has to.
FINE, POOR = (2.0, 5.0)
DISTURBED = 0.25  # share of the blocks, as for the flag of a record
WIDE = 1.5  # ratio of a bandwidth's 95 % quantile to its 5 % quantile
QUIETER = "stop other work and measure again, or use a quieter machine"
RATIOS = "trust ratios within a block, and the floor sampled beside them, not absolute times"


def findings_of(measured: Measurement) -> list[Finding]:
    """All that is found in a measurement, and what could not be measured."""
    findings: list[Finding] = []
    for noise in measured.noises:
        for check in (smallest_effect, disturbances, equality_with_itself):
            findings += check(noise, measured.margin)
    for place in dict.fromkeys(watched.place for watched in measured.bandwidths):
        here = [watched for watched in measured.bandwidths if watched.place == place]
        findings += steadiness(place, here)
    for name, reason in measured.absent.items():
        findings.append(bad(name, f"not measured: {reason}", _remedy_for_absence(name)))
    return findings


def smallest_effect(noise: Noise, margin: float) -> Iterator[Finding]:
    """Whether a minute of a comparison finds a slow-down that matters."""
    plan, spread = noise.findable[MINUTE], noise.components
    subject = f"noise, {noise.name}"
    sizes = f"{spread.within:.1%} from block to block, {spread.between:.1%} from launch to launch"
    if plan is None:
        yield bad(subject, f"{sizes}; two launches do not fit into a minute", QUIETER)
        return
    message = f"{sizes}; in a minute a slow-down of {plan.effect:.1%} is found"
    if plan.effect <= FINE * margin:
        yield good(subject, message)
    elif plan.effect <= POOR * margin:
        yield notice(subject, message, _remedy_for_noise(noise))
    else:
        yield bad(subject, message, _remedy_for_noise(noise))


def disturbances(noise: Noise, _: float) -> Iterator[Finding]:
    """Whether the machine's own counters show that blocks were disturbed."""
    worst = max(noise.doubts.values(), default=0)
    if worst > DISTURBED * noise.all_blocks:
        causes = ", ".join(f"{doubt} in {count}" for doubt, count in noise.doubts.items())
        yield bad(f"disturbances, {noise.name}", f"{causes} of {noise.all_blocks} blocks", QUIETER)


def equality_with_itself(noise: Noise, margin: float) -> Iterator[Finding]:
    """Whether the same code, measured twice, is as quick as itself."""
    if verdict(noise.ratio, margin) in {Verdict.FASTER, Verdict.SLOWER}:
        yield bad(
            f"same code, {noise.name}",
            f"it takes {noise.ratio.estimate:.2f} times as long as itself, beyond any chance",
            QUIETER,
        )


def steadiness(place: str, watched: Sequence[Bandwidth]) -> Iterator[Finding]:
    """Whether memory keeps its speed, by all probes of a place."""
    subject = f"bandwidth {place}"
    moving = [each for each in watched if len(each.course.levels) > 1]
    drifting = [each for each in watched if each.course.drift]
    others = [each for each in watched if each not in (*moving, *drifting)]
    scattered = [each for each in others if each.high > WIDE * each.low]
    if moving:
        yield notice(
            subject,
            f"moves between states that last (GB/s): {'; '.join(map(_states, moving))}",
            f"{RATIOS}; let task.cell_seconds outlast the states",
        )
    if drifting:
        drifts = ", ".join(f"{each.probe} {each.course.drift:+.0%}" for each in drifting)
        yield notice(
            subject,
            f"drifted in {drifting[0].seconds:.0f} s: {drifts}",
            f"{RATIOS}; wait until it settles",
        )
    if scattered:
        ranges = ", ".join(map(_range, scattered))
        yield notice(subject, f"scatters (5 % to 95 %, GB/s): {ranges}", QUIETER)
    if not (moving or drifting or scattered):
        rates = ", ".join(f"{each.probe} {each.median / GIGA:.1f}" for each in watched)
        yield good(subject, f"steady for {watched[0].seconds:.0f} s (GB/s): {rates}")


def _range(watched: Bandwidth) -> str:
    return f"{watched.probe} {watched.low / GIGA:.1f} to {watched.high / GIGA:.1f}"


def _states(watched: Bandwidth) -> str:
    low, high = watched.course.levels
    stays = f"{low.share:.0%} of the time, {low.seconds:.1f} s on end"
    return f"{watched.probe} {low.value / GIGA:.1f} ({stays}) and {high.value / GIGA:.1f}"


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
