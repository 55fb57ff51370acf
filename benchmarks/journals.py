"""The servers that a journal of ours may be on, set up so that what they acknowledge survives a power cut."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.system import Place, Service, beside


def server(journal: str, place: Place) -> tuple[Service, str]:
    """The server for `journal: redis` or `journal: postgresql`, and its URL."""
    return _redis(place) if journal == "redis" else _postgresql(place)


def _redis(place: Place) -> tuple[Service, str]:
    socket = place.folder / "redis.socket"
    where = ["--port", "0", "--unixsocket", str(socket), "--dir", str(place.folder)]
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    command = ["redis-server", *where, *durable, "--set-proc-title", "no"]
    return Service(command, beside(place)), f"unix://{socket}"


def _postgresql(place: Place) -> tuple[Service, str]:
    """With its own settings, which sync each commit. It refuses to run as root."""
    initdb = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    folder = Path(tempfile.mkdtemp(prefix="aige-bench-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    data = str(folder / "data")
    make = [*as_user, initdb, "--pgdata", data, "--username", "aige", "--auth", "trust"]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    run = [str(Path(initdb).with_name("postgres")), "-D", data, "-k", str(folder), "-c", "listen_addresses="]
    return Service([*as_user, *run], beside(place)), f"postgresql://aige@/postgres?host={folder}"
