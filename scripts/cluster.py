"""Where a run keeps its things, and the environment that its Ray cluster lives in."""

import hashlib
import os
import re
import resource
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from deployments.errors import SettingsError
from deployments.settings import DataFolder, Profile
from scripts import ports
from scripts.certificate import make_certificate
from scripts.processes import MARK, STARTER
from scripts.proxies import without_proxy

TEMP = Path("/tmp")  # noqa: S108 - our folders in it are made by us and closed to others
_PROXY_PORTS = {
    "RAY_SERVE_HAPROXY_STATS_PORT": "8404",
    "RAY_SERVE_HAPROXY_METRICS_PORT": "9101",
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": "8500",  # HAProxy's fallback while no Ingress replica is healthy
}
_REPLICA_PORTS = range(30_000, 32_768)
"""Behind HAProxy; what follows is the kernel's own, for connections that go out."""
_REPLICA_BLOCK = 300
"""Ports for the replicas of one run: more than it will ever have at once."""
_NOT_FOR_RAY = frozenset(
    {
        "RAY_ADDRESS",
        "RAY_AUTH_TOKEN",
        "RAY_TMPDIR",
        "PYTHONIOENCODING",
        "PYTHONSAFEPATH",  # in a checkout, Ray's processes find this project by their working directory
        "PYTHONWARNINGS",  # Ray itself warns; as errors, it would not start
    }
)

_HTTP = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "deployments.api.http_server.install"}
"""Before it starts an HTTP server, Serve calls this; what is set outside wins."""


def data_dir() -> Path:
    """`AIGE_DATA_DIR`, absolute and without links."""
    return DataFolder().aige_data_dir.resolve()


def temp_dir(data: Path) -> Path:
    """A run's folder for what need not last: in /tmp, since the path of a socket has 107 bytes at most.

    Each user has folders of their own, though the data folder be the same.
    """
    return TEMP / f"aige-{hashlib.sha256(bytes(data) + str(os.getuid()).encode()).hexdigest()[:8]}"


def head_log(data: Path) -> Path:
    """What Ray's head and driver print."""
    return temp_dir(data) / "head.log"


def ray_dir(data: Path) -> Path:
    """Ray's part of it, for sockets and logs; Ray opens this folder to everybody, so it lies in one that is not."""
    return temp_dir(data) / "ray"


def make_temp_dir(data: Path) -> None:
    """Makes it anew, closed to others. The last run's logs go, and those of runs whose data folder is gone.

    Raises:
        OSError: the place is taken by somebody else.
    """
    folder = temp_dir(data)
    shutil.rmtree(folder, ignore_errors=True)
    clear_left_overs(TEMP)
    folder.mkdir(mode=0o700)
    (folder / "data").symlink_to(data)


def clear_left_overs(temp: Path) -> None:
    """Removes what is there of runs whose data folder is gone."""
    for folder in temp.glob("aige-*"):
        owner = folder / "data"
        with suppress(PermissionError):  # another user's, and closed to us
            if owner.is_symlink() and not owner.exists():
                shutil.rmtree(folder, ignore_errors=True)


def token_file(data: Path) -> Path:
    """The token that Ray's dashboard and APIs ask for; made once, readable by its owner only."""
    file = data / "ray-token"
    if not file.exists() or file.stat().st_size == 0:
        data.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file


def environment(data: Path, profile: Profile) -> dict[str, str]:
    """The environment of Ray's head, and so of every process of the run; makes the secrets that it names."""
    certificate = temp_dir(data) / "certificate.pem"
    make_certificate(certificate)
    ours = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_RAY}
    tuned = _throughput(temp_dir(data)) | _replica_ports() if profile is Profile.PRODUCTION else {}
    return _HTTP | tuned | ours | without_proxy(ours) | _fixed(data, certificate)


def _fixed(data: Path, certificate: Path) -> dict[str, str]:
    return {
        MARK: str(data),
        STARTER: str(os.getpid()),
        "AIGE_DATA_DIR": str(data),  # all processes agree, whatever their working directory
        "TMPDIR": str(temp_dir(data)),  # the user's may be too long for the sockets that Ray's dashboard opens there
        "PYTHONUTF8": "1",  # logs and pipes can hold any text, whatever the terminal shows
        "SPT_NOENV": "1",  # Ray's process titles would else overwrite the environment, and the mark with it
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # off: one node, on 127.0.0.1
        "RAY_AUTH_MODE": "token",  # else any local user, or a web page that rebinds its name, could run code here
        "RAY_AUTH_TOKEN_PATH": str(token_file(data)),
        "RAY_USE_TLS": "1",  # replicas listen on all interfaces and unpickle what comes: only the run's own may call
        "RAY_TLS_SERVER_CERT": str(certificate),
        "RAY_TLS_SERVER_KEY": str(certificate),
        "RAY_TLS_CA_CERT": str(certificate),
        "RAY_USAGE_STATS_ENABLED": "0",  # nothing phones home
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",  # a dead proxy is replaced after three checks, not half a minute
        "RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS": "1",  # a hung replica would else get minutes to say goodbye
        "MALLOC_ARENA_MAX": "2",  # an arena for each thread costs more memory than it saves time here
        "RAY_SERVE_LOG_TO_STDERR": "0",  # each line is in logs/serve already
    }


def proxy_ports(profile: Profile) -> dict[str, int]:
    """What HAProxy and the proxy behind it listen on, besides the service's own port, by the variables that move them.

    Raises:
        SettingsError: one of these is no port.
    """
    if profile is not Profile.PRODUCTION:
        return {}
    chosen = {name: os.environ.get(name, default) for name, default in _PROXY_PORTS.items()}
    for name, value in chosen.items():
        if not re.fullmatch(r"[0-9]{1,5}", value) or not 0 < int(value) <= ports.HIGHEST:
            raise SettingsError(f"{name}={value}: must be a port, a number from 1 to {ports.HIGHEST}")
    return {name: int(value) for name, value in chosen.items()}


def _replica_ports() -> dict[str, str]:
    """A free block, since another user's HAProxy would ask our replicas where they took the ports of its dead ones."""
    lowest, highest = "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT", "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT"
    if lowest in os.environ or highest in os.environ:
        return {}
    free = ports.free_block("0.0.0.0", _REPLICA_PORTS, _REPLICA_BLOCK)  # noqa: S104 - a replica may listen there
    return {lowest: str(free[0]), highest: str(free[-1])} if free else {}


def _throughput(folder: Path) -> dict[str, str]:
    """Serve's own ways to more requests a second; what is set outside wins."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return _PROXY_PORTS | {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",  # by default ten times a second: 6 % of a core, all the time
        "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "2000",  # by default ten times a second, in each process
        "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(2**31 - 1),  # pictures travel in messages
        "RAY_SERVE_HAPROXY_MAXCONN": str(min(20_000, files // 3)),  # each event stream is one, and takes two files
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),  # not in a folder that all runs share
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
    }
