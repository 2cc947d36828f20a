"""A second witness beside time: exactly how many instructions a call executes, and how many lines
it fetches from memory by callgrind's model of the caches.

calls            what is counted, and what became of it
counting         counts of many calls in one process under valgrind, with the code of one place
requests.c       what that process asks of callgrind
counted_process  what runs in it
dumps            callgrind's files
testimony        base and head held against each other, and against what time says
"""

from harness.instruction_counts.calls import CountedCall, CountOutcome, Counts, Way
from harness.instruction_counts.counting import count, count_both
from harness.instruction_counts.testimony import (
    Agreement,
    CountChange,
    Direction,
    Testimony,
    compare_counts,
)

__all__ = [
    "Agreement",
    "CountChange",
    "CountOutcome",
    "CountedCall",
    "Counts",
    "Direction",
    "Testimony",
    "Way",
    "compare_counts",
    "count",
    "count_both",
]
