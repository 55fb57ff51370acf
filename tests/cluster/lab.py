"""The trials' machines, and what a trial does with them: a load, a blow, and what the client saw."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.audit import Audit, audited
from tests.cluster.client import Report
from tests.cluster.machine import Machine
from tests.cluster.network import Network
from tests.cluster.ray_cluster import RayCluster
from tests.cluster.services import Outside, Store

RATE = 4
"""Tasks a second."""
WARM_S = 10
"""Of load before the blow."""
NUMBERS = {"head-a": 10, "w1-a": 11, "w2-a": 12, "head-b": 14, "w1-b": 15, "store": 20, "outside": 30}
"""The last part of their addresses."""


@dataclass(frozen=True)
class Lab:
    """`b` is a second cluster, which nobody has started."""

    network: Network
    store: Store
    outside: Outside
    a: RayCluster
    b: RayCluster

    def trial(self, blow: Callable[[], None], after_s: float = 30) -> Audit:
        """Load, a blow, more load for so many seconds, and the books."""
        load = Load(self.outside, self.a.api)
        time.sleep(WARM_S)
        struck = time.time()
        blow()
        time.sleep(max(0, struck + after_s - time.time()))
        return load.audit(struck)

    def cut_off_from_others(self, machine: Machine) -> None:
        """From the other nodes of its cluster; Redis, provider and clients still reach it."""
        others = [one.name for one in self.a.machines if one is not machine]
        self.network.cut_from(machine.name, others)

    def replace(self, machine: Machine) -> None:
        """A new machine in the place of a worker; returns once the cluster is whole."""
        machine.kill()
        self.network.heal(machine.name)
        self.a.start_worker(machine)
        self.a.until_whole()


class Load:
    """A careful client on the machine outside."""

    def __init__(self, outside: Outside, nodes: Sequence[str]) -> None:
        module = [sys.executable, "-m", "tests.cluster.client", str(RATE), outside.provider]
        self._client = outside.machine.beside(module, os.environ)
        self.ask(nodes)

    def ask(self, nodes: Sequence[str]) -> None:
        """From now on, it asks these."""
        self._say(f"ask {' '.join(nodes)}")

    def audit(self, struck: float) -> Audit:
        """Ends the load, waits for all tasks to end, and opens the books."""
        stopped = time.time()
        self._say("stop")
        said, _ = self._client.communicate()
        report = Report(**json.loads(said))
        print(f"troubles: {report.troubles}")
        return audited(report, struck, stopped)

    def _say(self, order: str) -> None:
        assert self._client.stdin
        self._client.stdin.write(f"{order}\n")
        self._client.stdin.flush()


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """All machines, and the first cluster up; nothing of them is left afterwards."""
    network = Network()
    machines: dict[str, Machine] = {}
    try:
        for name, number in NUMBERS.items():
            machines[name] = Machine(network, name, number, folder)
        store, outside = Store(machines["store"]), Outside(machines["outside"])
        a = RayCluster(machines["head-a"], [machines["w1-a"], machines["w2-a"]], store, outside)
        b = RayCluster(machines["head-b"], [machines["w1-b"]], store, outside)  # smaller, so that both fit
        a.start()
        yield Lab(network, store, outside, a, b)
    finally:
        for machine in machines.values():
            machine.close()
        network.close()
