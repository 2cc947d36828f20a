"""Cases fitted to what an implementation supports.

question    a problem that is asked in some phases, and what would do instead
questions   what each kind of case asks: numbers, differences, laws, repetitions
behaviour   the same of calls, modules and ONNX's conventions
declared    what `supports` says of the values that are worth trying
nearest     the search for the nearest problem that an implementation takes
"""

from harness.conformance.fitting.nearest import (
    Fitted,
    difference,
    fitted,
    fitted_problem,
    refused,
    ways,
)
from harness.conformance.fitting.question import Question

__all__ = ["Fitted", "Question", "difference", "fitted", "fitted_problem", "refused", "ways"]
