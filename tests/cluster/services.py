"""What a cluster leans on: Redis, an S3 server, and the paid provider of `tests.chaos`; each on a simulated machine."""

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.cluster.machine import Machine

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BUCKET = "pictures"
S3_PORT = 9001
PROVIDER_PORT = 9000
JOURNAL_PORT = 6379
HEADS_PORT = 6390
"""Of the Redis in which Ray's heads keep what they know."""


class Store:
    """The machine with the journal: a Redis that syncs every write, behind a network that can misbehave."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.url = f"redis://{machine.address}:{JOURNAL_PORT}/0"
        redis = start_redis(machine, "127.0.0.1", JOURNAL_PORT + 1)
        _until_said(redis, "Ready to accept connections")
        module = [sys.executable, "-m", "tests.cluster.redis_proxy"]
        self._proxy = machine.beside([*module, str(JOURNAL_PORT), str(JOURNAL_PORT + 1)], os.environ)
        self.network("pass")

    def network(self, word: str) -> None:
        """`pass`, `lose` or `hold`: see `tests.cluster.redis_proxy`."""
        assert self._proxy.stdin
        self._proxy.stdin.write(f"{word}\n")
        self._proxy.stdin.flush()
        _until_said(self._proxy, word)

    def allow_memory(self, limit: str) -> None:
        """`1` refuses every write that needs memory; `0` is without a limit."""
        answer = self.machine.said(["redis-cli", "-p", str(JOURNAL_PORT + 1), "CONFIG", "SET", "maxmemory", limit])
        assert answer.strip() == "OK", answer

    def empty(self) -> None:
        """Forgets what earlier trials have left."""
        assert self.machine.said(["redis-cli", "-p", str(JOURNAL_PORT + 1), "FLUSHALL"]).strip() == "OK"


class Outside:
    """The machine with all that is the world's: the provider, S3, clients. It also has the heads' Redis."""

    def __init__(self, machine: Machine, latency_s: float = 2) -> None:
        self.machine = machine
        self.heads = f"{machine.address}:{HEADS_PORT}"
        self.provider = f"http://{machine.address}:{PROVIDER_PORT}"
        self.s3 = f"http://{machine.address}:{S3_PORT}"
        redis = start_redis(machine, machine.address, HEADS_PORT)
        provider = [sys.executable, "-m", "tests.chaos.provider"]
        paid = machine.beside([*provider, str(latency_s), machine.address, str(PROVIDER_PORT)], os.environ)
        bucket = [sys.executable, "-m", "tests.cluster.bucket", machine.address, str(S3_PORT), BUCKET]
        s3 = machine.beside([*bucket, str(machine.folder)], {**os.environ, **CREDENTIALS})
        _until_said(redis, "Ready to accept connections")
        _until_said(paid, str(PROVIDER_PORT))
        _until_said(s3, "ready")

    @property
    def environment(self) -> Mapping[str, str]:
        """What AIGE needs to reach them."""
        hosts = f"{self.machine.address}:{PROVIDER_PORT},{self.machine.address}:{S3_PORT}"
        return {**CREDENTIALS, "AIGE_ALLOW_HOSTS": hosts}

    @property
    def settings(self) -> Mapping[str, object]:
        """What AIGE must know of them."""
        return {
            "engine": "tests.chaos.engine:PaidEngine",
            "engine_options": {"url": self.provider},
            "s3": {"bucket": BUCKET, "endpoint_url": self.s3},
        }


def start_redis(machine: Machine, address: str, port: int) -> subprocess.Popen[str]:
    """A Redis that loses nothing of what it has acknowledged."""
    folder = machine.folder / f"redis-{port}"
    folder.mkdir()
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
    place = ["--bind", address, "--port", str(port), "--protected-mode", "no", "--dir", str(folder), "--save", ""]
    return machine.beside(["redis-server", *place, *durable], {})


def _until_said(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout
    heard = []
    for line in process.stdout:
        heard.append(line)
        if word in line:
            return
    raise AssertionError(f"{process.args!r} has ended:\n{''.join(heard)}")
