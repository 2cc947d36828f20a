"""The half of timing that runs in a worker process: preparing arms, the timed loop, and checks that
the work is done.
"""
