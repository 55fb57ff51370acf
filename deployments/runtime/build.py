"""Which build of AIGE runs here: its version, and a digest of its files."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackagePath, distribution
from pathlib import Path

from deployments.errors import SettingsError
from deployments.settings import IN_CHECKOUT, VERSION

PACKAGE = Path(__file__).parents[1]


def build_id() -> str:
    """The version and 12 hexadecimal digits, such as `0.1.0+3f9a0c21b7de`.

    A wheel lists the digests of its files when it is built, so every machine that has it installed gives the same
    answer. A checkout may change at any time: whoever deploys asks once, and passes the answer on.
    """
    files = checkout_files(PACKAGE) if IN_CHECKOUT else packaged_files(distribution("aige").files or [])
    return f"{VERSION}+{hashlib.sha256(chr(10).join(sorted(files)).encode()).hexdigest()[:12]}"


def installed_build() -> str | None:
    """The build of the wheel that is installed on this node; None in a checkout."""
    return None if IN_CHECKOUT else build_id()


def check_build(deployed: str, here: str | None) -> None:
    """Whether this node can take part in what was deployed.

    Raises:
        SettingsError: another wheel is installed here.
    """
    if here is not None and here != deployed:
        raise SettingsError(
            f"this node has AIGE {here}, but AIGE {deployed} was deployed: start all nodes of a cluster from one image"
        )


def checkout_files(package: Path) -> Iterator[str]:
    """The Python files below `package`, each with its digest."""
    for file in package.rglob("*.py"):
        yield f"{file.relative_to(package)} {hashlib.sha256(file.read_bytes()).hexdigest()}"


def packaged_files(recorded: Iterable[PackagePath]) -> Iterator[str]:
    """The files of our package among a distribution's, each with the digest that the wheel records.

    What the installer adds has no digest (bytecode), or lies elsewhere (commands, its own notes).
    """
    for file in recorded:
        if file.parts[0] == PACKAGE.name and file.hash is not None:
            yield f"{file} {file.hash.value}"
