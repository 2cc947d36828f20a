"""Pages from facts: what `harness.analysis` finds, for people to read.

labels        titles of sections and trainings, and a cell in one line
phrases       sentences that several pages share
completeness  what is missing, torn or borrowed of a session
markdown      a session's report
figures       its figures; matplotlib is imported here only
terminal      what commands print
"""

from harness.report.markdown import write

__all__ = ["write"]
