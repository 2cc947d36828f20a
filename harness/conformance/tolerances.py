"""How far a correct implementation may be from the oracle, element by element: derived, not tuned.

Unit roundoffs: u of the dtype that is computed in (float32, or float64 for float64 data), u_d of
the data's and u_p of the parameters' dtype. Terms of second order are left out, except where there
is none of the first.

Sums. Rounding errors behave as independent with mean zero, so that a sum of n terms, in whatever
order, has
    Δsum  = γ Σ|term|,  γ = λ √n u,  λ = 4     (Higham & Mary 2019, SIAM J. Sci. Comput. 41(5))
with probability at least 1 - 2 exp(-λ²/2) = 0.9993. Few terms are held to what a formula of few
operations may lose, a roundoff each: γ ≥ k u with k = 8, which is more than `interface` needs for
an element.

Statistics.
    Δmean = γ mean|x| + u |mean|
    Δvar  = 2 γ √(var · mean(x²)) + γ² mean(x²) + 3 γ (x₁ - mean)² + (u_p |mean|)²
because the variance that a stable algorithm gives is that of data changed by γ relatively (Chan,
Golub & LeVeque 1983, Am. Stat. 37(3)): its error grows with κ = √(mean(x²) / var). Two passes,
shifted sums, Welford's and Chan's formulas pass, and the textbook's E[x²] - E[x]², whose error
grows with κ², fails where κ is large. Sums that are shifted by the first value x₁ are the
textbook's about x₁: hence the third term. Frozen statistics are exact.
    ρ     = Δvar / (2 (var + eps)) + k u + 2 u_p     relative, of rstd = 1 / √(var + eps)
The mean, rstd and its product with the weight may be kept in the parameters' dtype, as PyTorch
keeps them; the variance is then taken about the rounded mean, which gives its last term.

Forward.
    Δx̂    = rstd (Δmean + u_p |mean| + σ_p + k u (|x| + |mean|)) + |x̂| ρ
which admits x̂ weight + bias as well as x (weight rstd) + (bias - mean weight rstd).
    Δz    = |weight| Δx̂ + k u (|weight x̂| + |bias| + |residual|) + u_d (|z| + |weight x̂ + bias|)
The very last term is there with a residual only: separate operations round BN's output before they
add it. ReLU changes no bound. A running statistic r is a sum of two products; factors, products and
sum may each be rounded:
    Δr    = |momentum| Δbatch + 4 u_p (|(1 - momentum) r_old| + |momentum · batch|)
with Δbatch = Δmean, or Δvar n / (n - 1). Statistics that are not updated are exact.

Backward. The mask is the implementation's own, so that dz, which is dresidual, is exact.
    Δdbias   = γ Σ|dz| + u_p |dbias|
    Δdweight = γ Σ|dz x̂| + Σ|dz| Δx̂ + u_p |dweight|
    Δdinput  = |weight| rstd (Δm1 + |x̂| Δm2 + Δx̂ |m2| + k u (|dz| + |m1| + |x̂ m2|)) + |dinput| (ρ
             + k u + u_d)
with m1 = dbias / n, m2 = dweight / n, their errors those before they are rounded to the parameters'
dtype. Frozen statistics have m1 = m2 = 0.

Where rounding underflows it loses not u but up to the subnormal spacing σ, which is therefore added
to every result.

Representable sums. Of an input that `inputs` calls ternary the mean, all partial sums, the variance
and var + eps are numbers of the dtype. A sum then loses nothing, in whatever order, and Welford's
update, which divides, a few roundings: there γ = k u however many the terms, a few ulp.

Trust. Where the mean is large, float32 itself blurs x̂, and the bound with it. A comparison whose
tolerances are, in the root mean square, more than half of the values would let a result pass that
is wrong by half: it is MISTRUSTED.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import torch

from implementations.interface import Arrays, Phase, Problem
from implementations.oracle import Array, OracleResults

LAMBDA = 4.0
ROUNDINGS = 8.0  # k
BLUR = 0.5  # of the values, beyond which tolerances prove nothing


@dataclass(frozen=True)
class Bounds:
    """Greatest allowed |implementation - oracle|, named and shaped as the oracle's results; absent
    where those are.
    """

    output: Array
    running_mean: Array
    running_var: Array
    grad_input: Array | None = None
    grad_residual: Array | None = None
    grad_weight: Array | None = None
    grad_bias: Array | None = None


@dataclass(frozen=True)
class _Units:
    """Unit roundoffs and subnormal spacings of a problem, and what a formula (k u) and a sum (γ)
    may lose.
    """

    computing: float
    data: float
    parameter: float
    data_spacing: float
    parameter_spacing: float
    formula: float
    sum: float


@dataclass(frozen=True)
class _Errors:
    """Absolute errors of mean and var, (C',), and of x̂, (n, C'); relative error of rstd, (C',)."""

    mean: Array
    var: Array
    rstd: Array
    normalized: Array


# in a channel of NaN or infinity only their places can be compared
@np.errstate(invalid="ignore", over="ignore")
def bounds(
    problem: Problem,
    phase: Phase,
    arrays: Arrays,
    exact: OracleResults,
    *,
    representable: bool = False,
) -> Bounds:
    """The tolerance of every result that ``exact``, the oracle's for the same arguments, has.

    ``representable`` says that the input's sums are.
    """
    units = _units(problem)
    units = replace(units, sum=units.formula) if representable else units
    errors = _errors(phase, arrays.eps, exact, units)
    running_mean, running_var = np.zeros_like(exact.mean), np.zeros_like(exact.var)
    if phase.training:
        unbiasing = problem.reduction / (problem.reduction - 1)
        running_mean = _running(exact.running_mean, exact.mean, errors.mean, arrays.momentum, units)
        running_var = _running(
            exact.running_var, exact.var * unbiasing, errors.var * unbiasing, arrays.momentum, units
        )
    forward = Bounds(_output(exact, errors, units), running_mean, running_var)
    if exact.grad_z is None or exact.grad_input is None:
        return forward
    return _backward(forward, phase, exact, exact.grad_z, exact.grad_input, errors, units)


def _units(problem: Problem) -> _Units:
    data, parameter = (
        torch.finfo(getattr(torch, str(dtype)))
        for dtype in (problem.dtype, problem.parameter_dtype)
    )
    computing = torch.finfo(torch.float64 if problem.dtype == "float64" else torch.float32).eps / 2
    return _Units(
        computing,
        data.eps / 2,
        parameter.eps / 2,
        data.tiny * data.eps,
        parameter.tiny * parameter.eps,
        formula=ROUNDINGS * computing,
        sum=max(LAMBDA * sqrt(problem.reduction), ROUNDINGS) * computing,
    )


def _errors(phase: Phase, eps: float, exact: OracleResults, units: _Units) -> _Errors:
    mean, var, kept = (
        np.zeros_like(exact.mean),
        np.zeros_like(exact.var),
        units.parameter * abs(exact.mean),
    )
    if phase.training:
        power = np.square(exact.mean) + exact.var  # mean(x²)
        mean = units.sum * abs(exact.input).mean(0) + units.computing * abs(exact.mean)
        shift = np.square(exact.input[0] - exact.mean)
        var = (
            2 * units.sum * np.sqrt(exact.var * power)
            + units.sum**2 * power
            + 3 * units.sum * shift
            + np.square(kept)
        )
    rstd = var / (2 * (exact.var + eps)) + units.formula + 2 * units.parameter
    centred = (
        mean + kept + units.parameter_spacing + units.formula * (abs(exact.input) + abs(exact.mean))
    )
    return _Errors(mean, var, rstd, exact.rstd * centred + abs(exact.normalized) * rstd)


def blurred(expected: Array, tolerance: Array, least: float) -> bool:
    """Whether a comparison to these tolerances proves nothing. Those below ``least``, the least
    normal number, are exact.
    """
    known = np.isfinite(expected) & np.isfinite(tolerance)
    allowed = np.square(tolerance[known & (tolerance >= least)]).sum()
    return bool(allowed > BLUR**2 * np.square(expected[known]).sum())


def _output(exact: OracleResults, errors: _Errors, units: _Units) -> Array:
    terms = abs(exact.weight * exact.normalized) + abs(exact.bias)
    rounded = abs(exact.z)
    if exact.residual is not None:
        terms += abs(exact.residual)
        rounded += abs(exact.affine)
    return (
        abs(exact.weight) * errors.normalized
        + units.formula * terms
        + units.data * rounded
        + units.data_spacing
    )


def _running(updated: Array, batch: Array, error: Array, momentum: float, units: _Units) -> Array:
    moved = abs(momentum * batch)
    kept = abs(updated - momentum * batch)
    return abs(momentum) * error + 4 * units.parameter * (kept + moved) + units.parameter_spacing


def _backward(
    forward: Bounds,
    phase: Phase,
    exact: OracleResults,
    grad_z: Array,
    grad_input: Array,
    errors: _Errors,
    units: _Units,
) -> Bounds:
    size, scale, n = abs(grad_z), abs(exact.weight) * exact.rstd, len(grad_z)
    sum_bias = units.sum * size.sum(0)
    sum_weight = units.sum * (size * abs(exact.normalized)).sum(0) + (size * errors.normalized).sum(
        0
    )
    bracket = units.formula * size
    if phase.training:
        m1, m2 = abs(grad_z.mean(0)), abs((grad_z * exact.normalized).mean(0))
        bracket = (
            sum_bias / n
            + abs(exact.normalized) * sum_weight / n
            + errors.normalized * m2
            + units.formula * (size + m1 + abs(exact.normalized) * m2)
        )
    return replace(
        forward,
        grad_input=scale * bracket
        + abs(grad_input) * (errors.rstd + units.formula + units.data)
        + units.data_spacing,
        grad_residual=None if exact.grad_residual is None else np.zeros_like(grad_z),
        grad_weight=_delivered(sum_weight, exact.grad_weight, units),
        grad_bias=_delivered(sum_bias, exact.grad_bias, units),
    )


def _delivered(error: Array, gradient: Array | None, units: _Units) -> Array | None:
    """The error of a parameter's gradient once it is rounded to the parameters' dtype."""
    if gradient is None:
        return None
    return error + units.parameter * abs(gradient) + units.parameter_spacing
