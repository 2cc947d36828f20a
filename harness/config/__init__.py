"""Configuration, validated once where it is made, and plain data afterwards.

choices               what can be chosen by name, each spelled once
reserved_names        the names that no implementation can have
schema                every key with its type, its default and its allowed values
validation            the checks that a type cannot make
composition           from a command line to each of its jobs
command_line          its words, and the jobs that a sweep makes of them
groups                what Hydra composes
overrides             text that enters Hydra's grammar
credential_variables  credentials that stay out of it
effects               the keys that would change nothing, or contradict each other
imported_code         the keys that would have Hydra import code
refusals              what Hydra would do, and a session cannot have
key_messages          what is wrong with a key or a value, in words
disk_errors           what is wrong with a file or a folder, in words
shell                 commands to copy
restoring             from what a journal or a file holds
usage                 the error of a command or configuration that cannot be carried out as given
"""

from harness.config.schema import (
    Config,
    ConformanceConfig,
    ConvergenceConfig,
    DeviceConfig,
    GateConfig,
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
    "GateConfig",
    "ProblemConfig",
    "TaskConfig",
    "ThroughputConfig",
    "TrackingConfig",
    "UsageError",
    "suggestion",
]
