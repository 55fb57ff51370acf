"""Signed URLs survive a restart, because the secret does."""

from concurrent.futures import ProcessPoolExecutor
from errno import EPERM
from multiprocessing import get_context
from pathlib import Path

import pytest

from deployments.errors import SettingsError
from deployments.media.storage import load_or_create_secret


def test_what_is_given_is_taken(tmp_path: Path) -> None:
    """AIGE_STORAGE_SECRET wins, and then no file is made."""
    path = tmp_path / "secret"
    assert load_or_create_secret(path, "given") == b"given"
    assert not path.exists()


def test_a_new_secret_stays_and_is_private(tmp_path: Path) -> None:
    """It is random, the same at the next start, readable by its owner alone, and alone in its folder."""
    path = tmp_path / "new" / "secret"
    secret = load_or_create_secret(path, None)
    assert len(secret) == 32
    assert load_or_create_secret(path, "") == secret
    assert load_or_create_secret(tmp_path / "other", None) != secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    """However many ask first, all get the same secret, whole."""
    with ProcessPoolExecutor(4, get_context("spawn")) as processes:
        found = [
            secret
            for number in range(20)
            for secret in processes.map(load_or_create_secret, [tmp_path / str(number)] * 4, [None] * 4)
        ]
    assert len(set(found)) == 20


def test_a_file_system_without_hard_links_keeps_one_too(tmp_path: Path) -> None:
    """FAT, exFAT and many shared folders: the same promises, but for two who start in the same moment."""

    def refuses(_source: str, _target: Path) -> None:
        raise PermissionError(EPERM, "Operation not permitted")

    path = tmp_path / "new" / "secret"
    secret = load_or_create_secret(path, None, link=refuses)
    assert len(secret) == 32
    assert load_or_create_secret(path, None, link=refuses) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_an_unusable_file_stops_the_start(tmp_path: Path) -> None:
    """An empty file would sign with nothing; a folder cannot be read: the operator is told what to set."""
    (tmp_path / "empty").touch()
    for name in ("empty", "."):
        with pytest.raises(SettingsError, match="AIGE_STORAGE_SECRET"):
            load_or_create_secret(tmp_path / name, None)
