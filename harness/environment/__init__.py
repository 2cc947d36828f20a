"""The machine and the software that figures belong to, fingerprinted.

What is in ``stable`` moves times or bits and lasts, so its digest is part of every record's key:
change one of it and all is measured anew. The kernel's release belongs to it (scheduler, page
faults, mitigations of CPU bugs), so do the C library (allocation, memory copies), the compiler
(torch.compile's code is its work), huge pages, a CPU quota, and the environment variables that pick
other code. Memory is rounded to GiB, since what the kernel takes for itself differs between boots.
What is in ``volatile`` was so at one moment: it is told, and makes nothing new.

Neither holds a host's or user's name or a folder, since reports are published.
"""

from harness.environment.capturing import Environment, capture

__all__ = ["Environment", "capture"]
