"""Three containers of the image as a Ray cluster, each with a network of its own: one is killed, and pictures are made.

They run as the chart runs them: with no rights, on a read-only root, and with the environment of deploy/cluster.env.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster.machine import Machine
from tests.cluster.network import Network
from tests.cluster.ray_cluster import RayCluster
from tests.cluster.services import Outside, Store
from tests.deploy.containers import HARDENED, IMAGE, build, podman, started

pytestmark = pytest.mark.long

OF_THIS_MACHINE = {"PATH", "PYTHONPATH", "HOME", "AIGE_DATA_DIR"}


class Container(Machine):
    """A machine whose first process is a container's."""

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """See `Machine`; the command is the image's own of that name."""
        variables = [f"--env={name}={value}" for name, value in environment.items() if name not in OF_THIS_MACHINE]
        place = [f"--name=aige-tests-{self.name}", f"--network=ns:/run/netns/{self._namespace}"]
        hardened = [option for option in HARDENED if not option.startswith("--network")]
        with (self.folder / "log").open("ab") as log:
            self._running = started(
                ["run", "--rm", "--replace", *place, *hardened, *variables, IMAGE, "ray", *command[1:]], log
            )

    def kill(self) -> None:
        """See `Machine`."""
        podman("rm", "--force", "--time=0", f"aige-tests-{self.name}", check=False)
        super().kill()


class LocalCluster(RayCluster):
    """One with the engine that the image holds: the others are the tests'."""

    def config(self, **changes: object) -> dict[str, object]:
        return super().config(engine="local", engine_options={}, **changes)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[RayCluster, Outside]]:
    """A head and two workers, up, with what they lean on beside them."""
    build()
    network, machines = Network(), list[Machine]()
    try:
        for number, name in enumerate(("head", "worker-1", "worker-2"), 10):
            machines.append(Container(network, name, number, tmp_path))
        head, *workers = machines
        machines += [Machine(network, name, number, tmp_path) for name, number in (("store", 20), ("outside", 30))]
        *_, store, outside = machines
        leaned_on = Outside(outside)
        cluster = LocalCluster(head, workers, Store(store), leaned_on)
        cluster.start()
        yield cluster, leaned_on
    finally:
        for machine in machines:
            machine.close()
        network.close()


def demo(outside: Outside, url: str) -> str:
    """What `make demo` says on the machine outside; the command line tells of progress on stderr."""
    return outside.machine.said(["sh", "-c", 'AIGE_URL="$0" "$1" -m scripts.demo 2>&1', url, sys.executable])


def test_three_containers_make_pictures_while_one_is_killed(cluster: tuple[RayCluster, Outside]) -> None:
    """First with all of them; then one worker is killed in the middle, and the other one goes on."""
    ray, outside = cluster
    stays, goes = ray.workers
    url = f"http://{stays.address}:8000"
    first = demo(outside, url)
    assert first.count("done") == 3, first
    with ThreadPoolExecutor() as threads:
        second = threads.submit(demo, outside, url)
        goes.kill()
        assert second.result().count("done") == 3, second.result()
    assert not podman("ps", "--quiet", f"--filter=name=aige-tests-{goes.name}").stdout
