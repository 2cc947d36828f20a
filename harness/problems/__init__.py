"""Named suites of problems, each with the source of its shapes, and the problems that a
configuration asks for.

``SUITES`` holds the suites by name, ``suite`` finds one or says which was probably meant, and
``problems`` turns the configuration's ``problem`` into problems, each with how often it occurs.
``operand_bytes`` is the least memory that a problem takes.
"""

from harness.problems.memory import operand_bytes
from harness.problems.selection import problems, suite
from harness.problems.suites import SUITES, Suite

__all__ = ["SUITES", "Suite", "operand_bytes", "problems", "suite"]
