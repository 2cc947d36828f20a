"""A session's ratios with variances that are moderated over its cells by empirical Bayes.

Records keep what was measured in their own cell: the plain interval, its verdict and p-value. What
the session's other cells tell about noise is known at its end only, so it is added here, for all
that shows or compares records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import median

from harness import statistics
from harness.analysis.selection import throughput_records
from harness.problems.memory import operand_bytes
from harness.records import (
    CANARY,
    AnyRecord,
    Interval,
    ModeratedFigures,
    ThroughputRecord,
    TimedSample,
)
from harness.statistics import LaunchVariance, Prior, VariancePrior
from implementations import registry

LEAST_CELLS = statistics.LEAST_CELLS + 1  # of a session: each cell's prior is fitted to the others


@dataclass(frozen=True)
class Moderation:
    """A session's ``records`` as its cells together let one read them, and what that rests on.

    ``comparisons`` with the baseline, in so many ``cells``, have variances to be moderated.
    ``freedom`` is the prior's, a median over comparisons; None where all plain intervals stand,
    since the cells are too few.
    """

    records: tuple[AnyRecord, ...]
    comparisons: int
    cells: int
    freedom: float | None


@dataclass(frozen=True)
class LaunchesCompared:
    """A record's log-ratios to its baseline, one a launch, their variance, and what to expect of
    that; None where too few cells tell.
    """

    record: ThroughputRecord
    log_ratios: Sequence[float]
    row: LaunchVariance
    prior: VariancePrior | None


def moderate(records: Sequence[AnyRecord]) -> Moderation:
    """The records with moderated intervals, verdicts, p-values and minimum detectable effects in
    the place of the plain ones, and so the canary's. A flag forbids a verdict here too.
    """
    compared = compared_launches(records)
    figures = _figures_by_key(compared)
    canaries = {
        _place(one.record): figures[key].ratio
        for key, one in compared.items()
        if key in figures and one.record.implementation == CANARY
    }
    freedoms = [one.prior_freedom for one in figures.values()]
    return Moderation(
        tuple(_moderated(record, figures, canaries) for record in records),
        len(compared),
        len({one.row.cell for one in compared.values()}),
        median(freedoms) if freedoms else None,
    )


def moderated_figures(records: Sequence[AnyRecord]) -> dict[str, ModeratedFigures]:
    """By key, of a session's records for which there is a prior."""
    return _figures_by_key(compared_launches(records))


def compared_launches(records: Sequence[AnyRecord]) -> dict[str, LaunchesCompared]:
    """By key, the session's records whose launches can be compared with their baselines'. The
    variances of all of them make each other's priors, flagged ones' too: what disturbs a
    measurement is noise that others have to reckon with.
    """
    timed = [record for record in throughput_records(records) if record.figures is not None]
    samples = {_place(one): one.samples for one in timed if one.implementation == one.cell.baseline}
    by_launch = {record.key: _by_launch(record, samples) for record in timed}
    rows = {record.key: _row(record, by_launch[record.key]) for record in timed}
    known = {key: row for key, row in rows.items() if row is not None}
    priors = statistics.priors(list(known.values()))
    return {
        record.key: _compared(record, by_launch[record.key], known[record.key], priors)
        for record in timed
        if record.key in known
    }


def _figures_by_key(compared: Mapping[str, LaunchesCompared]) -> dict[str, ModeratedFigures]:
    return {key: _figures(one, one.prior) for key, one in compared.items() if one.prior is not None}


def _compared(
    record: ThroughputRecord,
    by_launch: Sequence[Sequence[float]],
    row: LaunchVariance,
    priors: Mapping[str, Prior | None],
) -> LaunchesCompared:
    prior = priors[row.cell]
    own = None if prior is None else prior.of(row.covariates)
    return LaunchesCompared(record, [median(blocks) for blocks in by_launch], row, own)


def _by_launch(
    record: ThroughputRecord, baselines: Mapping[str, Sequence[TimedSample]]
) -> list[list[float]]:
    """The record's log-ratios to the baseline measured beside it, of each launch; none of the
    baseline itself.
    """
    name, baseline = record.implementation, record.cell.baseline
    own = record.figures.baseline_samples if record.figures else None
    beside = own or baselines.get(_place(record))
    if name == baseline or not beside:
        return []
    return statistics.block_log_ratios({name: record.samples, baseline: beside}, name, baseline)


def _row(record: ThroughputRecord, by_launch: Sequence[Sequence[float]]) -> LaunchVariance | None:
    cell = record.cell
    return statistics.launch_variance(
        by_launch,
        cell.protocol.launches,
        _place(record),
        size=operand_bytes(cell.problem),
        separate=_has_own_process(record),
    )


def _has_own_process(record: ThroughputRecord) -> bool:
    setting, name = record.identity.arm, record.implementation
    if setting is not None:
        return setting.runs_elsewhere or registry.is_foreign(setting.name)
    return registry.is_foreign(record.cell.baseline if name == CANARY else name)


def _place(record: ThroughputRecord) -> str:
    """What shares the baseline's launches: a cell of a session."""
    return f"{record.session} {record.identity.cell_key}"


def _figures(one: LaunchesCompared, prior: VariancePrior) -> ModeratedFigures:
    cell, flags = one.record.cell, one.record.flags
    pilot = cell.protocol.launches
    ratio = statistics.interval(one.log_ratios, cell.alpha, pilot, prior)
    return ModeratedFigures(
        ratio=ratio,
        verdict=None if flags else statistics.verdict(ratio, cell.margin),
        p_value=statistics.decision_level(one.log_ratios, cell.margin, pilot, prior),
        minimum_detectable_effect=statistics.minimum_detectable_effect(
            one.log_ratios, cell.alpha, cell.margin, pilot=pilot, prior=prior
        ),
        launch_deviation=sqrt(one.row.variance),
        prior_deviation=sqrt(prior.variance),
        prior_freedom=prior.freedom_beside(one.row.variance, one.row.freedom),
    )


def _moderated(
    record: AnyRecord, figures: Mapping[str, ModeratedFigures], canaries: Mapping[str, Interval]
) -> AnyRecord:
    if not isinstance(record, ThroughputRecord) or record.figures is None:
        return record
    canary = canaries.get(_place(record), record.figures.canary)
    plain = replace(record.figures, canary=canary)
    found = figures.get(record.key)
    if found is None:
        return replace(record, figures=plain)
    return replace(
        record,
        figures=replace(
            plain,
            ratio=found.ratio,
            verdict=found.verdict,
            p_value=found.p_value,
            minimum_detectable_effect=found.minimum_detectable_effect,
        ),
    )
