"""The data folder: one that can be used, by one run at a time."""

import shutil
from pathlib import Path

import pytest

from deployments.errors import SettingsError
from scripts.data_folder import Taken, hold, network_mount


def test_it_is_made_and_closed_to_a_second_run(tmp_path: Path) -> None:
    """Until the first lets go; others cannot hold its lock either."""
    folder = tmp_path / "new" / "var"
    with hold(folder) as held:
        assert held.path == folder
        (lock,) = folder.iterdir()
        assert lock.stat().st_mode & 0o077 == 0
        with pytest.raises(Taken), hold(folder):
            pass
        assert not held.is_gone()
    with hold(folder):
        pass


def test_a_folder_that_was_removed_or_replaced_is_gone(tmp_path: Path) -> None:
    """What is written to the open files of the old one would be lost."""
    folder = tmp_path / "var"
    with hold(folder) as held:
        shutil.rmtree(folder)
        assert held.is_gone()
        with hold(folder):
            assert held.is_gone()


@pytest.mark.parametrize(
    ("below", "reason"),
    [
        ("file", "is no folder (File exists)"),
        ("file/var", "is no folder (Not a directory)"),
        ("/proc/aige", "cannot be written (No such file or directory)"),
    ],
)
def test_a_folder_that_cannot_be_is_one_line_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str, reason: str
) -> None:
    """With the way out."""
    (tmp_path / "file").touch()
    folder = tmp_path / below
    monkeypatch.setenv("AIGE_DATA_DIR", str(folder))
    with pytest.raises(SettingsError) as caught, hold(folder):
        pass
    assert str(caught.value) == f"AIGE_DATA_DIR={folder}: {reason}; name a folder that you may write to"
    monkeypatch.setenv("AIGE_DATA_DIR", "~/typed")
    with pytest.raises(SettingsError) as caught, hold(folder):
        pass
    assert str(caught.value).startswith(f"AIGE_DATA_DIR=~/typed ({folder}): ")
    monkeypatch.delenv("AIGE_DATA_DIR")
    with pytest.raises(SettingsError) as caught, hold(folder):
        pass
    assert str(caught.value).startswith(f"AIGE_DATA_DIR (not set, so {folder}): ")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/data/var", "nfs4"), ("/data/disk/var", None), ("/home/me/aige/var", None), ("/shared", "cifs")],
)
def test_network_mounts_are_told(folder: str, kind: str | None) -> None:
    """By the nearest mount above the folder."""
    mounts = {Path("/"): "ext4", Path("/data"): "nfs4", Path("/data/disk"): "xfs", Path("/shared"): "cifs"}
    assert network_mount(Path(folder), mounts) == kind


def test_this_machines_disks_are_no_network() -> None:
    """As the kernel lists them."""
    assert network_mount(Path("/proc")) is None
