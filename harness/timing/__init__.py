"""Paired, interleaved timing of arms that live in worker processes: the parent's half.

cell_rounds       a job's cells: a pilot of each, then further launches where they decide most
session_schedule  which cell gets the next launch
cell_progress     a cell as far as it is measured, one launch after the other
cell              one launch of a cell: prepare, check, warm up, sample, audit
cell_spec         what is measured in a cell, and what came of it
launch_variances  how many launches a cell's noise asks for
time_budget       how long cells may be measured
least_time        what a cell takes at least, told where less is given
warm_up           calibrates an arm and calls it until it is steady
schedule          the order of samples in a block
launch            one launch: its worker processes, asked one request at a time
arm_failure       an arm that is out, and why
hosts             which arms share a process of a launch
launch_pool       the launches of a task, kept alive from cell to cell
blocks            a launch's blocks, and which of them are set aside
conditions        what the machine did around a block
cold_cache        how many sets of arrays a cell cycles through
figures           from samples to figures and flags
clock_agreement   second ways of timing the same samples, and how far they disagree
time_account      where a cell's wall time goes
messages          what travels between the two halves
worker/           the half that runs in a worker process
"""
