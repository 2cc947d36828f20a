"""Paired, interleaved timing of arms that live in worker processes: the parent's half.

cell             launch after launch: prepare, check, warm up, sample, audit
cell_spec        what is measured in a cell, and what came of it
warm_up          calibrates an arm and calls it until it is steady
schedule         the order of samples in a block
launch           one launch: its worker processes, asked one request at a time
launch_pool      the launches of a task, kept alive from cell to cell
blocks           a launch's blocks, and which of them are set aside
conditions       what the machine did around a block
cold_cache       how many sets of arrays a cell cycles through
figures          from samples to figures and flags
clock_agreement  second ways of timing the same samples, and how far they disagree
time_account     where a cell's wall time goes
messages         what travels between the two halves
worker/          the half that runs in a worker process
"""
