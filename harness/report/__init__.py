"""Pages from facts: what `harness.analysis` finds, for people to read.

labels        titles of sections and trainings, and a cell in one line
phrases       sentences that several pages share
completeness  what is missing, torn or borrowed of a session
markdown      a session's report
figures       its figures; matplotlib is imported here only
terminal      what commands print
gate_words    what a gate found, in the words that its terminal, page and files share
gate_files    the files of a gate, for people and for other tools
machine_readable  what commands say with --json
"""

from harness.report.markdown import write

__all__ = ["write"]
