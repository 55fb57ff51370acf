"""The build that runs: every machine with one wheel agrees on it, and one with another wheel says so."""

import re
from importlib.metadata import FileHash, PackagePath
from pathlib import Path

import pytest

from deployments.errors import SettingsError
from deployments.runtime.build import build_id, check_build, checkout_files, installed_build, packaged_files
from deployments.settings import VERSION


def recorded(name: str, digest: str | None) -> PackagePath:
    """A line of a wheel's RECORD, as importlib shows it."""
    path = PackagePath(name)
    path.hash = FileHash(f"sha256={digest}") if digest else None
    return path


def test_a_build_is_a_version_and_a_digest() -> None:
    """The same at each call, while no file changes."""
    assert re.fullmatch(re.escape(VERSION) + r"\+[0-9a-f]{12}", build_id())
    assert build_id() == build_id()


def test_a_changed_file_is_another_build(tmp_path: Path) -> None:
    """Also one that was moved; what is no code does not count."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/a.py").write_text("a = 1")
    before = set(checkout_files(tmp_path))
    (tmp_path / "notes.txt").write_text("later")
    assert set(checkout_files(tmp_path)) == before
    (tmp_path / "tasks/a.py").write_text("a = 2")
    changed = set(checkout_files(tmp_path))
    (tmp_path / "tasks/a.py").rename(tmp_path / "a.py")
    assert len({frozenset(before), frozenset(changed), frozenset(checkout_files(tmp_path))}) == 3


def test_a_wheel_brings_its_digests() -> None:
    """What an installer adds on one machine, and not on another, does not count."""
    ours = [recorded("deployments/ingress.py", "abc"), recorded("deployments/tasks/ledger.py", "def")]
    added = [
        recorded("deployments/__pycache__/ingress.cpython-311.pyc", None),
        recorded("aige-0.1.0.dist-info/INSTALLER", "pip"),
        recorded("../../../bin/aige", "a path of this machine"),
    ]
    assert list(packaged_files([*ours, *added])) == ["deployments/ingress.py abc", "deployments/tasks/ledger.py def"]


def test_a_node_with_another_wheel_says_so() -> None:
    """Both builds are named. A checkout, whose files may have been edited since, is taken as it is."""
    check_build("0.1.0+aaa", "0.1.0+aaa")
    check_build("0.1.0+aaa", None)
    assert installed_build() is None
    with pytest.raises(SettingsError) as caught:
        check_build("0.1.0+aaa", "0.2.0+bbb")
    assert str(caught.value) == (
        "this node has AIGE 0.2.0+bbb, but AIGE 0.1.0+aaa was deployed: start all nodes of a cluster from one image"
    )
