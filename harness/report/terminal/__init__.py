"""What commands print, in as many columns as there are. Rich is imported when something is printed.

closing     the tables that a session ends with, by way of conformance, throughput and training
reasons     beneath them, why what is not OK is not
comparison  two sessions held against each other
stored_benchmarks  two files of pytest-benchmark's
replay      what a replay came to
gate        what a gate found
doctor      what the doctor found and measured
datasets    the data sets, and a bar while one is downloaded
fitting     tables that leave columns out, in a stated order, until they fit
wrapping    text in lines, broken where that does no harm
style       what all tables share
"""

from harness.report.terminal.closing import closing_table
from harness.report.terminal.comparison import comparison_table
from harness.report.terminal.reasons import reasons
from harness.report.terminal.style import WIDTH

__all__ = ["WIDTH", "closing_table", "comparison_table", "reasons"]
