"""Programs that are started end with who started them."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from harness.isolation.child_commands import ending_with_parent

PARENT = (
    "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); print(p.pid, flush=True); p.wait()"
)


@pytest.mark.skipif(not ending_with_parent(), reason="util-linux has no setpriv here")
def test_a_child_dies_with_a_parent_that_is_killed():
    command = [sys.executable, "-c", PARENT, *ending_with_parent(), "sh", "-c", "echo on; read x"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        # the child's word that it runs, and its number from the parent, in whichever order
        running, number = sorted((parent.stdout.readline() for _ in range(2)), reverse=True)
        assert running == "on\n"
        watched = os.pidfd_open(int(number))
        parent.kill()
        ended, *_ = select.select([watched], [], [], 60)
        os.close(watched)
        assert ended == [watched]
