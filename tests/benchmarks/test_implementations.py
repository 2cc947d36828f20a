"""Every implementation and phase under pytest-benchmark: checked first, on the very object that is
then timed.

pytest tests/benchmarks                          times: calls a round by bnbench's calibration
pytest tests/benchmarks --benchmark-disable      a smoke run, as in `make test`
"""

from __future__ import annotations

import pytest

import implementations
from harness.conformance.compare import compare_with_oracle
from harness.problems.inputs import make_arrays
from implementations.interface import Phase, Problem, Unsupported, call_once, refusal
from tests.helpers.calibrated_benchmarks import calibrated, measured

PROBLEMS = {
    "images": Problem((8, 64, 28, 28), activation="relu"),
    "channels_last": Problem(
        (8, 64, 14, 14), memory_format="channels_last", activation="relu", residual=True
    ),
    "rows": Problem((256, 128)),
}


@pytest.fixture(scope="module", params=PROBLEMS)
def bench(request):
    """A problem and its arrays, the same for all implementations."""
    problem = PROBLEMS[request.param]
    return problem, make_arrays(problem, seed=0)


@pytest.mark.parametrize("name", implementations.names())
@pytest.mark.parametrize("phase", Phase)
def test_layer(benchmark, bench, name, phase):
    problem, arrays = bench
    benchmark.group = f"{phase}, {problem}"
    try:
        implementation = implementations.load(name)
        prepared = implementation.prepare(
            problem, phase, face="layer", outputs="fresh", arrays=arrays
        )
    except (implementations.Unavailable, Unsupported) as error:
        pytest.skip(str(error))
    reason = refusal(implementation, problem, phase, "cpu")
    if reason is not None:
        pytest.skip(reason)

    call_once(prepared)
    wrong = [
        str(finding)
        for finding in compare_with_oracle(prepared.results(), problem, phase, arrays)
        if not finding.passed
    ]
    assert not wrong

    benchmark.extra_info |= measured(problem, phase, name)
    calibrated(benchmark, prepared)
