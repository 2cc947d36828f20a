"""Exact bounds of a probability, from how often something happened.

Clopper and Pearson (1934), "The use of confidence or fiducial limits illustrated in the case of the
binomial", Biometrika 26: quantiles of the beta distribution.
"""

from __future__ import annotations

from harness.statistics.special_functions import special


def binomial_upper(events: float, trials: int, alpha: float) -> float:
    """What the probability of an event is below, with confidence 1 - ``alpha``. Raises ValueError
    as its interval does.
    """
    _possible(events, trials)
    return (
        float(special().betaincinv(events + 1, trials - events, 1 - alpha))
        if events < trials
        else 1.0
    )


def binomial_interval(events: float, trials: int, alpha: float) -> tuple[float, float]:
    """Two-sided bounds of the probability of an event, at least 1 - ``alpha`` sure; half an event
    is a tie.

    Raises ValueError for no trials, or a number of events that so many trials cannot have.
    """
    upper = binomial_upper(events, trials, alpha / 2)
    return (
        float(special().betaincinv(events, trials - events + 1, alpha / 2)) if events else 0.0
    ), upper


def _possible(events: float, trials: int) -> None:
    if trials < 1 or not 0 <= events <= trials:
        raise ValueError(
            f"{events} events in {trials} trials are impossible; give 1 trial or more, and from 0 "
            "to as many events"
        )
