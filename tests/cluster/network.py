"""A network of its own: a switch, and machines with one cable each. Nothing of it is in this machine's own network.

Each is a network namespace (ip-netns(8)), so all that runs here may use the ports and addresses that it likes.
"""

import os
import shutil
import subprocess
from itertools import count

PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
SUBNET = "10.77.0"
TOOLS = {"ip": "iproute2", "unshare": "util-linux", "redis-server": "redis-server", "curl": "curl"}
"""What the trials call, and the package that has it."""

LEAVE_OUT = "leave these tests out with `--ignore tests/cluster`"

_networks = count()


class CannotSimulate(Exception):
    """Why this machine cannot run a cluster of simulated machines, and what to do."""


def require_rights(path: str = PATH) -> None:
    """Whether simulated machines can be made here, with the commands on `path`.

    Raises:
        CannotSimulate: they cannot.
    """
    missing = sorted({package for tool, package in TOOLS.items() if shutil.which(tool, path=path) is None})
    if missing:
        raise CannotSimulate(f"tests/cluster needs {', '.join(missing)}: install that, or {LEAVE_OUT}")
    probe = ["unshare", "--net", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(probe, env={"PATH": PATH}, capture_output=True, check=False).returncode:
        raise CannotSimulate(
            "tests/cluster makes network namespaces, for which it needs root: run it as root (in a container, with "
            f"--privileged), or {LEAVE_OUT}"
        )


class Network:
    """The switch and its cables; a machine's address is the subnet's with its number."""

    def __init__(self) -> None:
        self._name = f"aige-{os.getpid()}-{next(_networks)}"
        self._numbers: dict[str, int] = {}
        ip("netns", "add", self._name)
        self._at_switch("link", "add", "br0", "type", "bridge")
        self._at_switch("link", "set", "br0", "up")

    def add(self, machine: str, number: int) -> None:
        """Plugs in a machine."""
        self._numbers[machine] = number
        inside = self.namespace(machine)
        ip("netns", "add", inside)
        self._at_switch("link", "add", f"to-{machine}", "type", "veth", "peer", "name", "eth0", "netns", inside)
        self._at_switch("link", "set", f"to-{machine}", "master", "br0", "up")
        ip("-n", inside, "address", "add", f"{self.address(machine)}/24", "dev", "eth0")
        for link in ("eth0", "lo"):
            ip("-n", inside, "link", "set", link, "up")

    def address(self, machine: str) -> str:
        return f"{SUBNET}.{self._numbers[machine]}"

    def namespace(self, machine: str) -> str:
        return f"{self._name}-{machine}"

    def cut(self, machine: str) -> None:
        """Pulls its cable: from now on it is silent, and hears nothing."""
        self._at_switch("link", "set", f"to-{machine}", "down")

    def cut_from(self, machine: str, others: list[str]) -> None:
        """Nothing that it sends reaches the others; whoever else is there, it still reaches."""
        for other in others:
            ip("-n", self.namespace(machine), "route", "add", "blackhole", f"{self.address(other)}/32")

    def heal(self, machine: str) -> None:
        """Ends both kinds of cuts."""
        self._at_switch("link", "set", f"to-{machine}", "up")
        ip("-n", self.namespace(machine), "route", "flush", "type", "blackhole")

    def close(self) -> None:
        for machine in self._numbers:
            ip("netns", "delete", self.namespace(machine))
        ip("netns", "delete", self._name)

    def _at_switch(self, *arguments: str) -> None:
        ip("-n", self._name, *arguments)


def ip(*arguments: str) -> None:
    """ip(8)."""
    command = [shutil.which("ip", path=PATH) or "ip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr.strip()}"
