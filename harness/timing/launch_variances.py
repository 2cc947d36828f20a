"""How much a cell's arms differ from launch to launch, which tells how many launches they take, and
later cells what to expect.
"""

from __future__ import annotations

from harness import statistics
from harness.isolation import HERE
from harness.problems.memory import operand_bytes
from harness.statistics import LaunchVariance, Prior
from harness.timing.cell_spec import FLOORS, CellMeasurement, CellSpec
from implementations import registry


def launch_variances(
    spec: CellSpec, measured: CellMeasurement, cell: str
) -> dict[str, LaunchVariance]:
    """By arm, the canary among them, of those that can be compared with the baseline in two
    launches or more. ``cell`` names it among the others.
    """
    if spec.baseline in measured.failures or spec.baseline not in measured.samples:
        return {}
    others = measured.samples.keys() - {spec.baseline, *FLOORS} - measured.failures.keys()
    rows = {arm: _row(spec, measured, arm, cell) for arm in sorted(others)}
    return {arm: row for arm, row in rows.items() if row is not None}


def launches_wanted(
    spec: CellSpec, measured: CellMeasurement, prior: Prior | None = None
) -> dict[str, int]:
    """How many launches, the pilot's at least, give an arm's ratio the precision that a verdict
    takes, by arm. The pilot alone decides, whatever came after it.
    """
    wanted, pilot = {}, spec.protocol.launches
    for arm, row in launch_variances(spec, measured, "this").items():
        if arm != spec.canary:
            ratios = statistics.log_ratios(measured.samples, arm, spec.baseline)[:pilot]
            own = None if prior is None else prior.of(row.covariates)
            enough = statistics.launches_wanted(ratios, spec.alpha, spec.margin, own)
            wanted[arm] = max(enough, pilot)
    return wanted


def _row(spec: CellSpec, measured: CellMeasurement, arm: str, cell: str) -> LaunchVariance | None:
    pilot = spec.protocol.launches
    return statistics.launch_variance(
        statistics.block_log_ratios(measured.samples, arm, spec.baseline)[:pilot],
        pilot,
        cell,
        size=operand_bytes(spec.setup.problem),
        separate=spec.arms[arm].place != HERE or registry.is_foreign(spec.arms[arm].implementation),
    )
