"""The measurement of a machine's noise: what it takes, what is absent, and one short run of
everything.
"""

from __future__ import annotations

import json

import pytest

from harness.bandwidth import MissingNativeCode, cache_bytes, missing_library
from harness.cli import main
from harness.cli.arguments import doctor_flags
from harness.config.usage import UsageError
from harness.doctor import measurement
from harness.doctor.bandwidth import PROBES, working_sets
from harness.doctor.measurement import measure, settings_of
from harness.doctor.noise import TIMES, situations
from harness.doctor.probe_readings import read_probes
from harness.environment import machine
from harness.isolation import WorkerSettings
from tests.helpers.doctor import calm_noise

needs_probes = pytest.mark.skipif(
    missing_library() is not None, reason="the bandwidth probes are not built"
)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seconds", "5"], "add --measure"),
        (["--threads", "1"], "add --measure"),
        (["--measure", "--seconds", "0"], "allowed"),
        (["--measure", "--seconds", "nan"], "allowed"),
        (["--measure", "--seconds", "long"], "invalid"),
        (["--loud"], "--loud"),
    ],
)
def test_what_the_doctor_does_not_take_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        doctor_flags(arguments)


@pytest.mark.parametrize("threads", [0, 10**6])
def test_more_threads_than_cpus_are_refused_with_what_is_allowed(threads: int) -> None:
    with pytest.raises(ValueError, match="allowed: 1 to"):
        settings_of(threads)
    assert main(["doctor", "--measure", "--threads", str(threads)]) == 2


@pytest.mark.timed
def test_without_the_probes_the_rest_is_measured_and_bandwidth_is_absent_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = MissingNativeCode("it is not built", "build it")
    monkeypatch.setattr(measurement, "missing_library", lambda: missing)
    monkeypatch.setattr(measurement, "_noises", lambda *_: [calm_noise()])
    found = measure(WorkerSettings(1), 1.0, lambda _: None)
    assert found.noises
    assert found.absent == {"bandwidth": "it is not built"}


def test_working_sets_fit_the_caches_and_outgrow_them() -> None:
    sizes = working_sets(1)
    assert sizes["in cache"] < cache_bytes(machine.processor(), 1) < sizes["beyond cache"]


@needs_probes
def test_probes_are_read_in_turn_as_bytes_per_second() -> None:
    progress: list[str] = []
    probes = [("read", 1 << 16), ("copy", 1 << 16)]
    first, second = read_probes(progress.append, seconds=0.05, probes=probes)
    assert len(first.at) == len(second.at) == len(first.rate) == len(progress) >= 2
    assert all(one < other for one, other in zip(first.at, second.at, strict=True))
    assert min(first.rate) > 0


@needs_probes
@pytest.mark.timed
def test_a_short_measurement_through_the_command_has_noise_and_bandwidth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = situations(1)["small call"]
    monkeypatch.setattr(measurement, "situations", lambda _: {"small call": small})
    assert main(["doctor", "--measure", "--json", "--seconds", "1", "--threads", "1"]) == 0
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    [found] = data["measurement"]["noises"]
    assert found["launches"] >= 2
    assert found["components"]["within"] >= 0
    assert [plan["seconds"] for plan in found["findable"]] == list(TIMES)
    assert {of["probe"] for of in data["measurement"]["bandwidths"]} == set(PROBES)
    assert {"noise, small call"} <= {finding["subject"] for finding in data["findings"]}
    assert "measuring bandwidth" in captured.err
