"""The worker process of the doctor: ``python -m harness.doctor.worker``."""

from __future__ import annotations

from collections.abc import Mapping

from harness.isolation.serving import Service, run_worker


def services() -> Mapping[str, Service]:
    from harness.doctor.probe_readings import read_probes

    return {"read_probes": read_probes}


if __name__ == "__main__":
    run_worker(services)
