"""The machine and the software that figures belong to, fingerprinted.

What is in ``stable`` lasts, and changes times or bits. Its digest is part of every record's key:
where any of it changes, everything is measured anew. To it belong the kernel's release (scheduler,
page faults, mitigations of CPU bugs), the C library (allocation, memory copies), the compiler
(torch.compile's code is its work), huge pages, a CPU quota, and the environment variables that pick
other code. Memory is rounded to GiB, since what the kernel takes for itself differs between boots.
What is in ``volatile`` holds for a moment: it is recorded, and enters no key.

Neither holds a host's or user's name or a folder, since reports are published.
"""

from harness.environment.capturing import Environment, capture
from harness.environment.process import is_running, this_process

__all__ = ["Environment", "capture", "is_running", "this_process"]
