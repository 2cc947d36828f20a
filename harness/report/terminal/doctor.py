"""What the doctor found and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.doctor.finding import Finding
from harness.report.terminal.fitting import Column, FittingTable, Row, drop
from harness.report.terminal.wrapping import Breaks

if TYPE_CHECKING:
    from rich.console import Console

    from harness.doctor.bandwidth import Bandwidth
    from harness.doctor.measurement import Measurement
    from harness.doctor.noise import Noise
    from harness.doctor.power_planning import SamplingPlan

MARKS = {"good": "[green]✓[/]", "notice": "[yellow]![/]", "bad": "[red]✗[/]"}
GIGA, MEGA = 1e9, 1e6
SPANS = {10.0: "10 s", 60.0: "1 min", 600.0: "10 min"}


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """A line a finding, and a line for its remedy."""
    from rich.markup import escape

    for finding in findings:
        remedy = f"\n  [dim]→ {escape(finding.remedy)}[/]" if finding.remedy else ""
        console.print(
            f"{MARKS[finding.state]} [bold]{finding.subject}[/] {escape(finding.message)}{remedy}",
            highlight=False,
        )


@contextmanager
def show_progress() -> Iterator[Callable[[str], None]]:
    """A function of a text "subject: detail". On a terminal's stderr the latest text is shown in
    one line, elsewhere each new subject has a line.
    """
    from rich.console import Console

    console, subjects = Console(stderr=True), set[str]()

    def line(text: str) -> None:
        subject = text.partition(":")[0]
        if subject not in subjects:
            subjects.add(subject)
            console.print(f"measuring {subject}", highlight=False)

    if console.is_terminal:
        with console.status("measuring") as status:
            yield lambda text: status.update(f"measuring {text}")
    else:
        yield line


def print_measurement(console: Console, measured: Measurement) -> None:
    """The tables of a measurement."""
    threads, cpus = measured.threads, ", ".join(map(str, measured.cpus))
    console.print(
        f"\nmeasured in {measured.seconds:.0f} s with {threads} thread{'s' * (threads > 1)} on CPU "
        f"{cpus}",
        highlight=False,
    )
    if measured.noises:
        console.print(_noise_table(measured), _smallest_effects_table(measured))
    if measured.bandwidths:
        console.print(_bandwidth_table(measured))


def _table(
    title: str,
    caption: str,
    left: tuple[str, ...],
    right: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    narrower: tuple[str, ...] = (),
) -> FittingTable:
    """``narrower`` are the columns that a narrow terminal goes without, in that order."""
    columns = (
        *(Column(name, Breaks.WORDS) for name in left),
        *(Column(name, right=True) for name in right),
    )
    shown = tuple(map(Row, rows))
    return FittingTable(title, columns, shown, tuple(map(drop, narrower)), caption)


def _noise_table(measured: Measurement) -> FittingTable:
    costs = ("a start", "a launch", "a block")
    counts = ("launches", "blocks")
    return _table(
        f"noise: a float32 training step of {measured.baseline} with ReLU, against itself",
        "σ: standard deviation of log-ratios, from block to block and from launch to launch. A "
        "start is paid for once a run, the rest in each cell.",
        ("problem", "shape"),
        ("MB", "a call", "σ block", "σ launch", *counts, *costs),
        map(_noise_row, measured.noises),
        narrower=(*costs, *counts, "MB", "shape", "a call"),
    )


def _noise_row(noise: Noise) -> tuple[str, ...]:
    return (
        noise.name,
        "×".join(map(str, noise.shape)),
        f"{noise.bytes / MEGA:.3g}",
        duration(noise.seconds),
        f"{noise.components.within:.1%}",
        f"{noise.components.between:.1%}",
        str(noise.launches),
        f"{noise.blocks} of {noise.all_blocks}",
        duration(noise.cost.start),
        duration(noise.cost.launch),
        duration(noise.cost.block),
    )


def _smallest_effects_table(measured: Measurement) -> FittingTable:
    return _table(
        "the smallest slow-down that a comparison of that length finds",
        f"Verdict SLOWER at margin {measured.margin:.0%} and alpha {measured.alpha:g}, with a "
        "probability of 80 %; in brackets: launches × blocks.",
        ("problem", "processes"),
        tuple(SPANS.values()),
        (row for noise in measured.noises for row in _smallest_effects(noise)),
        narrower=tuple(SPANS.values())[:2],
    )


def _smallest_effects(noise: Noise) -> Iterator[tuple[str, ...]]:
    started, running = noise.findable, noise.findable_running
    yield (noise.name, "started for it", *(_plan(started[span]) for span in SPANS))
    yield ("", "running already", *(_plan(running[span]) for span in SPANS))


def _bandwidth_table(measured: Measurement) -> FittingTable:
    return _table(
        "bandwidth in GB/s, by what a probe reads and writes",
        f"Watched for {measured.bandwidths[0].seconds:.0f} s; a state that lasts longer may not "
        "have shown.",
        ("probe", "place"),
        ("MB", "median", "5 %", "95 %", "readings", "course"),
        map(_bandwidth_row, measured.bandwidths),
        narrower=("readings", "MB", "5 %", "95 %"),
    )


def _bandwidth_row(of: Bandwidth) -> tuple[str, ...]:
    rates = (f"{rate / GIGA:.1f}" for rate in (of.median, of.low, of.high))
    working_set = f"{of.working_set / MEGA:.3g}"
    return of.probe, of.place, working_set, *rates, str(of.readings), _course(of)


def _plan(plan: SamplingPlan | None) -> str:
    return f"{plan.effect:.1%} ({plan.launches} × {plan.blocks})" if plan else "too short"


def _course(of: Bandwidth) -> str:
    if of.course.drift:
        return f"drift {of.course.drift:+.0%}"
    if len(of.course.levels) == 1:
        return "one state"
    return "\n".join(
        f"{level.value / GIGA:.1f}: {level.share:.0%}, {level.stays} × {level.seconds:.1f} s"
        for level in of.course.levels
    )


def duration(seconds: float) -> str:
    """Seconds with three digits, in the unit that suits."""
    for unit, least in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= least:
            return f"{seconds / least:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
