"""Launches of cells whose calls last as long as a test says, by a clock of their own."""

from __future__ import annotations

from harness.records import Accuracy, Bytes, Cost, MemoryUse, QuantityError, Seconds
from harness.timing.messages import CheckResult, TimingResult

SECONDS = {
    "base": 1e-3,
    "canary": 1e-3,
    "mine": 1e-3,
    "steady": 1e-3,
    "floor/ordinary": 5e-4,
    "floor/streaming": 4e-4,
}


class FakeLaunch:
    """A launch in which every arm's call lasts ``SECONDS``, times a factor for "mine": a number, or
    what a function makes of the cell's problem.
    """

    now = 0.0  # by a clock that only preparing and sampling move
    slower = 1.0  # times what calls take on a quiet machine

    def __init__(self, log, index, factor=1.0, trouble=None, waited=lambda count: 0.0):
        self.log, self.index, self.factor, self.trouble, self.waited = (
            log,
            index,
            factor,
            trouble or {},
            waited,
        )
        self.starting, self.processes, self.count, self.cpus = 0.0, [], 0, (index,)

    def _do(self, what, arm=None):
        self.log.append((self.index, what, arm))
        if (what, arm) in self.trouble:
            raise self.trouble[what, arm]

    def open(self, setup):
        self.setup = setup
        self._do("open")

    def prepare(self, arm, specification):
        self._do("prepare", arm)
        FakeLaunch.now += 0.3
        return Cost(prepare_seconds=Seconds(0.1), first_call_seconds=Seconds(0.2))

    def prepare_floor(self, arm, stores):
        self._do("prepare", arm)
        return 1000

    def verify(self, arm, *, whole):
        self._do("verify whole" if whole else "verify", arm)
        channels = 64 if whole else 8
        error = QuantityError(rms=1e-7, largest=1e-6, ulp=10.0, scale=1.0)
        return CheckResult(None, Seconds(0.1), Accuracy(channels, {"output": error}))

    def measure_memory(self, arm):
        self._do("memory", arm)
        return MemoryUse(Bytes(1), Bytes(2))

    def instruction_sets(self, arm):
        return {"torch": f"that of {arm}"}

    def sample(self, arm, calls, untimed):
        self._do("warm" if untimed == 0 else "sample", arm)
        self.count += 1
        factor = self.factor(self.setup.problem) if callable(self.factor) else self.factor
        call = SECONDS[arm] * (factor if arm == "mine" else 1.0) * self.slower
        took = Seconds(call * calls), Seconds(call * untimed)
        FakeLaunch.now += sum(took)
        self.log.append((self.index, "seconds", sum(took)))
        return TimingResult(*took, waited=self.waited(self.count))

    def audit(self, arm, calls):
        self._do("audit", arm)
        return 0.1

    def clear(self):
        self._do("clear")


class FakePool(list[FakeLaunch]):
    """Of launches that need no start."""

    def start(self, count, arms):
        pass

    def start_one(self, index, arms):
        pass
