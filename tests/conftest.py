"""What all tests share: the plug-ins of `tests/plugins` can be imported, here and in worker
processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.isolation import WorkerProcess, WorkerSettings
from harness.isolation.worker_pool import FORK_SERVERS

PLUGINS = str(Path(__file__).parent / "plugins")  # on this process's own path by pyproject.toml
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [PLUGINS, os.environ.get("PYTHONPATH", "")])
)
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
    os.environ.pop(variable, None)  # tests leave the user's own store alone


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: no core has to wait at the end for one that began late."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="module")
def forked_launches() -> Iterator[None]:
    """Launches that are forked, where a test is about what becomes of them: a new interpreter for
    each costs two seconds more. test_replicates.py has that they are new interpreters else.
    """
    from harness.timing import launch

    def forked(module: str, settings: WorkerSettings, **keywords: bool) -> WorkerProcess:
        return WorkerProcess(f"{module}.__main__", settings, FORK_SERVERS.start, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "WorkerProcess", forked)
        yield


PLUGIN = """
import os, signal
from troublesome_bn import Native

class Refusing(Native):
    def unsupported(self, problem, phase, device):
        return "it takes no such problem"

class Dying(Native):
    def layer(self, problem):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Write a third party's module, which this process and its children can import, and return its
    name. One folder for all tests, since a fork server serves one environment.
    """
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "misbehaving_bn.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield "misbehaving_bn"
