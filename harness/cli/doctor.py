"""`bnbench doctor`: what can be measured here, what disturbs it, and what to do about it; if asked,
how much noise there is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from harness.cli.arguments import DoctorFlags, doctor_flags
from harness.cli.console import console
from harness.config import UsageError
from harness.doctor import examine
from harness.isolation import interruption
from harness.records import ExitStatus, to_plain
from harness.report.terminal.doctor import print_findings, print_measurement, show_progress


def main(arguments: Sequence[str]) -> int:
    flags = doctor_flags(arguments)
    if flags.measure:
        return _measure(flags)
    if flags.json:
        _write_json(to_plain(examine()))
    else:
        print_findings(console(), examine())
    return ExitStatus.OK


def _measure(flags: DoctorFlags) -> int:
    """Examine the machine, and measure its noise."""
    from harness.doctor.measurement import SECONDS, measure, settings_of
    from harness.doctor.measurement_findings import findings_of

    try:
        settings = settings_of(flags.threads)
    except ValueError as error:
        raise UsageError(f"--threads: {error}") from error
    findings, output = examine(), console()
    if not flags.json:
        print_findings(output, findings)
    with interruption.deferred(), show_progress() as announce:
        measured = measure(settings, flags.seconds or SECONDS, announce)
    measured_findings = findings_of(measured)
    if flags.json:
        data = {
            "findings": to_plain([*findings, *measured_findings]),
            "measurement": measured.to_data(),
        }
        _write_json(data)
    else:
        print_measurement(output, measured)
        print_findings(output, measured_findings)
    return ExitStatus.OK


def _write_json(data: object) -> None:
    sys.stdout.write(json.dumps(data, indent=2) + "\n")
