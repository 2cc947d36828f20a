"""Configuration: the schema of every key, the checks a type cannot make, and Hydra's composition
with errors of ours.
"""

from harness.config.schema import (
    Config,
    ConformanceConfig,
    ConvergenceConfig,
    DeviceConfig,
    ProblemConfig,
    TaskConfig,
    ThroughputConfig,
    TrackingConfig,
)
from harness.config.usage import UsageError, suggestion

__all__ = [
    "Config",
    "ConformanceConfig",
    "ConvergenceConfig",
    "DeviceConfig",
    "ProblemConfig",
    "TaskConfig",
    "ThroughputConfig",
    "TrackingConfig",
    "UsageError",
    "suggestion",
]
