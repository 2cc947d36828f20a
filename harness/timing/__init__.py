"""Paired, interleaved timing of arms that live in worker processes: the parent's half.

cell             launch after launch: prepare, check, warm up, sample, audit
cell_spec        what is measured in a cell, and what came of it
schedule         the order of calls in one launch: calibrate, warm up, blocks
launch           one launch: its worker processes, asked one request at a time
blocks           a launch's blocks, and which of them are set aside
conditions       what the machine did around a block
figures          from samples to figures and flags
messages         what travels between the two halves
worker/          the half that runs in a worker process
"""
