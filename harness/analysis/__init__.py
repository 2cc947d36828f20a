"""Facts from records: pure functions that return frozen dataclasses. No prose and no markup.

selection           records by task, implementations by name
matching            which cells are the same
outcomes            what became of a record: its status, its verdict, or why it has none
ratios              a record's ratios to the baseline and to the floor
sections            throughput cells with their arms side by side
training_groups     trainings that differ in arm and seed only
moderation          ratios with variances moderated over a session's cells
multiple_testing    a session's verdicts, corrected for their number
slower_arms         which arms are slower than their baselines
tallies             how many cases and cells came to what
unasked             conformance cases not asked, or not as written; deviations that do not show
training_tallies    how each arm of a training group did over its seeds
step_factors        time to the target as steps × time a step
equivalence         whether two implementations train the same network
training_curves     curves of trainings, and the middle of several
floors              how far times are from the hardware's limit
accuracy            errors beside times, and which arms none beats in both
pareto              which points none is better than
canary_noise        what the baseline against itself says of a section's noise
disturbances        what disturbed the measurements, and what was set aside for it
time_budget         where the wall time went
costs               memory, and seconds apart from the calls timed
case_elements       the worst element of a conformance case
grouped_reasons     records that came to the same for the same reason
arm_settings        what labelled arms, and those that run elsewhere, stand for
rerun_command       the command that repeats a conformance case
completeness        how much of a session's plan was measured
sessions            which sessions can be taken for finished work
changes             what a comparison of two records can come to
session_comparison  two sessions held against each other
stored_benchmarks   two files of pytest-benchmark's, which give no verdict
gate_outcomes       what a cell of a gate, and the whole of it, can come to
gate_facts          what a gate found
gate_cells          from a gate's records to what became of each cell
renaming            implementations that may be one under two names
"""
