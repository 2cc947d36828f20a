"""Hydra's configuration groups: data only. The keys are documented in `harness.config.schema`."""
