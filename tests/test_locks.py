"""The lock files are what is installed: they must hold what pyproject.toml asks for, and name nobody's mirror."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
DEV = [*RUN, *PROJECT["dependency-groups"]["dev"], *PROJECT["project"]["optional-dependencies"]["conformance"]]


def _pins(lock: str) -> set[str]:
    """Its `name==version`s."""
    return set(re.findall(r"^[a-z0-9.-]+==[^\s;]+", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("lock", "asked"), [("requirements.lock", RUN), ("requirements-dev.lock", DEV)])
def test_lock_holds_what_is_asked_for(lock: str, asked: list[str]) -> None:
    """A dependency that was added or raised without `make lock` would be missing on everybody else's machine."""
    assert {re.sub(r"\[.*\]| *;.*", "", pin) for pin in asked} <= _pins(lock)


def test_locks_agree() -> None:
    """What the tests run with is what the service runs with."""
    assert _pins("requirements.lock") <= _pins("requirements-dev.lock")


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "benchmarks/requirements.lock"])
def test_lock_names_no_host(lock: str) -> None:
    """Hashes say what a package is; where to get it from is the installing machine's own business."""
    assert not re.search(r"://|--(extra-)?index|--find-links", (ROOT / lock).read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_no_deep_learning_framework(lock: str) -> None:
    """The models run in onnxruntime: an install is some hundred megabytes, not several thousand."""
    assert not any(pin.startswith(("torch", "tensorflow", "jax", "nvidia")) for pin in _pins(lock))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_no_package_slows_every_import(lock: str) -> None:
    """jsonschema, and so Ray, imports rfc3987-syntax where it is there: four seconds of CPU in each process."""
    assert not any(pin.startswith("rfc3987-syntax") for pin in _pins(lock))
