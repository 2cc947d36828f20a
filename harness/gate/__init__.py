"""Base and head side by side: two trees of a git repository, built and measured as two arms in the
same blocks.

repository  what git says: revisions, the working tree, worktrees
work_folder what a gate needs while it runs, and what a killed one left
builds      built trees, kept by their hash
sides       the two trees of a gate, built
pairs       each implementation of both trees as a pair of arms
jobs        what is measured of each pair, and with what budget
undecided   why a gate cannot come to a verdict
"""
