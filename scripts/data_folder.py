"""The data folder of a run: made, tried out, and held by one run at a time."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import psutil

from deployments.errors import SettingsError
from deployments.settings import typed_name

_LOCK = "run.lock"

_NETWORK = frozenset({"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3"})
"""File systems on which locks may not hold, or an acknowledged write may be lost."""


class Taken(Exception):
    """Another run holds the folder."""


class Held(NamedTuple):
    """The folder, and the file in it that is locked for as long as this process lives."""

    path: Path
    lock: BinaryIO

    def is_gone(self) -> bool:
        """Whether it was removed, or another one put in its place."""
        try:
            return not os.path.samestat(os.fstat(self.lock.fileno()), (self.path / _LOCK).stat())
        except OSError:
            return True


@contextmanager
def hold(path: Path) -> Iterator[Held]:
    """Makes the folder where it is missing, and keeps other runs out of it.

    The kernel drops the lock with its process, however that ends. Where a file system has no locks, the journal's own
    trouble with it is told by the journal.

    Raises:
        SettingsError: nothing can be written there.
        Taken: another run holds it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        (path / _LOCK).touch(mode=0o600)  # whoever can open it, can lock it
        lock = (path / _LOCK).open("ab")
    except OSError as error:
        raise SettingsError(_unusable(path, error)) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken from None
        except OSError:
            pass
        yield Held(path, lock)


def network_mount(path: Path, mounts: Mapping[Path, str] | None = None) -> str | None:
    """The network's file system that `path` lies on, or None for one of this machine.

    `mounts` has the file system of each mount; by default the kernel's.
    """
    if mounts is None:
        mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    kind = next((mounts[folder] for folder in (path, *path.parents) if folder in mounts), None)
    return kind if kind in _NETWORK else None


def _unusable(path: Path, error: OSError) -> str:
    name = typed_name("AIGE_DATA_DIR")
    typed = os.environ.get(name)
    place = f"{name}={typed}" if typed else f"{name} (not set, so {path})"
    where = "" if not typed or typed == str(path) else f" ({path})"
    reason = "is no folder" if isinstance(error, FileExistsError | NotADirectoryError) else "cannot be written"
    return f"{place}{where}: {reason} ({error.strerror}); name a folder that you may write to"
