"""Pure functions of samples: what they say about a ratio of times, and how surely.

The datum is a log-ratio of times per call, arm over baseline, paired by block. The unit of
replication is the launch, because two launches of the same code differ by more than their blocks
do: a launch gives one number, the median over its blocks, and intervals are Student's t on those.
Ratios are of times, so below 1 the arm is the faster one.
"""

from harness.statistics.components import Components, smallest_effect, variance_components
from harness.statistics.curves import Difference, first_difference, ulps
from harness.statistics.decisions import decision_level, difference_level, holm, verdict
from harness.statistics.equivalence import POINT, Equivalence, equivalence
from harness.statistics.intervals import bounded_exp, interval, welch
from harness.statistics.launch_planning import PRECISION, launches_wanted, minimum_detectable_effect
from harness.statistics.moderation import (
    LEAST_LAUNCHES,
    LaunchVariance,
    VariancePrior,
    launch_variance,
)
from harness.statistics.prior_fit import LEAST_CELLS, Prior, fit_prior, priors
from harness.statistics.proportions import binomial_interval, binomial_upper
from harness.statistics.samples import (
    block_log_ratios,
    geometric_mean,
    launch_ranges,
    launch_seconds,
    log_ratios,
    median_seconds,
)
from harness.statistics.seeds import (
    Duration,
    DurationRatio,
    duration_ratio,
    outperformance,
    pace_ratio,
)
from harness.statistics.steadiness import is_steady

__all__ = [
    "LEAST_CELLS",
    "LEAST_LAUNCHES",
    "POINT",
    "PRECISION",
    "Components",
    "Difference",
    "Duration",
    "DurationRatio",
    "Equivalence",
    "LaunchVariance",
    "Prior",
    "VariancePrior",
    "binomial_interval",
    "binomial_upper",
    "block_log_ratios",
    "bounded_exp",
    "decision_level",
    "difference_level",
    "duration_ratio",
    "equivalence",
    "first_difference",
    "fit_prior",
    "geometric_mean",
    "holm",
    "interval",
    "is_steady",
    "launch_ranges",
    "launch_seconds",
    "launch_variance",
    "launches_wanted",
    "log_ratios",
    "median_seconds",
    "minimum_detectable_effect",
    "outperformance",
    "pace_ratio",
    "priors",
    "smallest_effect",
    "ulps",
    "variance_components",
    "verdict",
    "welch",
]
